//! The store that a single SQLite file is.
//!
//! `README.md` of this crate is the page on the format and on what is left after a crash. In short: one
//! connection writes, through the queue of `commit`, by which commits share their waits for the
//! disk; a few connections read; other processes do the same beside this one.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::moment::Moment;
use crate::record::Entry;
use crate::run::{Run, RunId};
use crate::store::{Change, Durability, Filter, Store, StoreError, Ticket};
use crate::wish::Wish;

mod background;
mod check;
mod commit;
mod compact;
mod copy;
mod error;
mod find;
mod inbox;
mod open;
mod reader;
mod rows;
mod schema;
mod submission;
mod writer;

#[cfg(test)]
mod tests;

pub use check::{Problem, Report, check};
pub use commit::Figures;
pub use compact::{Compacted, Retention};
pub use copy::Exported;
pub use inbox::Fate;
pub use open::create_folder;
pub use schema::FORMAT;

use commit::Committer;
use error::Place;
use reader::Readers;
use submission::Submission;

/// The name of the file.
pub const STORE_FILE: &str = "cordon.db";

/// The folder of the store in an automation directory.
#[must_use]
pub fn data_folder(root: &Path) -> PathBuf {
    root.join("data")
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To execute runs. The file is made where there is none, and what an earlier process left in the
    /// log is brought into it first.
    Execute,
    /// To leave wishes, or to maintain the file, beside the process that executes. The file is made
    /// where there is none.
    Beside,
    /// Only to look. Nothing is made or changed.
    Look,
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// What for.
    pub access: Access,
    /// How long another process that writes is waited for.
    pub busy: Duration,
    /// The file grows to so many pages of 4 KiB at most.
    pub pages_max: Option<u32>,
}

impl Options {
    /// For this, with five seconds of patience and no limit.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self {
            access,
            busy: Duration::from_secs(5),
            pages_max: None,
        }
    }
}

/// The store that a single SQLite file is.
///
/// Dropping it writes what was submitted; after a failure, nothing.
pub struct SqliteStore {
    place: Place,
    access: Access,
    // Readers go before the writer: the last connection of all closes the log.
    readers: Readers,
    writer: Option<Arc<Committer>>,
    background: Option<JoinHandle<()>>,
    version: Mutex<i64>,
}

impl SqliteStore {
    /// Opens the file of this path, and makes it and its folder where they are not there.
    ///
    /// # Errors
    /// Where the file is not a store, is newer, is damaged as a whole, or cannot be read or, unless it is
    /// only looked at, written.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let place = Place(path.to_owned());
        let mut store = Self {
            readers: Readers::new(place.clone(), options.clone()),
            access: options.access,
            writer: None,
            background: None,
            version: Mutex::new(0),
            place,
        };
        if options.access == Access::Look {
            store.readers.read(|_| Ok(()))?;
        } else {
            store.open_writer(&options)?;
        }
        Ok(store)
    }

    /// Opens a file that is there only to look at it.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn open_to_look(path: &Path) -> Result<Self, StoreError> {
        Self::open(path, Options::new(Access::Look))
    }

    fn open_writer(&mut self, options: &Options) -> Result<(), StoreError> {
        let wrong = |error| self.place.error(error);
        let connection = open::writer(&self.place, options)?;
        let version = version(&connection).map_err(wrong)?;
        *self
            .version
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner) = version;
        let log = OpenOptions::new()
            .write(true)
            .open(self.place.log())
            .map_err(|error| self.place.system(&error))?;
        open::sync_folder(self.place.folder())?;
        let second = open::writer(&self.place, options)?;
        if options.access == Access::Execute {
            // What stands in the log may have failed to reach the disk although it can be read, after
            // an `fdatasync` that failed. Were new frames to follow it, a power loss would take them
            // with it. In the file, and on the disk, it is out of the way.
            background::checkpoint(&connection, "PASSIVE").map_err(wrong)?;
        }
        let committer = Arc::new(Committer::new(self.place.clone(), connection, log));
        let background = Arc::clone(&committer);
        let thread = thread::Builder::new()
            .name("cordon-journal".to_owned())
            .spawn(move || background.work(second))
            .map_err(|error| self.place.system(&error))?;
        self.writer = Some(committer);
        self.background = Some(thread);
        Ok(())
    }

    /// What was written so far by this store.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.writer
            .as_ref()
            .map_or_else(Figures::default, |writer| writer.figures())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// What it was opened for.
    #[must_use]
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Writes what was submitted, puts it on the disk and closes the file.
    ///
    /// # Errors
    /// Where the store has failed before, or fails now.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.finish();
        match &self.writer {
            Some(writer) => writer.failure(),
            None => Ok(()),
        }
    }

    /// [`Store::find`] that goes on past runs that are damaged, which it returns apart.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn find_readable(
        &self,
        filter: &Filter,
    ) -> Result<(Vec<Run>, Vec<StoreError>), StoreError> {
        let (mut runs, mut damaged) = (Vec::new(), Vec::new());
        self.readers.read(|connection| {
            find::find(connection, &self.place, filter, |run| {
                match run {
                    Ok(run) => runs.push(run),
                    Err(flaw) => damaged.push(flaw.into()),
                }
                true
            })
        })?;
        Ok((runs, damaged))
    }

    fn finish(&mut self) {
        if let (Some(writer), Some(background)) = (&self.writer, self.background.take()) {
            writer.close();
            // A thread that panicked has marked the store as failed.
            let _ = background.join();
        }
    }

    fn place(&self) -> &Place {
        &self.place
    }

    const fn readers(&self) -> &Readers {
        &self.readers
    }

    fn committer(&self) -> Result<&Committer, StoreError> {
        self.writer.as_deref().ok_or_else(|| StoreError::ReadOnly {
            path: self.place.text(),
            problem: "it was opened only to look at it".to_owned(),
        })
    }

    fn commit_prepared(
        &self,
        submission: Submission,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let committer = self.committer()?;
        let ticket = committer.submit(submission, durability)?;
        committer.settle(ticket)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Grows when another connection commits, never by what this one does.
fn version(connection: &rusqlite::Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

impl Store for SqliteStore {
    fn submit(&self, changes: Vec<Change>, durability: Durability) -> Result<Ticket, StoreError> {
        self.committer()?
            .submit(Submission::of(changes)?, durability)
    }

    fn settle(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.committer()?.settle(ticket)
    }

    fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.readers.run(id)
    }

    fn journal(&self, id: RunId, after: u64) -> Result<Vec<Entry>, StoreError> {
        self.readers.journal(id, after)
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.readers.due(now, limit)
    }

    fn next_due(&self, now: Moment) -> Result<Option<Moment>, StoreError> {
        self.readers.next_due(now)
    }

    fn find(&self, filter: &Filter) -> Result<Vec<Run>, StoreError> {
        let (mut runs, mut damaged) = (Vec::new(), None);
        self.readers.read(|connection| {
            find::find(connection, &self.place, filter, |run| match run {
                Ok(run) => {
                    runs.push(run);
                    true
                }
                Err(flaw) => {
                    damaged = Some(flaw);
                    false
                }
            })
        })?;
        match damaged {
            Some(flaw) => Err(flaw.into()),
            None => Ok(runs),
        }
    }

    fn open_children(&self, parent: RunId) -> Result<Vec<RunId>, StoreError> {
        self.readers.open_children(parent)
    }

    fn holders(&self, slot: &str) -> Result<u32, StoreError> {
        self.readers.holders(slot)
    }

    fn first_queued(&self, slot: &str) -> Result<Option<RunId>, StoreError> {
        self.readers.first_queued(slot)
    }

    fn wishes(&self) -> Result<Vec<(i64, Wish)>, StoreError> {
        self.readers.wishes()
    }

    /// By the connection that writes, for which this process's own changes do not count. One that only
    /// looks has none, and says that everything may have changed.
    fn changed_elsewhere(&self) -> Result<bool, StoreError> {
        let Some(writer) = &self.writer else {
            return Ok(true);
        };
        let now = version(&writer.writer()).map_err(|error| self.place.error(error))?;
        let mut known = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::replace(&mut *known, now) != now)
    }

    fn blob(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers.blob(digest)
    }

    fn has_blob(&self, digest: &str) -> Result<bool, StoreError> {
        self.readers.has_blob(digest)
    }

    fn latest(&self) -> Result<Option<Moment>, StoreError> {
        self.readers.latest()
    }
}
