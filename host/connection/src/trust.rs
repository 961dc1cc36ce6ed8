//! Trusting a server by its certificate: what it presents, and the pin in the connection's file.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tower_service::Service as _;
use url::Url;

use crate::certificate::CertificateInfo;
use crate::exchange::dial::{Dial, DialError, of_handshake};
use crate::file::{ConnectionFile, FileError, Network};
use crate::tls::{Notes, explain::explain, provider, signature};

/// The certificate that a server presents, with proof that it holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedCertificate {
    /// What it says.
    pub info: CertificateInfo,
    /// The certificate itself.
    pub pem: String,
}

/// Why there is nothing to trust.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TrustError {
    #[error("{url} is not https: there is no certificate to trust")]
    NotTls { url: Url },
    #[error("{url}: {reason}")]
    NoAnswer {
        url: Url,
        reason: String,
        code: &'static str,
    },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path} cannot be written: {reason}")]
    Unwritable { path: String, reason: String },
}

impl TrustError {
    /// The page that explains it: one of [`crate::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotTls { .. } => "connection.tls",
            Self::NoAnswer { code, .. } => code,
            Self::File(error) => error.code(),
            Self::Unwritable { .. } => "connection.file",
        }
    }
}

/// Does a TLS handshake with the server of `url` and hangs up: nothing is sent, no client
/// certificate is presented. Address rules and proxy hold as for any request.
///
/// # Errors
/// Where the server cannot be reached or does not speak TLS.
pub async fn presented(
    url: &Url,
    network: &Network,
    timeout: Duration,
) -> Result<PresentedCertificate, TrustError> {
    let no_answer = |reason: String, code| TrustError::NoAnswer {
        url: url.clone(),
        reason,
        code,
    };
    if url.scheme() != "https" {
        return Err(TrustError::NotTls { url: url.clone() });
    }
    let seen = Arc::new(Recorder {
        certificate: Mutex::new(None),
        proven: Mutex::new(None),
        algorithms: provider().signature_verification_algorithms,
    });
    let handshake = handshake(url, network, seen.clone());
    let ended = match tokio::time::timeout(timeout, handshake).await {
        Ok(ended) => ended,
        Err(_) => Err(DialError::Timeout { after: timeout }),
    };
    // A server that wants a client certificate ends the handshake after it has shown its own.
    if let Some(found) = seen.take_proven() {
        return CertificateInfo::of(&found)
            .map(|info| PresentedCertificate {
                info,
                pem: pem(&found),
            })
            .ok_or_else(|| {
                no_answer(
                    "the certificate that it presents cannot be read".to_owned(),
                    "connection.tls",
                )
            });
    }
    match ended {
        Err(DialError::Tls(error)) => {
            let explained = explain(&error, &Notes::default(), false);
            Err(no_answer(explained.message, explained.code))
        }
        Err(error @ DialError::Address(_)) => {
            Err(no_answer(error.to_string(), "connection.address"))
        }
        Err(error @ DialError::HungUp(_)) => Err(no_answer(error.to_string(), "connection.tls")),
        Err(error) => Err(no_answer(error.to_string(), "connection.connect")),
        Ok(()) => Err(no_answer(
            "it presents no certificate".to_owned(),
            "connection.tls",
        )),
    }
}

async fn handshake(url: &Url, network: &Network, seen: Arc<Recorder>) -> Result<(), DialError> {
    let unusable = |reason: &str| DialError::Tcp {
        reason: reason.to_owned(),
    };
    let host = url
        .host_str()
        .ok_or_else(|| unusable("the URL names no host"))?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| unusable("the host of the URL is no name of a server"))?;
    let uri = url
        .as_str()
        .parse()
        .map_err(|_| unusable("the URL cannot be used"))?;
    let tcp = Dial::new(network).call(uri).await?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(DialError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(seen)
        .with_no_client_auth();
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, tcp.into_inner())
        .await
        .map(|_| ())
        .map_err(|error| of_handshake(Box::new(error)))
}

/// Accepts every certificate, since nothing will be sent, but has the server prove that it holds
/// the key: a pin on somebody else's certificate would lock the operator out.
#[derive(Debug)]
struct Recorder {
    certificate: Mutex<Option<CertificateDer<'static>>>,
    proven: Mutex<Option<CertificateDer<'static>>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Recorder {
    fn take_proven(&self) -> Option<CertificateDer<'static>> {
        self.proven
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn prove(&self) {
        let certificate = self
            .certificate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = certificate;
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self
            .certificate
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(end_entity.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        signature::verify_tls12(message, certificate, signed, &self.algorithms)
            .inspect(|_| self.prove())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        signature::verify_tls13(message, certificate, signed, &self.algorithms)
            .inspect(|_| self.prove())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;

    const LINE: usize = 64;

    let digits = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at(rest.len().min(LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = others;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// Writes `pin_sha256` into the connection's file and leaves everything else in it, comments too,
/// as it is. The file is replaced as a whole, so that no reader sees half of it.
///
/// # Errors
/// Where the file cannot be read or written, or is no connection file.
pub fn write_pin(path: &Path, sha256: &str) -> Result<(), TrustError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| FileError::unreadable(path, &error))?;
    let pinned = with_pin(&text, sha256);
    // Both: what was there must have been right, and what is written must be.
    ConnectionFile::parse(path, &text)?;
    let pinned = pinned.filter(|pinned| ConnectionFile::parse(path, pinned).is_ok());
    let unwritable = |reason: String| TrustError::Unwritable {
        path: path.display().to_string(),
        reason,
    };
    let pinned = pinned.ok_or_else(|| unwritable(format!("`{sha256}` cannot be pinned in it")))?;
    replace(path, &pinned).map_err(|error| unwritable(error.to_string()))
}

fn with_pin(text: &str, sha256: &str) -> Option<String> {
    let mut document: toml_edit::DocumentMut = text.parse().ok()?;
    let tls = document
        .entry("tls")
        .or_insert_with(toml_edit::table)
        .as_table_like_mut()?;
    match tls.get_mut("pin_sha256") {
        // Only the value is changed, so that a comment behind it stays.
        Some(toml_edit::Item::Value(value)) => {
            let decor = value.decor().clone();
            *value = sha256.into();
            *value.decor_mut() = decor;
        }
        _ => {
            tls.insert("pin_sha256", toml_edit::value(sha256));
        }
    }
    Some(document.to_string())
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;

    let beside = path.with_extension("toml.new");
    let mut file = std::fs::File::create(&beside)?;
    file.set_permissions(std::fs::metadata(path)?.permissions())?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests;
