//! A failed handshake in words: what it was, and what to do about it.

use rustls::{AlertDescription, Error};

use super::{CertificateProblem, Notes};

/// What a failed handshake means.
pub(crate) struct Explained {
    pub(crate) message: String,
    pub(crate) code: &'static str,
}

/// Whether the server's alert says that it ended the handshake over our certificate. In TLS 1.3
/// it arrives after our side has finished, when the request may be on its way already; but a
/// server that did not accept the handshake has not read a byte of it.
pub(crate) fn refused_our_certificate(error: &Error) -> bool {
    matches!(
        error,
        Error::AlertReceived(
            AlertDescription::CertificateRequired
                | AlertDescription::NoCertificate
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied
        )
    )
}

/// `has_certificate`: whether the connection has a client certificate to present.
pub(crate) fn explain(error: &Error, notes: &Notes, has_certificate: bool) -> Explained {
    if let Some(problem) = problem_of(error) {
        return Explained {
            message: problem.to_string(),
            code: "connection.tls",
        };
    }
    let over_certificate = refused_our_certificate(error)
        || (matches!(
            error,
            Error::AlertReceived(AlertDescription::HandshakeFailure)
        ) && notes.asked_for_certificate());
    if over_certificate {
        return client_certificate(error, has_certificate);
    }
    let message = match error {
        Error::AlertReceived(AlertDescription::ProtocolVersion) | Error::PeerIncompatible(_) => {
            "the server and Cordon have no version or cipher in common; Cordon needs TLS 1.2 with ECDHE, or TLS 1.3"
                .to_owned()
        }
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            "the server does not know the host name of `url`".to_owned()
        }
        Error::AlertReceived(alert) => format!("the server ended the handshake: {alert:?}"),
        Error::InvalidMessage(_) => {
            "what answers there does not speak TLS; look at scheme and port of `url`".to_owned()
        }
        Error::InvalidCertificate(error) => format!("the server's certificate cannot be used: {error}"),
        other => format!("the handshake failed: {other}"),
    };
    Explained {
        message,
        code: "connection.tls",
    }
}

/// What our own verifier found.
fn problem_of(error: &Error) -> Option<&CertificateProblem> {
    match error {
        Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

/// A server that wants a client certificate got none, or not the right one.
fn client_certificate(error: &Error, has_certificate: bool) -> Explained {
    let message = if has_certificate {
        let said = match error {
            Error::AlertReceived(alert) => format!("{alert:?}"),
            other => other.to_string(),
        };
        format!(
            "the server refuses this connection's client certificate ({said}); it must be the one that the product \
             knows, and within its dates"
        )
    } else {
        "the server requires a client certificate, and this connection has none; name one under `[credentials]`"
            .to_owned()
    };
    Explained {
        message,
        code: "connection.client-certificate",
    }
}
