//! The inbox for whoever leaves a wish, and wants to know what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::{OptionalExtension, Row};
use serde::Serialize;

use super::SqliteStore;
use super::rows::{self, Kind, Sealed};
use super::submission::{Submission, Write};
use crate::store::{Durability, StoreError};
use crate::wish::Wish;

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Nobody has taken it up yet.
    Waiting,
    /// It was taken up.
    Taken,
    /// It was refused, for this reason.
    Refused(String),
}

impl SqliteStore {
    /// Leaves a wish, on the disk when this returns: the number to ask by what became of it.
    ///
    /// # Errors
    /// Where it is not on the disk.
    pub fn leave(&self, wish: &Wish) -> Result<i64, StoreError> {
        let number = Arc::new(AtomicI64::new(0));
        let write = Write::Wish {
            run: wish.run,
            content: Sealed::new(Kind::Wish, wish.run, 0, wish)?,
            number: Some(Arc::clone(&number)),
        };
        let submission = Submission {
            writes: vec![write],
            latest: Some(wish.at),
        };
        self.commit_prepared(submission, Durability::Now)?;
        Ok(number.load(Ordering::Acquire))
    }

    /// What became of the wish of this number; none where there is none, which is so from about a day
    /// after it was taken or refused, and when its run is forgotten.
    ///
    /// # Errors
    /// Where the store cannot be read, or the wish is damaged and will never be taken.
    pub fn fate(&self, number: i64) -> Result<Option<Fate>, StoreError> {
        self.readers().read(|connection| {
            let found = connection
                .prepare_cached(
                    "SELECT number, run, content, crc, fate, why FROM wish WHERE number = ?1",
                )
                .and_then(|mut statement| {
                    statement
                        .query_row([number], |row| Ok((fate(row)?, rows::wish(row))))
                        .optional()
                })
                .map_err(|error| self.place().error(error))?;
            match found {
                Some((Fate::Waiting, Err(flaw))) => Err(flaw.into()),
                Some((fate, _)) => Ok(Some(fate)),
                None => Ok(None),
            }
        })
    }
}

fn fate(row: &Row<'_>) -> rusqlite::Result<Fate> {
    let word: Option<String> = row.get(4)?;
    Ok(match word.as_deref() {
        None => Fate::Waiting,
        Some("taken") => Fate::Taken,
        Some(_) => Fate::Refused(row.get::<_, Option<String>>(5)?.unwrap_or_default()),
    })
}
