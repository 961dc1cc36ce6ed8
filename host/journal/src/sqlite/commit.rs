//! Commits shared by many.
//!
//! Submissions wait in a queue. Who waits for one leads when nobody does: it writes the whole queue in
//! one transaction, puts the log on the disk once, and wakes the others. So one caller has its commit
//! without another thread, and sixty-four share one wait for the disk. The background thread leads for
//! those that nobody waits for, and takes the checkpoints off the others.
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

use super::error::Place;
use super::writer::{self, Submission};
use crate::store::{Durability, StoreError, Ticket};

/// How long a submission that nobody waits for may stay in memory, and a commit off the disk.
const LATER: Duration = Duration::from_millis(100);
/// From so many frames of the log on that are not in the file, the background brings them there.
const CHECKPOINT_FRAMES: i64 = 1_000;
/// From so many frames of the log on, commits wait for the last part of a checkpoint, so that the log
/// begins anew instead of growing for ever.
const RESTART_FRAMES: i64 = 8_000;

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
    state: Mutex<State>,
    /// For those who wait for their submission.
    progress: Condvar,
    /// For the background.
    wake: Condvar,
    writer: Mutex<Connection>,
    log: File,
    counts: Counts,
    #[cfg(test)]
    pub(super) fail_sync: std::sync::atomic::AtomicBool,
}

#[derive(Default)]
struct Counts {
    transactions: AtomicU64,
    syncs: AtomicU64,
    checkpoints: AtomicU64,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Queued>,
    /// How many submissions there were, and how many of them are on the disk.
    submitted: u64,
    durable: u64,
    /// Somebody writes.
    leading: bool,
    failed: Option<String>,
    /// When the queue must be written although nobody waits.
    write_by: Option<Instant>,
    /// When what was written must be on the disk although nobody waits.
    sync_by: Option<Instant>,
    /// How many frames the log has, and how many of them are in the file too.
    log: (i64, i64),
    /// After a checkpoint that a reader held up: the next is not tried before the log has so many frames.
    held_up: i64,
    /// The background sleeps until it is woken.
    idle: bool,
    closing: bool,
}

struct Queued {
    submission: Submission,
    durability: Durability,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells everybody when a leader is lost to a panic, who would otherwise be waited for.
struct Lead<'a> {
    committer: &'a Committer,
    done: bool,
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
    fn lead<'a>(
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
        if due || ends || (timed && state.idle) || self.checkpoint_due(&state).is_some() {
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
        Ok(checkpoint(&connection, "NOOP").ok())
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

    /// What the background thread does until it is told to end.
    pub(super) fn background(&self, mut checkpointer: Option<Connection>) {
        let mut state = lock(&self.state);
        loop {
            if state.failed.is_some() || (state.closing && self.at_rest(&state)) {
                return;
            }
            let now = Instant::now();
            let until = [state.write_by, state.sync_by].into_iter().flatten().min();
            if state.leading {
                // The leader wakes this thread when it is late already.
                state = self.sleep(state, until.filter(|until| *until > now));
                continue;
            }
            let closing = state.closing;
            let due = |by: Option<Instant>| by.is_some_and(|by| by <= now || closing);
            if due(state.write_by) || due(state.sync_by) {
                let sync = due(state.sync_by);
                let (after, result) = self.lead(state, sync);
                state = after;
                if let Err(StoreError::Busy { .. }) = result {
                    // The one who holds the file has had its time already; the thread must not spin.
                    if state.closing {
                        return;
                    }
                    state.write_by = Some(Instant::now() + LATER);
                }
            } else if let Some(restart) = self.checkpoint_due(&state)
                && let Some(connection) = &mut checkpointer
            {
                state = self.checkpoint(state, connection, restart);
            } else {
                state = self.sleep(state, until);
            }
        }
    }

    fn at_rest(&self, state: &State) -> bool {
        !state.leading && state.queue.is_empty() && state.sync_by.is_none()
    }

    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        match until {
            None => {
                state.idle = true;
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                state.idle = false;
                state
            }
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                self.wake
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        }
    }

    /// Whether there is enough in the log, and whether commits must wait for it to begin anew.
    fn checkpoint_due(&self, state: &State) -> Option<bool> {
        let (frames, done) = state.log;
        let due = frames - done >= CHECKPOINT_FRAMES && frames >= state.held_up;
        due.then_some(frames >= RESTART_FRAMES)
    }

    /// Brings the log into the file. The log begins anew with a commit that finds all of it there, which
    /// never happens while others go on writing. So the rest is done with commits held up, where the
    /// log is long or nobody writes just now.
    fn checkpoint<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        connection: &mut Connection,
        restart: bool,
    ) -> MutexGuard<'a, State> {
        drop(state);
        let first = checkpoint(connection, "PASSIVE");
        self.counts.checkpoints.fetch_add(1, Ordering::Relaxed);
        let mut state = lock(&self.state);
        while restart && state.leading {
            state = self
                .progress
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.leading || state.failed.is_some() || !(restart || state.queue.is_empty()) {
            note(&mut state, first);
            return state;
        }
        state.leading = true;
        drop(state);
        let mut lead = Lead {
            committer: self,
            done: false,
        };
        let second = checkpoint(&self.writer(), "PASSIVE");
        lead.done = true;
        state = lock(&self.state);
        state.leading = false;
        note(&mut state, second);
        self.progress.notify_all();
        state
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

/// The log after a checkpoint. One that could not be made, because of a reader or for want of space, is
/// tried again when as much has been written once more.
fn note(state: &mut State, result: rusqlite::Result<(i64, i64)>) {
    match result {
        Ok(log) => state.log = log,
        Err(error) => tracing::warn!(%error, "the log could not be brought into the file"),
    }
    let (frames, done) = state.log;
    state.held_up = if frames - done < CHECKPOINT_FRAMES {
        0
    } else {
        frames + CHECKPOINT_FRAMES
    };
}

/// How many frames the log has after a checkpoint of this kind, and how many of them are in the file.
pub(super) fn checkpoint(connection: &Connection, kind: &str) -> rusqlite::Result<(i64, i64)> {
    connection
        .prepare_cached(&format!("PRAGMA wal_checkpoint({kind})"))?
        .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}
