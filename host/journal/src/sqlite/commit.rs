//! Commits shared by many.
//!
//! Submissions wait in a queue. Who waits for one leads when nobody does: it writes the whole queue in
//! one transaction, puts the log on the disk once, and wakes the others. So one caller has its commit
//! without another thread, and sixty-four share one wait for the disk. The background thread leads for
//! those that nobody waits for, and takes the checkpoints off the others (`background.rs`).
//!
//! A commit of SQLite in its write-ahead log with `synchronous=NORMAL` waits for nothing. What waits is
//! one `fdatasync` of the log here, which covers every commit before it: the log's frames are chained
//! by sums, so what a power loss leaves of them is a prefix. (`synchronous=FULL` would do the same by
//! `fsync`, which also writes the file's times, and for a commit without changes does nothing, so that
//! earlier ones could not be made durable.)

use std::collections::VecDeque;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::background;
use super::error::Place;
use super::submission::Submission;
use super::writer;
use crate::store::{Durability, StoreError, Ticket};

/// How long a submission that nobody waits for may stay in memory, and a commit off the disk.
pub(super) const LATER: Duration = Duration::from_millis(100);
/// What was done so far; for benchmarks, and for tests that commits are shared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Transactions that were committed.
    pub transactions: u64,
    /// How often the log was put on the disk.
    pub syncs: u64,
    /// Checkpoints that the background made.
    pub checkpoints: u64,
}

/// The queue, and those who work on it.
pub(super) struct Committer {
    place: Place,
    pub(super) state: Mutex<State>,
    /// For those who wait for their submission.
    pub(super) progress: Condvar,
    /// For the background.
    pub(super) wake: Condvar,
    writer: Mutex<Connection>,
    pub(super) log: File,
    pub(super) counts: Counts,
    #[cfg(test)]
    pub(super) fail_sync: std::sync::atomic::AtomicBool,
}

#[derive(Default)]
pub(super) struct Counts {
    transactions: AtomicU64,
    syncs: AtomicU64,
    pub(super) checkpoints: AtomicU64,
}

/// Where the queue stands.
#[derive(Default)]
pub(super) struct State {
    pub(super) queue: VecDeque<Queued>,
    /// How many submissions there were, and how many of them are on the disk.
    pub(super) submitted: u64,
    pub(super) durable: u64,
    /// Somebody writes.
    pub(super) leading: bool,
    pub(super) failed: Option<String>,
    /// When the queue must be written although nobody waits.
    pub(super) write_by: Option<Instant>,
    /// When what was written must be on the disk although nobody waits.
    pub(super) sync_by: Option<Instant>,
    /// How many frames the log has, and how many of them are in the file too.
    pub(super) log: (i64, i64),
    /// After a checkpoint that a reader held up: the next is not tried before the log has so many frames.
    pub(super) held_up: i64,
    /// The background sleeps until it is woken.
    pub(super) idle: bool,
    pub(super) closing: bool,
}

pub(super) struct Queued {
    submission: Submission,
    durability: Durability,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells everybody when a leader is lost to a panic, who would otherwise be waited for.
pub(super) struct Lead<'a> {
    pub(super) committer: &'a Committer,
    pub(super) done: bool,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        if !self.done {
            let mut state = lock(&self.committer.state);
            state.leading = false;
            state.failed = Some("a thread that wrote ended by a defect".to_owned());
            self.committer.progress.notify_all();
        }
    }
}

impl Committer {
    pub(super) fn new(place: Place, writer: Connection, log: File) -> Self {
        Self {
            place,
            state: Mutex::default(),
            progress: Condvar::new(),
            wake: Condvar::new(),
            writer: Mutex::new(writer),
            log,
            counts: Counts::default(),
            #[cfg(test)]
            fail_sync: std::sync::atomic::AtomicBool::new(false),
        }
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            transactions: self.counts.transactions.load(Ordering::Relaxed),
            syncs: self.counts.syncs.load(Ordering::Relaxed),
            checkpoints: self.counts.checkpoints.load(Ordering::Relaxed),
        }
    }

    /// The connection that writes; while it is held, nobody else writes.
    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    pub(super) fn submit(
        &self,
        submission: Submission,
        durability: Durability,
    ) -> Result<Ticket, StoreError> {
        let mut state = lock(&self.state);
        check(&state)?;
        state.submitted += 1;
        let ticket = Ticket(state.submitted);
        state.queue.push_back(Queued {
            submission,
            durability,
        });
        let now = Instant::now();
        let by = match durability {
            Durability::Soon => now,
            // Who submits `Now` comes to wait for it.
            Durability::Later | Durability::Now => now + LATER,
        };
        let earlier = state.write_by.is_none_or(|before| by < before);
        if earlier {
            state.write_by = Some(by);
        }
        if state.idle || (earlier && durability == Durability::Soon) {
            self.wake.notify_one();
        }
        Ok(ticket)
    }

    pub(super) fn settle(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        loop {
            if state.durable >= ticket.0 {
                return Ok(());
            }
            check(&state)?;
            if ticket.0 > state.submitted {
                return Err(StoreError::Failed {
                    cause: "this is no submission to this store".to_owned(),
                });
            }
            if state.leading {
                state = self
                    .progress
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                let (after, result) = self.lead(state, true);
                result?;
                state = after;
            }
        }
    }

    /// Writes what is queued, and puts the log on the disk where somebody waits for that.
    pub(super) fn lead<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        sync: bool,
    ) -> (MutexGuard<'a, State>, Result<(), StoreError>) {
        let mut batch = std::mem::take(&mut state.queue);
        let write_by = state.write_by.take();
        let upto = state.submitted;
        let sync = sync
            || batch
                .iter()
                .any(|queued| queued.durability == Durability::Now);
        state.leading = true;
        drop(state);
        let mut lead = Lead {
            committer: self,
            done: false,
        };
        let written = self.write(&batch);
        let synced = match &written {
            Ok(_) if sync => self.sync(),
            _ => Ok(()),
        };
        lead.done = true;

        let mut state = lock(&self.state);
        state.leading = false;
        let result = match (written, synced) {
            (Ok(log), Ok(())) => {
                if let Some(log) = log {
                    if log.0 < state.log.0 {
                        state.held_up = 0;
                    }
                    state.log = log;
                }
                if sync {
                    state.durable = upto;
                    state.sync_by = None;
                } else {
                    state.sync_by.get_or_insert_with(|| Instant::now() + LATER);
                }
                Ok(())
            }
            (Err(error @ StoreError::Busy { .. }), _) => {
                // Nothing was written: it waits for its turn again.
                batch.append(&mut state.queue);
                state.queue = batch;
                state.write_by = state.write_by.min(write_by).or(write_by);
                Err(error)
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(%error, "the store failed");
                state.failed = Some(error.to_string());
                state.queue.clear();
                Err(error)
            }
        };
        self.progress.notify_all();
        let timed = state.write_by.is_some() || state.sync_by.is_some();
        let due = state.write_by.is_some_and(|by| by <= Instant::now());
        let ends = state.closing || state.failed.is_some();
        if due || ends || (timed && state.idle) || background::checkpoint_due(&state).is_some() {
            self.wake.notify_one();
        }
        (state, result)
    }

    /// One transaction; how many frames the log has then, and how many of them are in the file.
    fn write(&self, batch: &VecDeque<Queued>) -> Result<Option<(i64, i64)>, StoreError> {
        if batch.is_empty() {
            return Ok(None);
        }
        let mut connection = self.writer();
        let wrong = |error| self.place.error(error);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(wrong)?;
        let submissions = batch.iter().map(|queued| &queued.submission);
        let done = writer::write(&transaction, submissions).and_then(|()| transaction.commit());
        done.map_err(|error| match self.place.error(error) {
            // Once something was written, `busy` is no longer a matter of waiting.
            StoreError::Busy { path } => StoreError::Disk {
                path,
                problem: "it was locked in the middle of a transaction".to_owned(),
            },
            other => other,
        })?;
        self.counts.transactions.fetch_add(1, Ordering::Relaxed);
        Ok(background::checkpoint(&connection, "NOOP").ok())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.counts.syncs.fetch_add(1, Ordering::Relaxed);
        #[cfg(test)]
        if self.fail_sync.load(Ordering::Relaxed) {
            let error = std::io::Error::other("this is a test");
            return Err(self.place.system(&error));
        }
        self.log
            .sync_data()
            .map_err(|error| self.place.system(&error))
    }

    /// Lets the background write what is left, and end.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closing = true;
        self.wake.notify_one();
    }

    #[cfg(test)]
    pub(super) fn submitted(&self) -> u64 {
        lock(&self.state).submitted
    }

    /// Nothing is taken or written any more, as after the end of the process.
    #[cfg(test)]
    pub(super) fn abandon(&self, cause: &str) {
        let mut state = lock(&self.state);
        state.failed.get_or_insert_with(|| cause.to_owned());
        state.queue.clear();
        self.wake.notify_one();
        self.progress.notify_all();
    }

    /// The error after which nothing is taken any more.
    pub(super) fn failure(&self) -> Result<(), StoreError> {
        check(&lock(&self.state))
    }
}

fn check(state: &State) -> Result<(), StoreError> {
    match &state.failed {
        Some(cause) => Err(StoreError::Failed {
            cause: cause.clone(),
        }),
        None => Ok(()),
    }
}
