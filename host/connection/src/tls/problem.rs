//! What can be wrong with a server's certificate, and what to do about each.

use cordon_contract::units::format_timestamp;

/// Why a server's certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateProblem {
    #[error("the server's certificate ({subject}) expired at {}; it has to be renewed on the server", time(*.not_after))]
    Expired { subject: String, not_after: i64 },
    #[error(
        "the server's certificate ({subject}) is not valid before {}; compare the clocks of this machine and of the \
         server",
        time(*.not_before)
    )]
    NotYetValid { subject: String, not_before: i64 },
    #[error(
        "the server's certificate ({subject}) is self-signed and not trusted; compare its SHA-256 {sha256} with what \
         the server's administrator sees, then run `cordon connection trust {connection}`"
    )]
    SelfSigned {
        connection: String,
        subject: String,
        sha256: String,
    },
    #[error(
        "the server's certificate ({subject}) was issued by {issuer}, which is not trusted; name that CA's \
         certificate as `ca` under `[tls]`, or run `cordon connection trust {connection}` to trust this certificate \
         alone (SHA-256 {sha256})"
    )]
    UnknownIssuer {
        connection: String,
        subject: String,
        issuer: String,
        sha256: String,
    },
    #[error(
        "the server's certificate is for {}, not for {asked}; correct `url`, or run `cordon connection trust \
         {connection}` to trust this certificate whatever its name (SHA-256 {sha256})",
        list(.names)
    )]
    WrongName {
        connection: String,
        asked: String,
        names: Vec<String>,
        sha256: String,
    },
    #[error(
        "the server presented another certificate than the pinned one: pinned {pinned}, presented {presented}; if it \
         was renewed, run `cordon connection trust {connection}`, else somebody may stand between"
    )]
    PinMismatch {
        connection: String,
        pinned: String,
        presented: String,
    },
    #[error("the server's certificate cannot be used: {reason}")]
    Unusable { reason: String },
}

fn time(milliseconds: i64) -> String {
    format_timestamp(milliseconds).unwrap_or_else(|| format!("{milliseconds} ms since 1970"))
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "no name at all".to_owned()
    } else {
        names.join(", ")
    }
}
