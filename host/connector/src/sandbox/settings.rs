//! `cordon:connector/settings`: what the operator configured for the connection. Never a secret.

use std::sync::Arc;

use cordon_connection::{Connection, SettingValue};

use super::Purpose;
use super::meter::Meter;
use crate::bindings::cordon::connector::settings::{Certificate, Host, Value};

/// The settings of one connection, to read.
pub(super) struct Settings {
    connection: Option<Arc<Connection>>,
    meter: Arc<Meter>,
}

impl Settings {
    pub fn new(purpose: &Purpose, meter: Arc<Meter>) -> Self {
        Self {
            connection: purpose.connection.clone(),
            meter,
        }
    }
}

impl Host for Settings {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<Value>> {
        self.meter.host_call()?;
        let value = self
            .connection
            .as_deref()
            .and_then(|connection| connection.setting(&name));
        Ok(value.map(|value| match value {
            SettingValue::Text(text) => Value::Text(text.clone()),
            SettingValue::Integer(number) => Value::Integer(*number),
            SettingValue::Number(number) => Value::Number(*number),
            SettingValue::Boolean(value) => Value::Boolean(*value),
            SettingValue::Texts(texts) => Value::Texts(texts.clone()),
            SettingValue::Duration(milliseconds) => Value::Duration(*milliseconds),
            SettingValue::Size(bytes) => Value::Size(*bytes),
        }))
    }

    fn connection_name(&mut self) -> wasmtime::Result<String> {
        self.meter.host_call()?;
        Ok(self
            .connection
            .as_deref()
            .map_or_else(String::new, |connection| connection.name().to_owned()))
    }

    fn client_certificate(&mut self) -> wasmtime::Result<Option<Certificate>> {
        self.meter.host_call()?;
        let certificate = self
            .connection
            .as_deref()
            .and_then(Connection::client_certificate);
        Ok(certificate.map(|certificate| Certificate {
            sha256: certificate.sha256.clone(),
            subject: certificate.subject.clone(),
            not_after: certificate.not_after,
        }))
    }
}
