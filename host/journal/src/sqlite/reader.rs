//! Reading: a few connections, opened when they are needed, and the questions that are asked.

use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Params, params};
use sha2::{Digest, Sha256};

use super::error::Place;
use super::rows::{self, RUN_COLUMNS, RUN_TABLES};
use super::writer::latest_sum;
use super::{Options, open};
use crate::moment::Moment;
use crate::record::Entry;
use crate::run::{Run, RunId};
use crate::store::StoreError;
use crate::wish::Wish;

/// Readers at a time; more wait.
const CONNECTIONS: usize = 4;

/// The connections that read.
pub(super) struct Readers {
    place: Place,
    options: Options,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    free: Vec<Connection>,
    open: usize,
}

impl Readers {
    pub(super) fn new(place: Place, options: Options) -> Self {
        Self {
            place,
            options,
            pool: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Lends a connection to a question.
    pub(super) fn read<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.take()?;
        let answer = question(&connection);
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.free.push(connection);
        self.returned.notify_one();
        answer
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = pool.free.pop() {
                return Ok(connection);
            }
            if pool.open < CONNECTIONS {
                pool.open += 1;
                drop(pool);
                let opened = open::reader(&self.place, &self.options);
                if opened.is_err() {
                    let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
                    pool.open -= 1;
                    self.returned.notify_one();
                }
                return opened;
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// One value, where there is a row.
    fn value<T: rusqlite::types::FromSql>(
        &self,
        sql: &str,
        values: impl Params,
    ) -> Result<Option<T>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.query_row(values, |row| row.get(0)).optional())
                .map_err(|error| self.place.error(error))
        })
    }

    /// The identities that a question answers with.
    fn runs(&self, sql: &str, values: impl Params) -> Result<Vec<RunId>, StoreError> {
        self.read(|connection| {
            let wrong = |error| self.place.error(error);
            let mut statement = connection.prepare_cached(sql).map_err(wrong)?;
            let mut answer = statement.query(values).map_err(wrong)?;
            let mut runs = Vec::new();
            while let Some(row) = answer.next().map_err(wrong)? {
                let id = rows::identity(row, 0).ok_or_else(|| StoreError::Damaged {
                    path: self.place.text(),
                    problem: "a row has no identity of a run".to_owned(),
                })?;
                runs.push(id);
            }
            Ok(runs)
        })
    }

    pub(super) fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.read(|connection| {
            let found = connection
                .prepare_cached(&format!(
                    "SELECT {RUN_COLUMNS} FROM {RUN_TABLES} WHERE run.id = ?1"
                ))
                .and_then(|mut statement| {
                    statement
                        .query_row([id.0.as_bytes()], |row| Ok(rows::run(row)))
                        .optional()
                })
                .map_err(|error| self.place.error(error))?;
            match found {
                Some(Ok(run)) if run.id == id => Ok(Some(run)),
                Some(Ok(_)) => Err(StoreError::DamagedRun {
                    run: id,
                    step: None,
                    problem: "another run stands in its place".to_owned(),
                }),
                Some(Err(flaw)) => Err(flaw.into()),
                None => Ok(None),
            }
        })
    }

    pub(super) fn journal(&self, id: RunId, after: u64) -> Result<Vec<Entry>, StoreError> {
        let Ok(after) = i64::try_from(after) else {
            return Ok(Vec::new());
        };
        self.read(|connection| {
            // The records and what the run's row says of them must be of the same moment.
            let snapshot = connection
                .unchecked_transaction()
                .map_err(|error| self.place.error(error))?;
            journal(&snapshot, &self.place, id, after)
        })
    }

    pub(super) fn due(&self, now: Moment, limit: usize) -> Result<Vec<RunId>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.runs(
            "SELECT id FROM run INDEXED BY run_due WHERE due IS NOT NULL AND due <= ?1 \
             ORDER BY due, number LIMIT ?2",
            params![now.0, limit],
        )
    }

    pub(super) fn next_due(&self, now: Moment) -> Result<Option<Moment>, StoreError> {
        let next: Option<i64> = self.value(
            "SELECT due FROM run INDEXED BY run_due WHERE due IS NOT NULL AND due > ?1 \
             ORDER BY due LIMIT 1",
            [now.0],
        )?;
        Ok(next.map(Moment))
    }

    pub(super) fn open_children(&self, parent: RunId) -> Result<Vec<RunId>, StoreError> {
        self.runs(
            "SELECT id FROM run INDEXED BY run_parent WHERE parent = ?1 AND state <> 'ended'",
            [parent.0.as_bytes()],
        )
    }

    pub(super) fn holders(&self, slot: &str) -> Result<u32, StoreError> {
        let count: Option<u32> = self.value(
            "SELECT count(*) FROM run INDEXED BY run_slot \
             WHERE slot = ?1 AND state <> 'ended' AND state <> 'queued'",
            [slot],
        )?;
        Ok(count.unwrap_or_default())
    }

    pub(super) fn first_queued(&self, slot: &str) -> Result<Option<RunId>, StoreError> {
        let first = self.runs(
            "SELECT id FROM run INDEXED BY run_slot \
             WHERE slot = ?1 AND state <> 'ended' AND state = 'queued' ORDER BY number LIMIT 1",
            [slot],
        )?;
        Ok(first.first().copied())
    }

    pub(super) fn wishes(&self) -> Result<Vec<(i64, Wish)>, StoreError> {
        self.read(|connection| {
            let wrong = |error| self.place.error(error);
            let mut statement = connection
                .prepare_cached(
                    "SELECT number, run, content, crc FROM wish WHERE fate IS NULL ORDER BY number",
                )
                .map_err(wrong)?;
            let mut answer = statement.query([]).map_err(wrong)?;
            let mut wishes = Vec::new();
            while let Some(row) = answer.next().map_err(wrong)? {
                match rows::wish(row) {
                    Ok(wish) => wishes.push(wish),
                    // One that nobody can read must not keep the others from being heard; whoever left
                    // it is told by `fate`.
                    Err(flaw) => tracing::error!(run = %flaw.run, problem = flaw.problem, "a wish is damaged"),
                }
            }
            Ok(wishes)
        })
    }

    pub(super) fn blob(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes: Option<Vec<u8>> =
            self.value("SELECT bytes FROM blob WHERE digest = ?1", [digest])?;
        match bytes {
            Some(bytes) if !is_of(&bytes, digest) => Err(StoreError::Damaged {
                path: self.place.text(),
                problem: format!("the bytes kept under the digest {digest} have another"),
            }),
            other => Ok(other),
        }
    }

    pub(super) fn has_blob(&self, digest: &str) -> Result<bool, StoreError> {
        let there: Option<i64> = self.value("SELECT 1 FROM blob WHERE digest = ?1", [digest])?;
        Ok(there.is_some())
    }

    pub(super) fn latest(&self) -> Result<Option<Moment>, StoreError> {
        self.read(|connection| latest(connection, &self.place))
    }
}

/// Whether these bytes have this SHA-256.
pub(super) fn is_of(bytes: &[u8], digest: &str) -> bool {
    hex::encode(Sha256::digest(bytes)) == digest
}

/// The latest moment.
///
/// # Errors
/// Where it is damaged: a wrong one would move the clock of all runs.
pub(super) fn latest(connection: &Connection, place: &Place) -> Result<Option<Moment>, StoreError> {
    let row: Option<(i64, u32)> = connection
        .prepare_cached("SELECT moment, crc FROM latest")
        .and_then(|mut statement| {
            statement
                .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
        .map_err(|error| place.error(error))?;
    match row {
        Some((moment, crc)) if crc != latest_sum(Moment(moment)) => Err(StoreError::Damaged {
            path: place.text(),
            problem: "the latest moment is not what was written: its sum is wrong".to_owned(),
        }),
        other => Ok(other.map(|(moment, _)| Moment(moment))),
    }
}

/// The records of a run after a place; all of them are compared with what the run's row says of them.
///
/// # Errors
/// Where a record is damaged, or one is missing.
pub(super) fn journal(
    connection: &Connection,
    place: &Place,
    id: RunId,
    after: i64,
) -> Result<Vec<Entry>, StoreError> {
    let wrong = |error| place.error(error);
    let damaged = |problem: String| StoreError::DamagedRun {
        run: id,
        step: None,
        problem,
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT seq, content, crc FROM journal WHERE run = ?1 AND seq > ?2 ORDER BY seq",
        )
        .map_err(wrong)?;
    // Places begin at 0, and `after` 0 of a caller means all.
    let from = if after == 0 { -1 } else { after };
    let mut answer = statement
        .query(params![id.0.as_bytes(), from])
        .map_err(wrong)?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut sums = 0;
    while let Some(row) = answer.next().map_err(wrong)? {
        let (entry, crc) = rows::entry(id, row)?;
        if entries.last().is_some_and(|last| last.seq >= entry.seq) {
            return Err(damaged("its records are out of order".to_owned()));
        }
        sums ^= crc;
        entries.push(entry);
    }
    if after == 0 {
        let said: Option<(i64, i64)> = connection
            .prepare_cached("SELECT records, sums FROM run WHERE id = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([id.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()
            })
            .map_err(wrong)?;
        let found = i64::try_from(entries.len()).unwrap_or(i64::MAX);
        match said {
            Some((records, _)) if records != found => {
                return Err(damaged(format!(
                    "its journal has {found} records, and must have {records}"
                )));
            }
            Some((_, said)) if said != i64::from(sums) => {
                return Err(damaged(
                    "its records are not those that its row vouches for".to_owned(),
                ));
            }
            None if found > 0 => return Err(damaged("it has records but no row".to_owned())),
            _ => {}
        }
    }
    Ok(entries)
}
