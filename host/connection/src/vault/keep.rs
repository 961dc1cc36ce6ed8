//! One connection's part of a vault: its connector's state, and the secrets that came in answers.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use zeroize::{Zeroize as _, Zeroizing};

use super::database::{Change, Kind};
use super::error::VaultError;
use super::lock::Held;
use super::{Opened, Vault};
use crate::secret::{Secret, Secrets};

/// The largest value that a connector may keep under one name, in bytes.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// How many names one connection may have in use.
const NAMES_MAX: u64 = 1_000;

/// Where one connection keeps things.
#[derive(Debug, Clone)]
pub struct Keep {
    vault: Arc<Vault>,
    connection: String,
}

/// What a connector keeps under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// What it gave.
    pub value: Vec<u8>,
    /// Another one after every change, never used twice.
    pub version: u64,
}

/// A secret that came in an answer.
#[derive(Debug, Clone)]
pub struct SealedValue {
    /// The secret.
    pub secret: Secret,
    /// When it ends, in milliseconds since 1970, where that is known.
    pub expires: Option<i64>,
    /// Another one after every change, never used twice.
    pub version: u64,
    /// Marks of the configured credentials that it came from, by their names.
    pub(crate) origin: BTreeMap<String, String>,
}

/// As a sealed value lies in its row, before encryption.
#[derive(Serialize, Deserialize)]
struct Stored {
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    origin: BTreeMap<String, String>,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// A request is about to be sent whose answer holds secrets under these names.
#[derive(Debug)]
pub(crate) struct Pending(Vec<String>);

impl Keep {
    /// The part of this connection.
    #[must_use]
    pub fn new(vault: Arc<Vault>, connection: &str) -> Self {
        Self {
            vault,
            connection: connection.to_owned(),
        }
    }

    /// What the connector keeps under this name.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn get(&self, name: &str) -> Result<Option<StateEntry>, VaultError> {
        let opened = self.vault.opened()?;
        let read = self.read(&opened, Kind::State, name)?;
        Ok(read.map(|(version, value)| StateEntry {
            value: value.to_vec(),
            version,
        }))
    }

    /// Keeps a value, or none, under this name if there still is what the caller saw: an entry of
    /// this version, or nothing. It is on the disk when this returns.
    ///
    /// `Ok(Ok(version))` is the version of what is kept now, `Ok(Err(version))` that of what somebody
    /// else has kept meanwhile.
    ///
    /// # Errors
    /// Where it is too much, or cannot be written.
    #[allow(
        clippy::type_complexity,
        reason = "an outcome of two sides, each a version or nothing"
    )]
    pub fn compare_and_set(
        &self,
        name: &str,
        expected: Option<u64>,
        value: Option<&[u8]>,
    ) -> Result<Result<Option<u64>, Option<u64>>, VaultError> {
        let refused = |reason: String| {
            Err(VaultError::Refused {
                name: name.chars().take(60).collect(),
                reason,
            })
        };
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return refused(format!("a name has 1 to {NAME_BYTES_MAX} bytes"));
        }
        if value.is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
            return refused(format!("a value has at most {VALUE_BYTES_MAX} bytes"));
        }
        let opened = self.vault.opened()?;
        let mut database = opened
            .database
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if expected.is_none() && value.is_some() && database.count(&self.connection)? >= NAMES_MAX {
            return refused(format!("a connection keeps at most {NAMES_MAX} names"));
        }
        let cipher = &opened.cipher;
        let encrypted = value
            .map(|value| move |version| self.encrypt(cipher, Kind::State, name, version, value));
        let change = Change {
            kind: Kind::State,
            name,
            value: encrypted
                .as_ref()
                .map(|value| value as &dyn Fn(u64) -> Result<Vec<u8>, VaultError>),
        };
        let outcome = database.change(&self.connection, Some(expected), &[change])?;
        Ok(outcome.map(|versions| versions.first().copied()))
    }

    /// Waits for the lock of this name; none when the time is over before.
    ///
    /// # Errors
    /// Where the lock's file cannot be used.
    pub async fn acquire(&self, name: &str, deadline: Instant) -> Result<Option<Held>, VaultError> {
        self.vault
            .locks
            .acquire(&self.connection, name, deadline)
            .await
    }

    /// The sealed secret of this name. One that came from a credential which the operator has changed
    /// since is dropped.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn sealed(
        &self,
        name: &str,
        configured: &Secrets,
    ) -> Result<Option<SealedValue>, VaultError> {
        let opened = self.vault.opened()?;
        let Some((version, bytes)) = self.read(&opened, Kind::Sealed, name)? else {
            return Ok(None);
        };
        let damaged = || self.damaged(name);
        let mut stored: Stored = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
        let secret = STANDARD
            .decode(stored.secret.as_bytes())
            .map_err(|_| damaged())?;
        let is_current = |(credential, mark): (&String, &String)| {
            configured
                .get(credential)
                .is_some_and(|secret| &opened.cipher.mark(secret.reveal()) == mark)
        };
        if !stored.origin.iter().all(is_current) {
            tracing::info!(
                connection = self.connection,
                "the credential was changed: `{name}`, which came from the old one, is dropped"
            );
            // Another process may have the new credential, and a new value, already.
            self.remove(&opened, Kind::Sealed, name, Some(version))?;
            return Ok(None);
        }
        Ok(Some(SealedValue {
            secret: Secret::new(secret),
            expires: stored.expires,
            version,
            origin: std::mem::take(&mut stored.origin),
        }))
    }

    /// Since when a request is under way, or was when its process ended, whose answer holds this
    /// secret: milliseconds since 1970.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn pending(&self, name: &str) -> Result<Option<i64>, VaultError> {
        let opened = self.vault.opened()?;
        let Some((_, value)) = self.read(&opened, Kind::Pending, name)? else {
            return Ok(None);
        };
        let since = <[u8; 8]>::try_from(value.as_slice()).map_err(|_| self.damaged(name))?;
        Ok(Some(i64::from_be_bytes(since)))
    }

    /// Forgets the sealed secret of this name, and that a request for it was under way.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn forget(&self, name: &str) -> Result<(), VaultError> {
        let opened = self.vault.opened()?;
        self.remove(&opened, Kind::Sealed, name, None)?;
        self.remove(&opened, Kind::Pending, name, None)
    }

    /// Notes, durably, that a request is about to be sent whose answer holds these secrets. So it is
    /// known afterwards that one was on its way; and a disk that takes nothing stops the request,
    /// instead of losing what it would have brought.
    pub(crate) fn begin(&self, names: &[&str]) -> Result<Pending, VaultError> {
        let opened = self.vault.opened()?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let bytes = now.to_be_bytes();
        let encrypt: Vec<_> = names
            .iter()
            .map(|name| {
                let opened = &opened;
                move |version| self.encrypt(&opened.cipher, Kind::Pending, name, version, &bytes)
            })
            .collect();
        let changes: Vec<_> = names
            .iter()
            .zip(&encrypt)
            .map(|(name, value)| Change {
                kind: Kind::Pending,
                name,
                value: Some(value),
            })
            .collect();
        self.change(&opened, &changes)?;
        Ok(Pending(names.iter().map(|&name| name.to_owned()).collect()))
    }

    /// The request came to nothing: it was not sent, or its answer held no secrets.
    pub(crate) fn abandon(&self, pending: &Pending) -> Result<(), VaultError> {
        let opened = self.vault.opened()?;
        let changes: Vec<_> = pending
            .0
            .iter()
            .map(|name| gone(Kind::Pending, name))
            .collect();
        self.change(&opened, &changes).map(drop)
    }

    /// Keeps all secrets of an answer at once; they are on the disk when this returns. The versions
    /// come back in their order.
    pub(crate) fn seal(
        &self,
        pending: &Pending,
        values: &[(&str, &[u8], Option<i64>)],
        origin: &BTreeMap<String, String>,
    ) -> Result<Vec<u64>, VaultError> {
        let opened = self.vault.opened()?;
        let mut encrypt = Vec::new();
        for (name, secret, expires) in values {
            let stored = Stored {
                secret: STANDARD.encode(secret),
                expires: *expires,
                origin: origin.clone(),
            };
            let bytes = serde_json::to_vec(&stored).map(Zeroizing::new);
            let bytes = bytes.map_err(|_| self.damaged(name))?;
            let opened = &opened;
            encrypt.push(move |version| {
                self.encrypt(&opened.cipher, Kind::Sealed, name, version, &bytes)
            });
        }
        let sealed = values
            .iter()
            .zip(&encrypt)
            .map(|((name, ..), value)| Change {
                kind: Kind::Sealed,
                name,
                value: Some(value),
            });
        let changes: Vec<_> = sealed
            .chain(pending.0.iter().map(|name| gone(Kind::Pending, name)))
            .collect();
        self.change(&opened, &changes)
    }

    /// The mark of a configured credential.
    pub(crate) fn mark(&self, secret: &Secret) -> Result<String, VaultError> {
        Ok(self.vault.opened()?.cipher.mark(secret.reveal()))
    }

    #[allow(
        clippy::type_complexity,
        reason = "a version with its value, if there is one"
    )]
    fn read(
        &self,
        opened: &Opened,
        kind: Kind,
        name: &str,
    ) -> Result<Option<(u64, Zeroizing<Vec<u8>>)>, VaultError> {
        let row = {
            let database = opened
                .database
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            database.read(&self.connection, kind, name)?
        };
        let Some(row) = row else { return Ok(None) };
        let value = opened
            .cipher
            .open(&row.value, &self.context(kind, name, row.version));
        let value = value.ok_or_else(|| self.damaged(name))?;
        Ok(Some((row.version, value)))
    }

    fn change(&self, opened: &Opened, changes: &[Change<'_>]) -> Result<Vec<u64>, VaultError> {
        let mut database = opened
            .database
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let outcome = database.change(&self.connection, None, changes)?;
        Ok(outcome.unwrap_or_default())
    }

    fn remove(
        &self,
        opened: &Opened,
        kind: Kind,
        name: &str,
        version: Option<u64>,
    ) -> Result<(), VaultError> {
        let mut database = opened
            .database
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        database
            .change(&self.connection, version.map(Some), &[gone(kind, name)])
            .map(drop)
    }

    fn encrypt(
        &self,
        cipher: &super::cipher::Cipher,
        kind: Kind,
        name: &str,
        version: u64,
        value: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        cipher
            .seal(value, &self.context(kind, name, version))
            .ok_or_else(|| VaultError::Refused {
                name: name.to_owned(),
                reason: "the system gives no random numbers".to_owned(),
            })
    }

    /// What a value is bound to. Lengths stand before the texts, so that no two are alike.
    fn context(&self, kind: Kind, name: &str, version: u64) -> Vec<u8> {
        format!(
            "1:{}:{version}:{}:{}:{}:{name}",
            kind as i64,
            self.connection.len(),
            self.connection,
            name.len()
        )
        .into_bytes()
    }

    fn damaged(&self, name: &str) -> VaultError {
        VaultError::Damaged {
            connection: self.connection.clone(),
            name: name.to_owned(),
        }
    }
}

fn gone(kind: Kind, name: &str) -> Change<'_> {
    Change {
        kind,
        name,
        value: None,
    }
}
