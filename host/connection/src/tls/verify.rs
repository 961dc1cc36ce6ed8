//! Decides whether a server's certificate is the right one.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::{CertificateProblem, Trust, signature};
use crate::certificate::{CertificateInfo, digest};

/// The verifier of one connection.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    connection: String,
    pin: Option<[u8; 32]>,
    rule: Rule,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Rule {
    /// The pin has said all there is to say about identity.
    AnyName,
    /// One of these exactly, else issued by one of the anchors for the name asked.
    Known {
        exact: Vec<CertificateDer<'static>>,
        anchors: Option<Arc<WebPkiServerVerifier>>,
    },
    /// No check at all.
    Anybody,
}

impl ServerVerifier {
    pub(crate) fn new(
        connection: &str,
        trust: Trust,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let (pin, rule) = match trust {
            Trust::Anybody => (None, Rule::Anybody),
            Trust::Pin(pin) => (Some(pin), Rule::AnyName),
            Trust::System => {
                let anchors = anchored(system_roots().clone(), provider)?;
                (
                    None,
                    Rule::Known {
                        exact: Vec::new(),
                        anchors,
                    },
                )
            }
            Trust::Bundle { certificates, pin } => {
                let anchors = anchored(issuers(&certificates), provider)?;
                (
                    pin,
                    Rule::Known {
                        exact: certificates,
                        anchors,
                    },
                )
            }
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self {
            connection: connection.to_owned(),
            pin,
            rule,
            algorithms,
        })
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), CertificateProblem> {
        if matches!(self.rule, Rule::Anybody) {
            return Ok(());
        }
        let info = CertificateInfo::of(end_entity).ok_or_else(|| CertificateProblem::Unusable {
            reason: "it is not X.509".to_owned(),
        })?;
        let presented = digest(end_entity);
        if let Some(pin) = self.pin.filter(|pin| *pin != presented) {
            return Err(CertificateProblem::PinMismatch {
                connection: self.connection.clone(),
                pinned: hex::encode(pin),
                presented: info.sha256,
            });
        }
        check_dates(&info, now)?;
        match &self.rule {
            Rule::Anybody | Rule::AnyName => Ok(()),
            Rule::Known { exact, .. } if exact.iter().any(|known| known == end_entity) => Ok(()),
            Rule::Known {
                anchors: Some(anchors),
                ..
            } => anchors
                .verify_server_cert(end_entity, intermediates, name, &[], now)
                .map(|_| ())
                .map_err(|error| self.problem(error, info, name)),
            Rule::Known { anchors: None, .. } => Err(self.unknown(info)),
        }
    }

    fn problem(
        &self,
        error: Error,
        info: CertificateInfo,
        name: &ServerName<'_>,
    ) -> CertificateProblem {
        let Error::InvalidCertificate(error) = error else {
            return CertificateProblem::Unusable {
                reason: error.to_string(),
            };
        };
        match error {
            // Of an intermediate: the server's own dates were checked before.
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => CertificateProblem::Unusable {
                reason: format!("a certificate of its chain is out of date ({error})"),
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                CertificateProblem::WrongName {
                    connection: self.connection.clone(),
                    asked: name.to_str().into_owned(),
                    names: info.names,
                    sha256: info.sha256,
                }
            }
            CertificateError::UnknownIssuer => self.unknown(info),
            // A CA's certificate in a server's place (`CaUsedAsEndEntity`), version 1, and their like.
            _ if info.self_signed => self.unknown(info),
            error => CertificateProblem::Unusable {
                reason: error.to_string(),
            },
        }
    }

    fn unknown(&self, info: CertificateInfo) -> CertificateProblem {
        let CertificateInfo {
            subject,
            issuer,
            sha256,
            self_signed,
            ..
        } = info;
        let connection = self.connection.clone();
        if self_signed {
            CertificateProblem::SelfSigned {
                connection,
                subject,
                sha256,
            }
        } else {
            CertificateProblem::UnknownIssuer {
                connection,
                subject,
                issuer,
                sha256,
            }
        }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, server_name, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|problem| CertificateError::Other(OtherError(Arc::new(problem))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn check_dates(info: &CertificateInfo, now: UnixTime) -> Result<(), CertificateProblem> {
    let now = i64::try_from(now.as_secs())
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    if now > info.not_after {
        return Err(CertificateProblem::Expired {
            subject: info.subject.clone(),
            not_after: info.not_after,
        });
    }
    if now < info.not_before {
        return Err(CertificateProblem::NotYetValid {
            subject: info.subject.clone(),
            not_before: info.not_before,
        });
    }
    Ok(())
}

/// The certificates of a bundle that may vouch for others. A server's own self-signed certificate
/// vouches for itself only, unless it says that it is a CA.
fn issuers(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(
        certificates
            .iter()
            .filter(|der| CertificateInfo::of(der).is_some_and(|info| info.is_ca))
            .cloned(),
    );
    roots
}

fn anchored(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<WebPkiServerVerifier>>, Error> {
    if roots.is_empty() {
        return Ok(None);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map(Some)
        .map_err(|error| Error::General(error.to_string()))
}

/// The CAs of this machine, read once: it takes milliseconds, and connections are many.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a store of CA certificates cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        roots
    })
}
