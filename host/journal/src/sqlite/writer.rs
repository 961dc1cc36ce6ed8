//! Submissions as statements. Within a transaction the row of a run is written once, however many
//! records and statuses it got.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Result, params};

use super::rows::{self, Kind, Sealed};
use super::submission::{StatusRow, Submission, Write, wall};
use crate::moment::Moment;
use crate::run::{Order, RunId};

/// How long is remembered what became of a wish.
const FATES_KEPT: Duration = Duration::from_hours(24);

/// Writes submissions in order, within the transaction that is open.
pub(super) fn write<'a>(
    connection: &Connection,
    submissions: impl Iterator<Item = &'a Submission>,
) -> Result<()> {
    let mut writer = Writer {
        connection,
        pending: HashMap::new(),
    };
    let mut latest = None;
    for submission in submissions {
        latest = latest.max(submission.latest);
        for write in &submission.writes {
            writer.apply(write)?;
        }
    }
    for (run, pending) in std::mem::take(&mut writer.pending) {
        writer.update(run, &pending)?;
    }
    match latest {
        Some(moment) => writer.saw(moment),
        None => Ok(()),
    }
}

/// What a run's row gets at the end of the transaction.
#[derive(Default)]
struct Pending<'a> {
    status: Option<&'a StatusRow>,
    records: i64,
    sums: u32,
}

struct Writer<'c, 'a> {
    connection: &'c Connection,
    pending: HashMap<RunId, Pending<'a>>,
}

impl<'c, 'a> Writer<'c, 'a> {
    fn sql(&self, sql: &str) -> Result<CachedStatement<'c>> {
        self.connection.prepare_cached(sql)
    }

    fn apply(&mut self, write: &'a Write) -> Result<()> {
        match write {
            Write::Create {
                run,
                order,
                content,
                status,
            } => self.create(*run, order, content, status),
            Write::Append { run, seq, record } => {
                self.sql("INSERT INTO journal (run, seq, content, crc) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![run.0.as_bytes(), seq, record.content, record.crc])?;
                let pending = self.pending.entry(*run).or_default();
                pending.records += 1;
                pending.sums ^= record.crc;
                Ok(())
            }
            Write::Prune { run, seqs } => self.prune(*run, seqs),
            Write::Status { run, status } => {
                self.pending.entry(*run).or_default().status = Some(status);
                Ok(())
            }
            Write::Wake { run, due } => self.wake(*run, *due),
            Write::PutBlob { digest, bytes } => self
                .sql("INSERT INTO blob (digest, since, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                .execute(params![digest, wall(), bytes])
                .map(drop),
            Write::Need { run, digest } => self
                .sql("INSERT INTO need (run, digest) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![run.0.as_bytes(), digest])
                .map(drop),
            Write::Wish {
                run,
                content,
                number,
            } => {
                let given = self
                    .sql("INSERT INTO wish (run, content, crc) VALUES (?1, ?2, ?3)")?
                    .insert(params![run.0.as_bytes(), content.content, content.crc])?;
                if let Some(number) = number {
                    number.store(given, Ordering::Release);
                }
                Ok(())
            }
            Write::TakeWish { number, refused } => self.take_wish(*number, refused.as_deref()),
            Write::Forget(run) => self.forget(*run),
            Write::DropUnneeded { before } => self.drop_unneeded(*before),
            Write::GiveBack { pages } => {
                // Each row is a page.
                let mut statement = self.sql(&format!("PRAGMA incremental_vacuum({pages})"))?;
                let mut given = statement.query([])?;
                while given.next()?.is_some() {}
                Ok(())
            }
        }
    }

    fn create(
        &mut self,
        run: RunId,
        order: &Order,
        content: &Sealed,
        status: &StatusRow,
    ) -> Result<()> {
        let parent = order
            .parent
            .as_ref()
            .map(|(parent, _)| *parent.0.as_bytes());
        let inserted = self
            .sql(
                "INSERT INTO run (id, playbook, created, parent, slot, state, due, ended, outcome, \
                 status, crc) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                 ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                run.0.as_bytes(),
                order.playbook,
                order.created.0,
                parent,
                order.slot.as_ref().map(|slot| &slot.key),
                status.state.name(),
                status.due,
                status.ended,
                status.outcome,
                status.content.content,
                status.content.crc,
            ])?;
        if inserted == 1 {
            self.sql("INSERT INTO orders (run, content, crc) VALUES (?1, ?2, ?3)")?
                .execute(params![
                    self.connection.last_insert_rowid(),
                    content.content,
                    content.crc
                ])?;
        }
        Ok(())
    }

    fn prune(&mut self, run: RunId, seqs: &[i64]) -> Result<()> {
        let mut delete =
            self.sql("DELETE FROM journal WHERE run = ?1 AND seq = ?2 RETURNING crc")?;
        for seq in seqs {
            let crc = delete
                .query_row(params![run.0.as_bytes(), seq], |row| row.get::<_, u32>(0))
                .optional()?;
            if let Some(crc) = crc {
                let pending = self.pending.entry(run).or_default();
                pending.records -= 1;
                pending.sums ^= crc;
            }
        }
        Ok(())
    }

    /// Writes what a run's row got so far.
    fn flush(&mut self, run: RunId) -> Result<()> {
        match self.pending.remove(&run) {
            Some(pending) => self.update(run, &pending),
            None => Ok(()),
        }
    }

    /// Updates the columns that change, and no index that does not.
    fn update(&self, run: RunId, pending: &Pending<'_>) -> Result<()> {
        let id = run.0.as_bytes();
        let sums = i64::from(pending.sums);
        let Some(status) = pending.status else {
            self.sql(
                "UPDATE run SET records = records + ?2, sums = (sums | ?3) - (sums & ?3) \
                 WHERE id = ?1",
            )?
            .execute(params![id, pending.records, sums])?;
            return Ok(());
        };
        let there = self
            .sql("SELECT number, state = ?2, due IS ?3 FROM run WHERE id = ?1")?
            .query_row(params![id, status.state.name(), status.due], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, bool>(1)?,
                    row.get::<_, bool>(2)?,
                ))
            })
            .optional()?;
        let Some((number, same_state, same_due)) = there else {
            return Ok(());
        };
        let content = &status.content.content;
        let crc = status.content.crc;
        let records = pending.records;
        if same_state && same_due && status.ended.is_none() {
            self.sql(
                "UPDATE run SET status = ?2, crc = ?3, records = records + ?4, \
                 sums = (sums | ?5) - (sums & ?5) WHERE number = ?1",
            )?
            .execute(params![number, content, crc, records, sums])?;
        } else if same_state && status.ended.is_none() {
            self.sql(
                "UPDATE run SET status = ?2, crc = ?3, records = records + ?4, \
                 sums = (sums | ?5) - (sums & ?5), due = ?6 WHERE number = ?1",
            )?
            .execute(params![number, content, crc, records, sums, status.due])?;
        } else {
            self.sql(
                "UPDATE run SET status = ?2, crc = ?3, records = records + ?4, \
                 sums = (sums | ?5) - (sums & ?5), due = ?6, state = ?7, ended = ?8, outcome = ?9 \
                 WHERE number = ?1",
            )?
            .execute(params![
                number,
                content,
                crc,
                records,
                sums,
                status.due,
                status.state.name(),
                status.ended,
                status.outcome
            ])?;
        }
        Ok(())
    }

    fn wake(&mut self, run: RunId, due: Moment) -> Result<()> {
        self.flush(run)?;
        let status = self
            .sql("SELECT id, status, crc FROM run WHERE id = ?1 AND state <> 'ended'")?
            .query_row([run.0.as_bytes()], |row| Ok(rows::status(row)))
            .optional()?;
        let mut status = match status {
            Some(Ok(status)) => status,
            // Whoever executes the run will see that it is damaged.
            Some(Err(_)) | None => return Ok(()),
        };
        status.due = Some(due);
        // What was JSON is JSON with another moment.
        let Ok(content) = Sealed::new(Kind::Status, run, 0, &status) else {
            return Ok(());
        };
        self.sql("UPDATE run SET status = ?2, crc = ?3, due = ?4 WHERE id = ?1")?
            .execute(params![
                run.0.as_bytes(),
                content.content,
                content.crc,
                due.0
            ])?;
        Ok(())
    }

    fn take_wish(&self, number: i64, refused: Option<&str>) -> Result<()> {
        let now = wall();
        let fate = refused.map_or("taken", |_| "refused");
        self.sql("UPDATE wish SET fate = ?2, why = ?3, settled = ?4 WHERE number = ?1")?
            .execute(params![number, fate, refused, now])?;
        let kept = i64::try_from(FATES_KEPT.as_millis()).unwrap_or(i64::MAX);
        self.sql("DELETE FROM wish WHERE settled IS NOT NULL AND settled < ?1")?
            .execute([now.saturating_sub(kept)])?;
        Ok(())
    }

    fn forget(&mut self, run: RunId) -> Result<()> {
        self.flush(run)?;
        let id = run.0.as_bytes();
        let number = self
            .sql("SELECT number FROM run WHERE id = ?1 AND state = 'ended'")?
            .query_row([id], |row| row.get::<_, i64>(0))
            .optional()?;
        let Some(number) = number else {
            return Ok(());
        };
        self.sql("DELETE FROM journal WHERE run = ?1")?
            .execute([id])?;
        self.sql("DELETE FROM need WHERE run = ?1")?.execute([id])?;
        self.sql("DELETE FROM wish WHERE run = ?1")?.execute([id])?;
        self.sql("DELETE FROM orders WHERE run = ?1")?
            .execute([number])?;
        self.sql("DELETE FROM run WHERE number = ?1")?
            .execute([number])?;
        Ok(())
    }

    fn drop_unneeded(&self, before: i64) -> Result<()> {
        self.sql("DELETE FROM need WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.id = need.run)")?
            .execute([])?;
        self.sql(
            "DELETE FROM blob WHERE since < ?1 \
             AND NOT EXISTS (SELECT 1 FROM need WHERE need.digest = blob.digest)",
        )?
        .execute([before])?;
        Ok(())
    }

    /// The latest moment never goes back, also where two processes write.
    fn saw(&self, moment: Moment) -> Result<()> {
        self.sql(
            "INSERT INTO latest (number, moment, crc) VALUES (1, ?1, ?2) ON CONFLICT (number) \
             DO UPDATE SET moment = excluded.moment, crc = excluded.crc \
             WHERE moment < excluded.moment",
        )?
        .execute(params![moment.0, latest_sum(moment)])?;
        Ok(())
    }
}

/// The sum of the row of the latest moment.
pub(super) fn latest_sum(moment: Moment) -> u32 {
    rows::sum(Kind::Latest, RunId::default(), moment.0, &[])
}
