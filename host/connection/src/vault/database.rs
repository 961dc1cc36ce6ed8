//! The rows of a vault. Values are already encrypted here.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::error::VaultError;

/// How long a write waits for those of other processes, which take milliseconds.
const BUSY: Duration = Duration::from_secs(10);

/// The format of the file, in SQLite's `user_version`.
const FORMAT: i64 = 1;

/// What a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What a connector keeps for itself.
    State = 0,
    /// A secret from an answer.
    Sealed = 1,
    /// A request was about to be sent whose answer holds secrets.
    Pending = 2,
}

/// A row.
pub(super) struct Row {
    pub(super) version: u64,
    pub(super) value: Vec<u8>,
}

/// A change of one row. The value is made for the version that it gets.
pub(super) struct Change<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    #[allow(
        clippy::type_complexity,
        reason = "used in this module and its sibling only"
    )]
    pub(super) value: Option<&'a dyn Fn(u64) -> Result<Vec<u8>, VaultError>>,
}

pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self, VaultError> {
        let of_system = |error: std::io::Error| VaultError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
        {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(of_system(error)),
        }
        let failed = |error: rusqlite::Error| of_sqlite(path, &error);
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON",
            )
            .map_err(failed)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found: i64 = transaction
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(failed)?;
        match found {
            0 => transaction.execute_batch(SCHEMA).map_err(failed)?,
            FORMAT => {}
            newer => {
                return Err(VaultError::File {
                    path: path.to_owned(),
                    reason: format!(
                        "it has the format {newer}, which is of a newer Cordon; use that one"
                    ),
                });
            }
        }
        transaction.commit().map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            connection,
        })
    }

    pub(super) fn is_empty(&self) -> Result<bool, VaultError> {
        self.connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM entry)", [], |row| {
                row.get(0)
            })
            .map_err(|error| of_sqlite(&self.path, &error))
    }

    pub(super) fn read(
        &self,
        connection: &str,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Row>, VaultError> {
        self.connection
            .prepare_cached("SELECT version, value FROM entry WHERE connection = ?1 AND kind = ?2 AND name = ?3")
            .and_then(|mut statement| {
                statement
                    .query_row(params![connection, kind as i64, name], |row| {
                        Ok(Row {
                            version: row.get::<_, i64>(0)?.cast_unsigned(),
                            value: row.get(1)?,
                        })
                    })
                    .optional()
            })
            .map_err(|error| of_sqlite(&self.path, &error))
    }

    pub(super) fn count(&self, connection: &str) -> Result<u64, VaultError> {
        self.connection
            .query_row(
                "SELECT count(*) FROM entry WHERE connection = ?1",
                [connection],
                |row| row.get::<_, i64>(0),
            )
            .map(i64::cast_unsigned)
            .map_err(|error| of_sqlite(&self.path, &error))
    }

    /// Makes all changes, durably, or none; returns the versions of those that left a value. With an
    /// expectation, only if the first row has that version; else what it has comes back.
    pub(super) fn change(
        &mut self,
        connection: &str,
        expected: Option<Option<u64>>,
        changes: &[Change<'_>],
    ) -> Result<Result<Vec<u64>, Option<u64>>, VaultError> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| of_sqlite(&path, &error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        if let (Some(expected), Some(first)) = (expected, changes.first()) {
            let present = transaction
                .query_row(
                    "SELECT version FROM entry WHERE connection = ?1 AND kind = ?2 AND name = ?3",
                    params![connection, first.kind as i64, first.name],
                    |row| row.get::<_, i64>(0),
                )
                .optional()
                .map_err(failed)?
                .map(i64::cast_unsigned);
            if present != expected {
                return Ok(Err(present));
            }
        }
        let mut versions = Vec::new();
        for change in changes {
            let Some(value) = change.value else {
                transaction
                    .execute(
                        "DELETE FROM entry WHERE connection = ?1 AND kind = ?2 AND name = ?3",
                        params![connection, change.kind as i64, change.name],
                    )
                    .map_err(failed)?;
                continue;
            };
            let version: i64 = transaction
                .query_row(
                    "UPDATE counter SET last = last + 1 RETURNING last",
                    [],
                    |row| row.get(0),
                )
                .map_err(failed)?;
            let value = value(version.cast_unsigned())?;
            transaction
                .execute(
                    "INSERT OR REPLACE INTO entry (connection, kind, name, version, value) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![connection, change.kind as i64, change.name, version, value],
                )
                .map_err(failed)?;
            versions.push(version.cast_unsigned());
        }
        transaction.commit().map_err(failed)?;
        Ok(Ok(versions))
    }
}

const SCHEMA: &str = "
CREATE TABLE entry (
    connection TEXT NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (connection, kind, name)
) WITHOUT ROWID;
CREATE TABLE counter (last INTEGER NOT NULL);
INSERT INTO counter (last) VALUES (0);
PRAGMA user_version = 1;
";

/// Makes a folder that only its owner may enter, with those above it.
pub(super) fn create_folder(folder: &Path) -> Result<(), VaultError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| VaultError::File {
            path: folder.to_owned(),
            reason: error.to_string(),
        })
}

/// A file that was made is there after a power loss once its folder is on the disk too.
pub(super) fn sync_folder(folder: &Path) -> Result<(), VaultError> {
    fs::File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(|error| VaultError::File {
            path: folder.to_owned(),
            reason: error.to_string(),
        })
}

fn of_sqlite(path: &Path, error: &rusqlite::Error) -> VaultError {
    VaultError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
