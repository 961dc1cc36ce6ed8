//! `cordon:connector/call`: the call that is being made.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use uuid::Uuid;

use super::meter::Meter;
use super::{Purpose, remaining_ms};
use crate::bindings::cordon::connector::call::Host;

/// Key and deadline of one call.
pub(super) struct CallInfo {
    idempotency_key: Uuid,
    deadline: Instant,
    meter: Arc<Meter>,
}

impl CallInfo {
    pub fn new(purpose: &Purpose, meter: Arc<Meter>) -> Self {
        Self {
            idempotency_key: purpose.idempotency_key,
            deadline: purpose.deadline,
            meter,
        }
    }
}

impl Host for CallInfo {
    fn idempotency_key(&mut self) -> wasmtime::Result<String> {
        self.meter.host_call()?;
        Ok(self.idempotency_key.to_string())
    }

    fn remaining(&mut self) -> wasmtime::Result<u64> {
        self.meter.host_call()?;
        Ok(remaining_ms(self.deadline))
    }

    fn now(&mut self) -> wasmtime::Result<i64> {
        self.meter.host_call()?;
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }

    async fn wait(&mut self, pause: u64) -> wasmtime::Result<bool> {
        self.meter.host_call()?;
        if pause >= remaining_ms(self.deadline) {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
        Ok(true)
    }
}
