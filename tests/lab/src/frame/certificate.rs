//! Certificates that the lab makes for itself: the server's, in the shapes that appliances really
//! present, and the client's, as a caller of such a product would make it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names under which a lab server is reached.
const SERVER_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// The shape of the server's self-signed certificate. All of them occur on appliances, and TLS
/// libraries disagree about each but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerForm {
    /// A leaf with the names `localhost` and `127.0.0.1`.
    #[default]
    Plain,
    /// The same, but marked `CA:TRUE`, as `openssl req -x509` makes it.
    Authority,
    /// A leaf whose only name is the common name.
    NoNames,
    /// A leaf that ran out in 2021.
    Expired,
}

/// What can be wrong with a certificate or key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// rcgen could not make it.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The PEM text holds no certificate or no key.
    #[error("cannot read the certificate or key from PEM: {0}")]
    Pem(String),
    /// rustls will not serve with it.
    #[error("cannot serve TLS with this certificate: {0}")]
    Tls(#[from] rustls::Error),
}

/// A server certificate with its key.
#[derive(Clone)]
pub struct ServerCertificate(Pair);

/// A client certificate with its key: who a caller is.
#[derive(Clone)]
pub struct ClientCertificate(Pair);

#[derive(Clone)]
struct Pair {
    certificate_pem: String,
    key_pem: String,
    certificate: CertificateDer<'static>,
}

impl ServerCertificate {
    /// Makes a new self-signed one of the given shape.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn make(form: ServerForm) -> Result<Self, CertificateError> {
        let names: &[&str] = match form {
            ServerForm::NoNames => &[],
            _ => &SERVER_NAMES,
        };
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        if form == ServerForm::Authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        } else {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }
        let last_year = match form {
            ServerForm::Expired => 2021,
            _ => 2049,
        };
        Pair::make(params, "Cordon lab server", last_year).map(Self)
    }

    /// Takes one that was made before.
    ///
    /// # Errors
    /// When the text holds no certificate or no key.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, CertificateError> {
        Pair::from_pem(certificate_pem, key_pem).map(Self)
    }

    /// The certificate as PEM text: what a client is given as `ca`.
    pub fn pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// The private key as PEM text.
    pub fn key_pem(&self) -> &str {
        &self.0.key_pem
    }

    /// SHA-256 of the DER form, in 64 lower-case hex digits: what a client pins.
    pub fn sha256(&self) -> String {
        fingerprint(&self.0.certificate)
    }

    pub(crate) fn chain_and_key(
        &self,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), CertificateError> {
        Ok((self.0.certificate.clone(), self.0.key()?))
    }
}

impl ClientCertificate {
    /// Makes a new self-signed one with this common name.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn make(common_name: &str) -> Result<Self, CertificateError> {
        let mut params = CertificateParams::default();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Pair::make(params, common_name, 2049).map(Self)
    }

    /// Takes one that was made before.
    ///
    /// # Errors
    /// When the text holds no certificate or no key.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, CertificateError> {
        Pair::from_pem(certificate_pem, key_pem).map(Self)
    }

    /// The certificate as PEM text.
    pub fn pem(&self) -> &str {
        &self.0.certificate_pem
    }

    /// The private key as PEM text.
    pub fn key_pem(&self) -> &str {
        &self.0.key_pem
    }

    /// SHA-256 of the DER form, in 64 lower-case hex digits: what a server knows the caller by.
    pub fn sha256(&self) -> String {
        fingerprint(&self.0.certificate)
    }
}

impl Pair {
    fn make(
        mut params: CertificateParams,
        common_name: &str,
        last_year: i32,
    ) -> Result<Self, CertificateError> {
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate: certificate.into(),
        })
    }

    fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, CertificateError> {
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| CertificateError::Pem(error.to_string()))?;
        let pair = Self {
            certificate_pem: certificate_pem.to_owned(),
            key_pem: key_pem.to_owned(),
            certificate,
        };
        pair.key()?;
        Ok(pair)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, CertificateError> {
        PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| CertificateError::Pem(error.to_string()))
    }
}

/// Keys are not shown: a debug line must be fit for any log.
impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair")
            .field("sha256", &fingerprint(&self.certificate))
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServerCertificate").field(&self.0).finish()
    }
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientCertificate").field(&self.0).finish()
    }
}

pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(certificate.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer, X509Certificate};

    fn check(form: ServerForm, authority: bool, names: usize, valid: bool) {
        let made = ServerCertificate::make(form).unwrap();
        let (_, parsed) = X509Certificate::from_der(&made.0.certificate).unwrap();
        let constraints = parsed.basic_constraints().unwrap();
        assert_eq!(constraints.is_some_and(|found| found.value.ca), authority);
        let found = parsed.subject_alternative_name().unwrap();
        assert_eq!(found.map_or(0, |san| san.value.general_names.len()), names);
        assert_eq!(parsed.validity().is_valid(), valid);
        assert_eq!(parsed.issuer(), parsed.subject(), "self-signed");
    }

    #[test]
    fn each_form_differs_from_the_plain_one_in_its_one_respect() {
        check(ServerForm::Plain, false, 2, true);
        check(ServerForm::Authority, true, 2, true);
        check(ServerForm::NoNames, false, 0, true);
        check(ServerForm::Expired, false, 2, false);
    }

    #[test]
    fn a_certificate_survives_the_way_through_pem() {
        let made = ClientCertificate::make("somebody").unwrap();
        let read = ClientCertificate::from_pem(made.pem(), made.key_pem()).unwrap();
        assert_eq!(read.sha256(), made.sha256());
        assert!(ClientCertificate::from_pem(made.pem(), "no key").is_err());
        assert!(ClientCertificate::from_pem("no certificate", made.key_pem()).is_err());
    }

    #[test]
    fn a_key_is_not_in_debug_output() {
        let made = ClientCertificate::make("somebody").unwrap();
        let shown = format!("{made:?}");
        let key_line = made.key_pem().lines().nth(1).unwrap();
        assert!(shown.contains(&made.sha256()));
        assert!(!shown.contains(key_line));
    }
}
