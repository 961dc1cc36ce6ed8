//! `cordon:connector/state`: what the connection keeps between calls.
//!
//! Where and how it is kept is [`cordon_connection`]'s; here the locks live as long as the call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cordon_connection::{Connection, Held, Keep, VaultError};
use tokio::time::Instant;

use super::Purpose;
use super::meter::Meter;
use crate::bindings::cordon::connector::state::{Entry, Failure, Host, SealedSecret};

/// Locks that one call may hold at a time; connectors need one, or two in order.
const LOCKS_MAX: usize = 16;

/// The locks that a call holds. They end with it, except those that a request still needs.
#[derive(Clone, Default)]
pub(super) struct Locks(Arc<Mutex<BTreeMap<String, Arc<Held>>>>);

impl Locks {
    /// All of them, for a request that may outlive the call.
    pub fn all(&self) -> Vec<Arc<Held>> {
        self.held(|held| held.values().cloned().collect())
    }

    fn held<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Arc<Held>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The state of one connection, for one call.
pub(super) struct State {
    connection: Option<Arc<Connection>>,
    deadline: Instant,
    locks: Locks,
    meter: Arc<Meter>,
}

impl State {
    pub fn new(purpose: &Purpose, locks: Locks, meter: Arc<Meter>) -> Self {
        Self {
            connection: purpose.connection.clone(),
            deadline: purpose.deadline,
            locks,
            meter,
        }
    }

    fn connection(&self) -> Result<&Arc<Connection>, Failure> {
        self.connection.as_ref().ok_or_else(|| {
            Failure::Unavailable(
                "there is no connection while a connector describes itself".to_owned(),
            )
        })
    }

    fn keep(&self) -> Result<Keep, Failure> {
        Ok(self.connection()?.keep().map_err(failure)?.clone())
    }

    async fn lock(&self, name: String) -> Result<(), Failure> {
        let (holds, count) = self
            .locks
            .held(|held| (held.contains_key(&name), held.len()));
        if holds {
            return Ok(());
        }
        if count >= LOCKS_MAX {
            return Err(Failure::Refused(format!(
                "a call holds at most {LOCKS_MAX} locks"
            )));
        }
        let held = self.keep()?.acquire(&name, self.deadline).await;
        let held = held.map_err(failure)?.ok_or(Failure::Timeout)?;
        self.locks.held(|locks| locks.insert(name, Arc::new(held)));
        Ok(())
    }
}

impl Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<Option<Entry>, Failure>> {
        self.meter.host_call()?;
        let entry = self
            .keep()
            .and_then(|keep| keep.get(&name).map_err(failure));
        Ok(entry.map(|entry| {
            entry.map(|entry| Entry {
                value: entry.value,
                version: entry.version,
            })
        }))
    }

    async fn compare_and_set(
        &mut self,
        name: String,
        expected: Option<u64>,
        value: Option<Vec<u8>>,
    ) -> wasmtime::Result<Result<Option<u64>, Failure>> {
        self.meter.host_call()?;
        let keep = match self.keep() {
            Ok(keep) => keep,
            Err(failure) => return Ok(Err(failure)),
        };
        let outcome = tokio::task::spawn_blocking(move || {
            keep.compare_and_set(&name, expected, value.as_deref())
        })
        .await?;
        Ok(match outcome {
            Ok(Ok(version)) => Ok(version),
            Ok(Err(present)) => Err(Failure::Changed(present)),
            Err(error) => Err(failure(error)),
        })
    }

    async fn acquire(&mut self, name: String) -> wasmtime::Result<Result<(), Failure>> {
        self.meter.host_call()?;
        Ok(self.lock(name).await)
    }

    fn release(&mut self, name: String) -> wasmtime::Result<()> {
        self.meter.host_call()?;
        self.locks.held(|held| held.remove(&name));
        Ok(())
    }

    fn get_sealed(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Option<SealedSecret>, Failure>> {
        self.meter.host_call()?;
        let sealed = self
            .connection()
            .and_then(|connection| connection.sealed(&name).map_err(failure));
        Ok(sealed.map(|sealed| {
            sealed.map(|sealed| SealedSecret {
                version: sealed.version,
                expires: sealed.expires,
            })
        }))
    }

    fn sealing_since(&mut self, name: String) -> wasmtime::Result<Result<Option<i64>, Failure>> {
        self.meter.host_call()?;
        Ok(self
            .keep()
            .and_then(|keep| keep.pending(&name).map_err(failure)))
    }

    async fn forget(&mut self, name: String) -> wasmtime::Result<Result<(), Failure>> {
        self.meter.host_call()?;
        let keep = match self.keep() {
            Ok(keep) => keep,
            Err(failure) => return Ok(Err(failure)),
        };
        let forgotten = tokio::task::spawn_blocking(move || keep.forget(&name)).await?;
        Ok(forgotten.map_err(failure))
    }
}

fn failure(error: VaultError) -> Failure {
    match error {
        VaultError::Refused { .. } => Failure::Refused(error.to_string()),
        _ => Failure::Unavailable(error.to_string()),
    }
}
