//! Certificates: what one says, and making the self-signed client certificate that some products
//! ask for.

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

/// What a certificate says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateInfo {
    /// SHA-256 of its DER form: 64 lower-case hex digits.
    pub sha256: String,
    /// Whom it is for: `CN=kata.example`.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The host names and addresses it is for.
    pub names: Vec<String>,
    /// Milliseconds since 1970.
    pub not_before: i64,
    /// Milliseconds since 1970.
    pub not_after: i64,
    /// Issuer and subject are the same.
    pub self_signed: bool,
    /// It says that it may issue others.
    pub is_ca: bool,
}

impl CertificateInfo {
    /// Reads the DER form; none where it is no certificate.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            sha256: fingerprint(der),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: names(&certificate),
            not_before: validity.not_before.timestamp().saturating_mul(1000),
            not_after: validity.not_after.timestamp().saturating_mul(1000),
            self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            is_ca: certificate.is_ca(),
        })
    }
}

/// SHA-256 of a certificate's DER form: 64 lower-case hex digits.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    hex::encode(digest(der))
}

pub(crate) fn digest(der: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, der).as_ref());
    bytes
}

/// The public key as TLS names it, and whether the certificate may be read at all.
pub(crate) fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().raw.to_vec())
}

/// The certificates of a PEM text, in order; a single certificate in DER form is taken too.
///
/// # Errors
/// Where there is none.
pub(crate) fn read_certificates(
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    if X509Certificate::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty()) {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if found.is_empty() => {
            Err("it holds no certificate (`-----BEGIN CERTIFICATE-----`)")
        }
        Ok(found)
            if found
                .iter()
                .any(|der| X509Certificate::from_der(der).is_err()) =>
        {
            Err("one of its certificates cannot be read")
        }
        Ok(found) => Ok(found),
        Err(_) => Err("it is not PEM, or damaged"),
    }
}

/// The private key of a PEM text: PKCS#8, PKCS#1 or SEC1.
///
/// # Errors
/// Where there is none that can be used.
pub(crate) fn read_key(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, &'static str> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
        let is_encrypted = bytes.windows(9).any(|window| window == b"ENCRYPTED");
        if is_encrypted {
            "the key is encrypted with a passphrase; store it without one, in a file of mode 0600"
        } else {
            "it holds no private key (`-----BEGIN PRIVATE KEY-----`)"
        }
    })
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes)
                    .ok()
                    .map(|octets| Ipv4Addr::from(octets).to_string()),
                16 => <[u8; 16]>::try_from(*bytes)
                    .ok()
                    .map(|octets| Ipv6Addr::from(octets).to_string()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// Where a made certificate and its key were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM, mode 0600.
    pub key: PathBuf,
    /// What the certificate says.
    pub info: CertificateInfo,
}

/// A certificate that could not be made.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum MakeError {
    #[error("{} exists already and is not overwritten; the product may have approved it", path.display())]
    Exists { path: PathBuf },
    #[error("{} cannot be written: {reason}", path.display())]
    Unwritable { path: PathBuf, reason: String },
    #[error("the certificate cannot be made: {reason}")]
    Making { reason: String },
}

/// How long a made certificate is valid. A renewal has to be approved again at the product, so
/// this is as long as products commonly accept.
const VALID_DAYS: u64 = 825;

/// Seconds.
const DAY: i64 = 86_400;

/// Makes a key and a self-signed client certificate for `common_name`: `NAME.pem` and `NAME.key`
/// in `directory`, the key readable by its owner only.
///
/// The key is ECDSA on P-256, which every TLS 1.2 server takes; ring makes no RSA keys. An RSA
/// certificate made elsewhere is used just as well.
///
/// # Errors
/// Where one of the files exists already or cannot be written.
pub fn make_client_certificate(
    directory: &Path,
    name: &str,
    common_name: &str,
) -> Result<Made, MakeError> {
    let making = |error: rcgen::Error| MakeError::Making {
        reason: error.to_string(),
    };
    let key_pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(making)?;
    let mut parameters = rcgen::CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, common_name);
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    parameters.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    // From yesterday, since the product's clock may be behind ours.
    let yesterday = u64::try_from(jiff::Timestamp::now().as_second() / DAY - 1).unwrap_or(0)
        * DAY.unsigned_abs();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    parameters.not_before = epoch + Duration::from_secs(yesterday);
    parameters.not_after =
        parameters.not_before + Duration::from_secs(VALID_DAYS * DAY.unsigned_abs());
    let certificate = parameters.self_signed(&key_pair).map_err(making)?;
    let info = CertificateInfo::of(certificate.der()).ok_or_else(|| MakeError::Making {
        reason: "it cannot be read back".to_owned(),
    })?;

    let made = Made {
        certificate: directory.join(format!("{name}.pem")),
        key: directory.join(format!("{name}.key")),
        info,
    };
    if made.certificate.exists() {
        return Err(MakeError::Exists {
            path: made.certificate,
        });
    }
    let key_pem = zeroize::Zeroizing::new(key_pair.serialize_pem());
    write_new(&made.key, key_pem.as_bytes(), 0o600)?;
    write_new(&made.certificate, certificate.pem().as_bytes(), 0o644)?;
    Ok(made)
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), MakeError> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => MakeError::Exists {
            path: path.to_owned(),
        },
        _ => MakeError::Unwritable {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_made_certificate_is_self_signed_current_and_its_key_is_closed_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let made = make_client_certificate(directory.path(), "kata", "cordon kata").unwrap();
        assert_eq!(made.info.subject, "CN=cordon kata");
        assert!(made.info.self_signed && !made.info.is_ca);
        let now = jiff::Timestamp::now().as_millisecond();
        assert!(made.info.not_before < now && now + 800 * DAY * 1000 < made.info.not_after);

        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&made.key), mode(&made.certificate)), (0o600, 0o644));
        let certificates = read_certificates(&std::fs::read(&made.certificate).unwrap()).unwrap();
        assert_eq!(fingerprint(&certificates[0]), made.info.sha256);
        let key = read_key(&std::fs::read(&made.key).unwrap()).unwrap();
        assert!(crate::tls::Identity::new(certificates, key).is_ok());
    }

    #[test]
    fn an_existing_certificate_or_key_is_never_overwritten() {
        for existing in ["kata.pem", "kata.key"] {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join(existing), "mine").unwrap();
            let error = make_client_certificate(directory.path(), "kata", "x").unwrap_err();
            assert!(matches!(error, MakeError::Exists { .. }), "{error}");
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_stumble(bytes: Vec<u8>) {
            prop_assert!(CertificateInfo::of(&bytes).is_none());
            prop_assert!(read_certificates(&bytes).is_err());
            prop_assert!(read_key(&bytes).is_err());
        }
    }
}
