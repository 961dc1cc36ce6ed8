//! How an action fails, as playbooks, people and the journal see it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{Map, Value};

/// What a caller can act on; the cases of `cordon:connector/errors.error-kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The arguments are wrong, in Cordon's or in the product's eyes.
    InvalidInput,
    /// The product does not know who is asking.
    Unauthorized,
    /// The product knows who is asking and says no.
    Forbidden,
    /// The thing that was named does not exist.
    NotFound,
    /// The state of things forbids it.
    Conflict,
    /// Too many requests.
    RateLimited,
    /// The product cannot be reached or cannot serve just now.
    Unavailable,
    /// No answer in time. Never a success.
    Timeout,
    /// The answer is not what the product's documents describe.
    Protocol,
    /// The product cannot do it.
    Unsupported,
    /// A defect of the connector, or a limit of the sandbox that it ran into.
    Internal,
}

impl ErrorKind {
    /// All kinds, in the order of the contract.
    pub const ALL: [Self; 11] = [
        Self::InvalidInput,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::Unavailable,
        Self::Timeout,
        Self::Protocol,
        Self::Unsupported,
        Self::Internal,
    ];

    /// The name that playbooks see: `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Unsupported => "unsupported",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed a little later with nobody doing anything.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the product has seen of a call that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// No request of the call that could change anything reached the product.
    NotSent,
    /// The product answered every request of the call; what it said is known.
    Answered,
    /// A request may have reached the product and its answer was not received whole.
    Unknown,
}

/// A failed call of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What a caller can act on.
    pub kind: ErrorKind,
    /// One sentence for people, in the product's words where it gave some. Scrubbed of secrets.
    pub message: String,
    /// The HTTP status that the product answered with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// How long to wait before trying again, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<u64>,
    /// What else the product said.
    #[serde(
        skip_serializing_if = "Value::is_null",
        default,
        with = "crate::value::exact"
    )]
    pub details: Value,
    /// The page of [`crate::codes`] that explains it, where one does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The name of the connection.
    pub connection: String,
    /// The action as playbooks name it.
    pub action: String,
    /// What the product has seen.
    pub delivery: Delivery,
}

impl Failure {
    /// A failure with nothing but kind and message; not sent, until somebody says otherwise.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            retry_after_ms: None,
            details: Value::Null,
            code: None,
            connection: String::new(),
            action: String::new(),
            delivery: Delivery::NotSent,
        }
    }

    /// With the page that explains it.
    #[must_use]
    pub fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    /// With the connection and the action that failed.
    #[must_use]
    pub fn of(mut self, connection: impl Into<String>, action: impl Into<String>) -> Self {
        self.connection = connection.into();
        self.action = action.into();
        self
    }

    /// Whether the same call may succeed a little later with nobody doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind.is_transient()
    }

    /// The map that a playbook catches: `kind`, `message`, `status`, `retry_after`, `details`,
    /// `code`, `connection`, `action`, `retryable`, `delivery`. Every name is always there.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let delivery = match self.delivery {
            Delivery::NotSent => "not_sent",
            Delivery::Answered => "answered",
            Delivery::Unknown => "unknown",
        };
        let mut map = Map::new();
        map.insert("kind".to_owned(), Value::text(self.kind.name()));
        map.insert("message".to_owned(), Value::text(self.message.clone()));
        map.insert(
            "status".to_owned(),
            self.status
                .map_or(Value::Null, |status| Value::Integer(status.into())),
        );
        map.insert(
            "retry_after".to_owned(),
            self.retry_after_ms.map_or(Value::Null, |ms| {
                Value::text(crate::units::format_duration(ms))
            }),
        );
        map.insert("details".to_owned(), self.details.clone());
        map.insert(
            "code".to_owned(),
            self.code.clone().map_or(Value::Null, Value::Text),
        );
        map.insert(
            "connection".to_owned(),
            Value::text(self.connection.clone()),
        );
        map.insert("action".to_owned(), Value::text(self.action.clone()));
        map.insert("retryable".to_owned(), Value::Bool(self.is_retryable()));
        map.insert("delivery".to_owned(), Value::text(delivery));
        Value::Map(map)
    }

    /// The failure behind a map that [`Failure::to_value`] made, perhaps with other words since. None
    /// where the value is no such map.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_text().map(str::to_owned);
        let kind = text("kind")?;
        Some(Self {
            kind: ErrorKind::ALL
                .into_iter()
                .find(|known| known.name() == kind)?,
            message: text("message")?,
            status: match value.get("status") {
                Some(Value::Integer(status)) => u16::try_from(*status).ok(),
                _ => None,
            },
            retry_after_ms: text("retry_after")
                .and_then(|wait| crate::units::parse_duration(&wait).ok()),
            details: value.get("details").cloned().unwrap_or_default(),
            code: text("code"),
            connection: text("connection")?,
            action: text("action")?,
            delivery: match text("delivery")?.as_str() {
                "not_sent" => Delivery::NotSent,
                "answered" => Delivery::Answered,
                _ => Delivery::Unknown,
            },
        })
    }
}

/// `kata.isolate: no such host (not_found, HTTP 404)`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.connection.is_empty() {
            write!(f, "{}.{}: ", self.connection, self.action)?;
        }
        write!(f, "{} ({}", self.message, self.kind)?;
        if let Some(status) = self.status {
            write!(f, ", HTTP {status}")?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_whole_again_after_it_was_a_map() {
        let failure = Failure {
            status: Some(503),
            retry_after_ms: Some(1_500),
            details: Value::map([("error", Value::text("later"))]),
            delivery: Delivery::Unknown,
            ..Failure::new(ErrorKind::Unavailable, "the product is busy")
                .with_code("connection.busy")
                .of("kata", "isolate")
        };
        assert_eq!(Failure::from_value(&failure.to_value()), Some(failure));
        assert_eq!(
            Failure::from_value(&Value::map([("kind", Value::text("not_found"))])),
            None
        );
    }
}
