//! What the operator configured for this connection; never a secret.
//!
//! A setting has the type that the manifest gives it, and its default where the file is silent. So
//! what fails here is a defect of the connector: a name or a type that its manifest does not have.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::platform;

pub use crate::bindings::cordon::connector::settings::{Certificate, Value};

/// The name of the connection, for messages.
#[must_use]
pub fn connection_name() -> String {
    platform::connection_name()
}

/// The client certificate of the connection, if it has one.
#[must_use]
pub fn client_certificate() -> Option<Certificate> {
    platform::client_certificate()
}

/// The setting, if the file or the manifest gives it a value.
#[must_use]
pub fn get(name: &str) -> Option<Value> {
    platform::setting(name)
}

/// A setting of type text or choice.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn text(name: &str) -> Result<String> {
    typed(name, "text", |value| match value {
        Value::Text(text) => Some(text),
        _ => None,
    })
}

/// A list of texts.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn texts(name: &str) -> Result<Vec<String>> {
    typed(name, "a list of texts", |value| match value {
        Value::Texts(texts) => Some(texts),
        _ => None,
    })
}

/// A whole number.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn integer(name: &str) -> Result<i64> {
    typed(name, "a whole number", |value| match value {
        Value::Integer(number) => Some(number),
        _ => None,
    })
}

/// A number.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn number(name: &str) -> Result<f64> {
    typed(name, "a number", |value| match value {
        Value::Number(number) => Some(number),
        _ => None,
    })
}

/// `true` or `false`.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn boolean(name: &str) -> Result<bool> {
    typed(name, "a boolean", |value| match value {
        Value::Boolean(yes) => Some(yes),
        _ => None,
    })
}

/// A length of time.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn duration(name: &str) -> Result<Duration> {
    typed(name, "a duration", |value| match value {
        Value::Duration(milliseconds) => Some(Duration::from_millis(milliseconds)),
        _ => None,
    })
}

/// A number of bytes.
///
/// # Errors
/// Where the manifest has no such setting, or no value for it.
pub fn size(name: &str) -> Result<u64> {
    typed(name, "a size", |value| match value {
        Value::Size(bytes) => Some(bytes),
        _ => None,
    })
}

fn typed<T>(name: &str, what: &str, read: impl Fn(Value) -> Option<T>) -> Result<T> {
    let value =
        get(name).ok_or_else(|| Error::internal(format!("the setting `{name}` has no value")))?;
    read(value).ok_or_else(|| {
        Error::internal(format!(
            "the manifest does not declare the setting `{name}` as {what}"
        ))
    })
}
