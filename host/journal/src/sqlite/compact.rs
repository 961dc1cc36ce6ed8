//! Making a file smaller: what is too old is forgotten, what nobody needs is dropped, and free pages are
//! given back. In small transactions, so that whoever executes beside it hardly waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rusqlite::params;
use rusqlite::types::ValueRef;
use serde::Serialize;

use super::SqliteStore;
use super::background;
use super::rows;
use super::submission::{self, Submission, Write};
use crate::moment::Moment;
use crate::run::{Outcome, RunId};
use crate::store::{Durability, StoreError};

/// Runs that are forgotten in one transaction.
const RUNS_AT_A_TIME: usize = 200;
/// Pages that are given back in one transaction.
const PAGES_AT_A_TIME: i64 = 2_000;
/// Bytes are put before the run that needs them: younger ones stay.
const BLOBS_KEPT: Duration = Duration::from_hours(1);

/// How long a run is kept after its end, by how it ended. One that is not named is kept for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long; none for ever.
    pub keep: BTreeMap<Outcome, Option<Duration>>,
}

impl Retention {
    /// The same for every outcome.
    #[must_use]
    pub fn all(keep: Duration) -> Self {
        Self {
            keep: Outcome::ALL.map(|outcome| (outcome, Some(keep))).into(),
        }
    }
}

/// What was made smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// How many runs were forgotten.
    pub runs: u64,
    /// How many blobs were dropped.
    pub blobs: u64,
    /// How many bytes the file had, with its log.
    pub bytes_before: u64,
    /// How many bytes it has. While another process reads or writes, the last part is given back later.
    pub bytes_after: u64,
}

impl SqliteStore {
    /// Forgets what is older than it must be kept at this moment, and gives the room back. A run stays as
    /// long as the one that started it has not ended.
    ///
    /// # Errors
    /// Where the store cannot be written. What was forgotten until then is.
    pub fn compact(&self, retention: &Retention, now: Moment) -> Result<Compacted, StoreError> {
        let bytes_before = self.bytes();
        let mut runs = 0;
        for (outcome, keep) in &retention.keep {
            if let Some(keep) = keep {
                let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
                runs += self.forget_before(*outcome, Moment(now.0.saturating_sub(keep)))?;
            }
        }
        let blobs = self.number("SELECT count(*) FROM blob")?;
        let kept = i64::try_from(BLOBS_KEPT.as_millis()).unwrap_or(i64::MAX);
        self.write_one(Write::DropUnneeded {
            before: submission::wall().saturating_sub(kept),
        })?;
        let blobs = blobs - self.number("SELECT count(*) FROM blob")?;
        self.give_back()?;
        let committer = self.committer()?;
        // Only with this is the file shorter. Where another process is in the way, it does it later.
        if let Err(error) = background::checkpoint(&committer.writer(), "PASSIVE") {
            tracing::warn!(%error, "the log could not be brought into the file");
        }
        Ok(Compacted {
            runs,
            blobs: u64::try_from(blobs).unwrap_or_default(),
            bytes_before,
            bytes_after: self.bytes(),
        })
    }

    /// The files that anything here speaks of: every `sha256:` with 64 hexadecimal digits after it,
    /// as a reference to a blob outside of the store has it. What only looks like one counts too.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn references(&self) -> Result<BTreeSet<String>, StoreError> {
        let wrong = |error| self.place().error(error);
        self.readers().read(|connection| {
            let mut found = BTreeSet::new();
            for query in [
                "SELECT content FROM journal WHERE instr(content, 'sha256:') > 0",
                "SELECT content FROM orders WHERE instr(content, 'sha256:') > 0",
                "SELECT bytes FROM blob WHERE instr(bytes, CAST('sha256:' AS BLOB)) > 0",
            ] {
                let mut statement = connection.prepare(query).map_err(wrong)?;
                let mut rows = statement.query([]).map_err(wrong)?;
                while let Some(row) = rows.next().map_err(wrong)? {
                    let bytes = row.get_ref(0).map_err(wrong)?;
                    let bytes = match bytes {
                        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
                        _ => continue,
                    };
                    collect_references(bytes, &mut found);
                }
            }
            Ok(found)
        })
    }

    fn forget_before(&self, outcome: Outcome, before: Moment) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        let mut last: Option<RunId> = None;
        loop {
            let old = self.old(outcome, before)?;
            // One that does not go away must not be tried for ever.
            if old.is_empty() || old.first().copied() == last {
                return Ok(forgotten);
            }
            last = old.first().copied();
            forgotten += old.len() as u64;
            let submission = Submission {
                writes: old.into_iter().map(Write::Forget).collect(),
                latest: None,
            };
            self.commit_prepared(submission, Durability::Now)?;
        }
    }

    fn old(&self, outcome: Outcome, before: Moment) -> Result<Vec<RunId>, StoreError> {
        let wrong = |error| self.place().error(error);
        self.readers().read(|connection| {
            let mut statement = connection
                .prepare_cached(
                    "SELECT id FROM run WHERE ended < ?1 AND outcome = ?2 AND state = 'ended' \
                     AND NOT EXISTS (SELECT 1 FROM run AS above \
                         WHERE above.id = run.parent AND above.state <> 'ended') \
                     ORDER BY ended, number LIMIT ?3",
                )
                .map_err(wrong)?;
            let limit = i64::try_from(RUNS_AT_A_TIME).unwrap_or(i64::MAX);
            let mut answer = statement
                .query(params![before.0, outcome.name(), limit])
                .map_err(wrong)?;
            let mut old = Vec::new();
            while let Some(row) = answer.next().map_err(wrong)? {
                old.extend(rows::identity(row, 0));
            }
            Ok(old)
        })
    }

    fn give_back(&self) -> Result<(), StoreError> {
        let mut left = self.number("PRAGMA freelist_count")?;
        while left > 0 {
            self.write_one(Write::GiveBack {
                pages: PAGES_AT_A_TIME,
            })?;
            let now = self.number("PRAGMA freelist_count")?;
            if now >= left {
                break;
            }
            left = now;
        }
        Ok(())
    }

    fn write_one(&self, write: Write) -> Result<(), StoreError> {
        let submission = Submission {
            writes: vec![write],
            latest: None,
        };
        self.commit_prepared(submission, Durability::Now)
    }

    fn number(&self, sql: &str) -> Result<i64, StoreError> {
        self.readers().read(|connection| {
            connection
                .query_row(sql, [], |row| row.get(0))
                .map_err(|error| self.place().error(error))
        })
    }
}

fn collect_references(bytes: &[u8], found: &mut BTreeSet<String>) {
    const MARK: &[u8] = b"sha256:";
    const DIGITS: usize = 64;

    for (at, window) in bytes.windows(MARK.len() + DIGITS).enumerate() {
        if window.starts_with(MARK)
            && window[MARK.len()..]
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            let end = at + window.len();
            found.insert(String::from_utf8_lossy(&bytes[at..end]).into_owned());
        }
    }
}
