//! A request without a whole answer, as an error of the contract.

use crate::bindings::cordon::connector::http::{Failure, FailureKind};
use crate::error::{Error, ErrorKind};

pub(super) fn error(request: &str, failure: &Failure) -> Error {
    let kind = match failure.kind {
        FailureKind::Refused => ErrorKind::Forbidden,
        // Nobody waits a certificate into being right.
        FailureKind::Tls => ErrorKind::Unauthorized,
        FailureKind::Connect | FailureKind::Broken => ErrorKind::Unavailable,
        FailureKind::Timeout => ErrorKind::Timeout,
        FailureKind::TooLarge => ErrorKind::Protocol,
        FailureKind::Limit => ErrorKind::Internal,
        FailureKind::NotKept => ErrorKind::Unavailable,
    };
    Error::new(
        kind,
        format!("`{request}` got no answer: {}", failure.message),
    )
}
