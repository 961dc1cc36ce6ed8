//! TLS of a connection: whom it trusts and as whom it presents itself.
//!
//! Built on rustls with ring given explicitly. Where nothing is configured, the machine's own
//! store of CAs holds (read by rustls-native-certs): companies put their internal CA there, and a
//! list compiled into Cordon would go stale.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};

pub(crate) mod explain;
mod problem;
pub(crate) mod signature;
mod verify;

pub(crate) use problem::CertificateProblem;
pub(crate) use verify::ServerVerifier;

/// Whom a connection trusts.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// The CAs of this machine.
    System,
    /// These CAs, and exactly these server certificates; with a pin, only the certificate that it
    /// names.
    Bundle {
        certificates: Vec<CertificateDer<'static>>,
        pin: Option<[u8; 32]>,
    },
    /// The certificate of this SHA-256, whatever name it has.
    Pin([u8; 32]),
    /// Everybody. The operator wrote it out.
    Anybody,
}

/// A client certificate with its key.
#[derive(Clone)]
pub(crate) struct Identity(Arc<CertifiedKey>);

/// Why a client certificate cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub(crate) enum IdentityError {
    #[error("the key belongs to another certificate")]
    OtherKey,
    #[error(
        "the key is of a kind that Cordon cannot use; take RSA of 2048 bits or more, ECDSA on P-256 or P-384, or Ed25519"
    )]
    Unusable,
}

impl Identity {
    pub(crate) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, IdentityError> {
        let key = provider()
            .key_provider
            .load_private_key(key)
            .map_err(|_| IdentityError::Unusable)?;
        let of_certificate = chain
            .first()
            .and_then(|der| crate::certificate::public_key(der));
        if let (Some(of_key), Some(of_certificate)) = (key.public_key(), of_certificate)
            && of_key.as_ref() != of_certificate
        {
            return Err(IdentityError::OtherKey);
        }
        Ok(Self(Arc::new(CertifiedKey::new(chain, key))))
    }
}

/// What the last handshakes showed, for messages.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    asked_for_certificate: AtomicBool,
}

impl Notes {
    /// Whether the server asked for a client certificate.
    pub(crate) fn asked_for_certificate(&self) -> bool {
        self.asked_for_certificate.load(Ordering::Relaxed)
    }
}

/// The configuration of a connection's TLS. ALPN is left to the HTTP client.
///
/// # Errors
/// Only where rustls and its provider contradict each other.
pub(crate) fn client_config(
    connection: &str,
    trust: Trust,
    identity: Option<Identity>,
    notes: &Arc<Notes>,
) -> Result<ClientConfig, rustls::Error> {
    let provider = provider();
    let verifier = ServerVerifier::new(connection, trust, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(Presenter {
            identity,
            notes: notes.clone(),
        }));
    // A resumed session would not show its certificate again, and a changed pin would not be seen.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// ring, never the process's default: another crate must not choose our cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Presents the client certificate to a server that asks, and notes that it asked.
struct Presenter {
    identity: Option<Identity>,
    notes: Arc<Notes>,
}

impl ResolvesClientCert for Presenter {
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.notes
            .asked_for_certificate
            .store(true, Ordering::Relaxed);
        // The issuers are not looked at: servers that know a certificate by its fingerprint name
        // CAs which have nothing to do with it.
        let Identity(certified) = self.identity.as_ref()?;
        certified
            .key
            .choose_scheme(schemes)
            .map(|_| certified.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for Presenter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Presenter")
    }
}
