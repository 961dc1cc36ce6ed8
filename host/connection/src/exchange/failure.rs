//! Why an exchange gave no answer, and what the product can have seen of it.

use std::fmt;

/// What the product may have seen of a request that got no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing: not one byte of the request reached the product's HTTP.
    NotSent,
    /// Perhaps everything: the product may have acted.
    Unknown,
}

/// What a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Cordon refused to send: origin, address, path, header or slot.
    Refused,
    /// The name could not be resolved, or the connection could not be opened.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// No whole answer in time.
    Timeout,
    /// The connection broke, or what came was not HTTP.
    Broken,
    /// The answer was larger than the limit.
    TooLarge,
    /// A limit of the call was reached: requests or bytes.
    Limit,
    /// What connections keep could not be read or written.
    NotKept,
}

/// An exchange without a whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpFailure {
    /// What a caller can act on.
    pub kind: FailureKind,
    /// What the product may have seen.
    pub delivery: Delivery,
    /// What happened and what to do about it. Holds no secret.
    pub message: String,
    /// The page that explains it: one of [`crate::CODES`].
    pub code: &'static str,
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HttpFailure {}

/// Why Cordon does not send a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the path `{path}` {problem}")]
    Path { path: String, problem: &'static str },
    #[error("`{name}` is not the name of a header")]
    HeaderName { name: String },
    #[error("the header `{name}` is Cordon's to set{}", reason_of(name))]
    HeaderReserved { name: String },
    #[error("the value of the header `{name}` holds a line break or another control character")]
    HeaderValue { name: String },
    #[error(
        "the connector asks for the credential `{name}`, which this connection does not have{hint}"
    )]
    NoCredential { name: String, hint: String },
    #[error(
        "there is no secret `{name}`: name it under [secrets] of cordon.toml, or pass the name of a credential of this connection"
    )]
    NoArgument { name: String },
    #[error(
        "nothing is sealed as `{name}`: no answer has brought it yet, or the credential that it came from was changed"
    )]
    NothingSealed { name: String },
    #[error("the secrets of an answer cannot be sealed in a download")]
    SealedDownload,
    #[error("the {what} cannot be written as {encoding}: {problem}")]
    Encoding {
        what: String,
        encoding: &'static str,
        problem: &'static str,
    },
    #[error("the URL of the request is longer than {max} bytes")]
    UrlTooLong { max: usize },
}

impl Refusal {
    pub(crate) fn into_failure(self) -> HttpFailure {
        HttpFailure {
            kind: FailureKind::Refused,
            delivery: Delivery::NotSent,
            message: format!("the request was not sent: {self}"),
            code: "connection.request",
        }
    }
}

fn reason_of(header: &str) -> &'static str {
    if header.eq_ignore_ascii_case("accept-encoding") {
        ": a compressed answer could not be searched for secrets"
    } else {
        ""
    }
}
