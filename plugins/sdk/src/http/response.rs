//! Reading an answer.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::excerpt;
use crate::bindings::cordon::connector::http as contract;
use crate::call;
use crate::error::{Error, ErrorKind, Result};

/// Bodies of refused requests up to this size are handed on whole, as details of the error.
const DETAILS_MAX: usize = 16 * 1024;

/// An answer of the product, of any status.
#[derive(Debug, Clone)]
pub struct Response {
    request: String,
    response: contract::Response,
}

impl Response {
    pub(super) fn new(request: String, response: contract::Response) -> Self {
        Self { request, response }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .response
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the secrets that the request sealed were there and are kept.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        !self.response.sealed.is_empty()
    }

    /// The bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.response.body
    }

    /// The body as JSON, if it is some; whatever its content type says.
    #[must_use]
    pub fn try_json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(self.body()).ok()
    }

    /// The body as JSON of this shape. Unknown fields are no error.
    ///
    /// # Errors
    /// `protocol`, with the place and the beginning of the body, when it is something else: an HTML
    /// page of a proxy, half a document, another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(self.body()).map_err(|error| {
            let body = excerpt::words(self.body()).unwrap_or_else(|| "nothing".to_owned());
            let what = match error.classify() {
                serde_json::error::Category::Data => {
                    format!("has not the documented shape ({error})")
                }
                _ => format!("is no JSON ({error})"),
            };
            Error::protocol(format!("the answer to `{}` {what}: {body}", self.request))
                .status(self.status())
        })
    }

    /// The response itself if its status is 2xx, else what [`Response::error`] makes of it.
    ///
    /// # Errors
    /// Where the product refused.
    pub fn success(self) -> Result<Self> {
        if (200..300).contains(&self.status()) {
            Ok(self)
        } else {
            Err(self.error())
        }
    }

    /// The answer as an error: the kind by its status, the product's own words, the whole body as
    /// details where it is JSON.
    #[must_use]
    pub fn error(&self) -> Error {
        let status = self.status();
        let words = excerpt::words(self.body());
        let message = match &words {
            Some(words) => format!("`{}` answered {status}: {words}", self.request),
            None => format!("`{}` answered {status} without a reason", self.request),
        };
        let mut error = Error::new(kind(status), message).status(status);
        if let Some(pause) = self.retry_after() {
            error = error.retry_after(pause);
        }
        match self.try_json() {
            Some(json) if self.body().len() <= DETAILS_MAX => error.details(&json),
            _ => match words {
                Some(words) => error.details(&serde_json::json!({ "body": words })),
                None => error,
            },
        }
    }

    /// How long the product wants to be left alone: `Retry-After`, in seconds or as a date.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = jiff::fmt::rfc2822::parse(value)
            .ok()?
            .timestamp()
            .as_millisecond();
        Some(Duration::from_millis(
            u64::try_from(date - call::now()).unwrap_or(0),
        ))
    }
}

fn kind(status: u16) -> ErrorKind {
    match status {
        401 | 407 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 | 412 | 423 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        400..500 => ErrorKind::InvalidInput,
        501 | 505 => ErrorKind::Unsupported,
        500..600 => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    }
}
