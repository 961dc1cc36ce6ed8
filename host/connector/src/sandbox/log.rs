//! `cordon:connector/log`: lines for the operator. They become tracing events with the connection
//! and the action beside them, without secrets and control characters.

use std::sync::Arc;

use super::Purpose;
use super::meter::{LogLine, Meter};
use crate::bindings::cordon::connector::log::{Host, Level};
use crate::scrub::Scrub;

/// The log, to write to.
pub(super) struct Log {
    scrub: Scrub,
    connector: Arc<str>,
    action: Arc<str>,
    meter: Arc<Meter>,
}

impl Log {
    pub fn new(purpose: &Purpose, meter: Arc<Meter>) -> Self {
        Self {
            scrub: purpose.scrub.clone(),
            connector: purpose.connector.clone(),
            action: purpose.action.clone(),
            meter,
        }
    }
}

impl Host for Log {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.meter.host_call()?;
        let (level, line) = match self.meter.log_line() {
            LogLine::Write => (level, self.scrub.line(&message)),
            LogLine::FirstDropped(reached) => (
                Level::Warn,
                format!("further lines of this call are dropped: {reached}"),
            ),
            LogLine::Dropped => return Ok(()),
        };
        let connection = self.scrub.connection_name();
        let (connector, action) = (&*self.connector, &*self.action);
        match level {
            Level::Debug => tracing::debug!(connector, connection, action, "{line}"),
            Level::Info => tracing::info!(connector, connection, action, "{line}"),
            Level::Warn => tracing::warn!(connector, connection, action, "{line}"),
            Level::Error => tracing::error!(connector, connection, action, "{line}"),
        }
        Ok(())
    }
}
