//! Reads what a connection's file refers to: credentials, the client certificate, whom to trust.
//! Every failure is a mistake at a place of the file.

use std::path::Path;

use cordon_contract::Manifest;
use cordon_contract::manifest::{Credential, CredentialKind};

use crate::certificate::{CertificateInfo, read_certificates, read_key};
use crate::credential;
use crate::file::{ConnectionFile, CredentialReference, FileError, FileProblem, Located};
use crate::reference::Reference;
use crate::secret::Secrets;
use crate::tls::{Identity, Trust};

/// The credentials of a connection, read.
pub(crate) struct Credentials {
    pub(crate) secrets: Secrets,
    pub(crate) identity: Option<Identity>,
    pub(crate) info: Option<CertificateInfo>,
}

/// Reads what the file of a connection refers to.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a ConnectionFile,
    pub(crate) automation_directory: &'a Path,
}

impl Reader<'_> {
    pub(crate) fn credentials(&self, manifest: &Manifest) -> Result<Credentials, FileError> {
        let known = || {
            manifest
                .credentials
                .iter()
                .map(|credential| credential.name.as_str())
        };
        for (name, located) in &self.file.credentials {
            if !known().any(|credential| credential == name) {
                return Err(self
                    .file
                    .error_at(located.key.clone(), FileProblem::unknown_key(name, known())));
            }
        }
        let mut read = Credentials {
            secrets: Secrets::none(),
            identity: None,
            info: None,
        };
        for credential in &manifest.credentials {
            match self.file.credentials.get(&credential.name) {
                Some(located) => self.credential(credential, located, &mut read)?,
                None if credential.required => {
                    let help = format!(
                        "{} needs it under [credentials]: {}",
                        manifest.title, credential.help
                    );
                    let problem = FileProblem::Missing {
                        key: credential.name.clone(),
                        help,
                    };
                    return Err(self.file.error_at(0..0, problem));
                }
                None => {}
            }
        }
        Ok(read)
    }

    fn credential(
        &self,
        credential: &Credential,
        located: &Located<CredentialReference>,
        read: &mut Credentials,
    ) -> Result<(), FileError> {
        let key = &credential.name;
        let wrong = |reason: String| {
            self.file.error_at(
                located.span.clone(),
                FileProblem::Credential {
                    key: key.clone(),
                    reason,
                },
            )
        };
        match (credential.kind, &located.value) {
            (CredentialKind::Secret, CredentialReference::Single(reference)) => {
                let secret = credential::secret(reference, self.automation_directory)
                    .map_err(|error| wrong(error.to_string()))?;
                read.secrets.insert(key.clone(), secret);
            }
            (CredentialKind::Secret, CredentialReference::Certificate { .. }) => {
                return Err(wrong(
                    "it is a secret: write one reference, as in \"env:NAME\"".to_owned(),
                ));
            }
            (CredentialKind::ClientCertificate, reference) => {
                let (certificate, private_key) = match reference {
                    CredentialReference::Single(both) => (both, both),
                    CredentialReference::Certificate { certificate, key } => (certificate, key),
                };
                let (identity, info) = self.identity(certificate, private_key).map_err(wrong)?;
                read.identity = Some(identity);
                read.info = Some(info);
            }
        }
        Ok(())
    }

    fn identity(
        &self,
        certificate: &Reference,
        key: &Reference,
    ) -> Result<(Identity, CertificateInfo), String> {
        let at = self.automation_directory;
        let of = |reference: &Reference, reason: String| format!("{reference}: {reason}");
        let chain = credential::public(certificate, at)
            .map_err(|error| of(certificate, error.to_string()))?;
        let chain =
            read_certificates(&chain).map_err(|reason| of(certificate, reason.to_owned()))?;
        let private = credential::private(key, at).map_err(|error| of(key, error.to_string()))?;
        let private = read_key(&private).map_err(|reason| of(key, reason.to_owned()))?;
        let info = chain
            .first()
            .and_then(|der| CertificateInfo::of(der))
            .ok_or_else(|| of(certificate, "it cannot be read".to_owned()))?;
        let identity = Identity::new(chain, private).map_err(|error| of(key, error.to_string()))?;
        Ok((identity, info))
    }

    pub(crate) fn trust(&self) -> Result<Trust, FileError> {
        let tls = &self.file.tls;
        if tls.insecure {
            return Ok(Trust::Anybody);
        }
        let Some(ca) = &tls.ca else {
            return Ok(tls.pin_sha256.map_or(Trust::System, Trust::Pin));
        };
        let certificates = credential::public(&ca.value, self.automation_directory)
            .map_err(|error| error.to_string())
            .and_then(|bytes| {
                read_certificates(&bytes).map_err(|reason| format!("{}: {reason}", ca.value))
            })
            .map_err(|reason| {
                self.file.error_at(
                    ca.span.clone(),
                    FileProblem::Credential {
                        key: "ca".to_owned(),
                        reason,
                    },
                )
            })?;
        Ok(Trust::Bundle {
            certificates,
            pin: tls.pin_sha256,
        })
    }
}
