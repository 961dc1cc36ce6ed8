//! The background thread: it leads for those that nobody waits for, and brings the log into the file.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::commit::{Committer, LATER, Lead, State, lock};
use crate::store::StoreError;

/// From so many frames of the log on that are not in the file, the background brings them there.
const CHECKPOINT_FRAMES: i64 = 1_000;
/// From so many frames of the log on, commits wait for the last part of a checkpoint, so that the log
/// begins anew instead of growing for ever.
const RESTART_FRAMES: i64 = 8_000;

impl Committer {
    /// What the background thread does until it is told to end.
    pub(super) fn work(&self, connection: Connection) {
        let mut state = lock(&self.state);
        loop {
            if state.failed.is_some() || (state.closing && at_rest(&state)) {
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
            } else if let Some(restart) = checkpoint_due(&state) {
                state = self.bring_in(state, &connection, restart);
            } else {
                state = self.sleep(state, until);
            }
        }
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

    /// Brings the log into the file. The log begins anew with a commit that finds all of it there, which
    /// never happens while others go on writing. So the rest is done with commits held up, where the
    /// log is long or nobody writes just now.
    fn bring_in<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        connection: &Connection,
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
}

/// Whether everything is on the disk.
fn at_rest(state: &State) -> bool {
    !state.leading && state.queue.is_empty() && state.sync_by.is_none()
}

/// Whether there is enough in the log, and whether commits must wait for it to begin anew.
pub(super) fn checkpoint_due(state: &State) -> Option<bool> {
    let (frames, done) = state.log;
    let due = frames - done >= CHECKPOINT_FRAMES && frames >= state.held_up;
    due.then_some(frames >= RESTART_FRAMES)
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
