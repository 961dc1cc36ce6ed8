//! The versions of the file, and how one becomes the next.
//!
//! `application_id` says that a file is Cordon's, `user_version` which format it has. Both change in
//! the transaction that makes the tables, so a file is of one version or of the next, never between.

use rusqlite::{Connection, TransactionBehavior};

use super::error::Place;
use crate::store::StoreError;

/// `Cord`.
pub(super) const APPLICATION_ID: i64 = 0x436F_7264;

/// The newest format that this program knows.
pub const FORMAT: i64 = 1;

/// What makes a file of a version one of the next.
const MIGRATIONS: &[(i64, &str)] = &[(0, include_str!("schema_1.sql"))];

/// What a file turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A store of this format, which is known.
    Format(i64),
}

/// Finds out what a file is, without changing it.
///
/// # Errors
/// Where it is not ours, newer, or cannot be read.
pub(super) fn inspect(connection: &Connection, place: &Place) -> Result<Found, StoreError> {
    let wrong = |error| place.error(error);
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id").map_err(wrong)?;
    let format = number("PRAGMA user_version").map_err(wrong)?;
    if application == APPLICATION_ID {
        return match format {
            1..=FORMAT => Ok(Found::Format(format)),
            found if found > FORMAT => Err(StoreError::Newer {
                path: place.text(),
                found,
                known: FORMAT,
            }),
            _ => Err(StoreError::Damaged {
                path: place.text(),
                problem: format!("it says that its format is {format}, which never was"),
            }),
        };
    }
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(wrong)?;
    if application == 0 && format == 0 && tables == 0 {
        return Ok(Found::Empty);
    }
    Err(StoreError::NoStore {
        path: place.text(),
        problem: "it is a database of another program".to_owned(),
    })
}

/// Brings a file to the newest format.
///
/// # Errors
/// Where it is not ours, newer, or cannot be written.
pub(super) fn migrate(connection: &mut Connection, place: &Place) -> Result<(), StoreError> {
    let wrong = |error| place.error(error);
    while inspect(connection, place)? != Found::Format(FORMAT) {
        let step = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(wrong)?;
        // Another process may have done it while this one waited.
        let from = match inspect(&step, place)? {
            Found::Empty => 0,
            Found::Format(format) => format,
        };
        if let Some((_, sql)) = MIGRATIONS.iter().find(|(version, _)| *version == from) {
            step.execute_batch(sql).map_err(wrong)?;
            step.execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}",
                from + 1
            ))
            .map_err(wrong)?;
        }
        step.commit().map_err(wrong)?;
    }
    Ok(())
}
