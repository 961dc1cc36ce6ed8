//! The seam to what keeps runs, and what it promises.
//!
//! Changes are submitted in order and become durable in order: after a crash of the process or of the
//! machine, what is left is a prefix of what was submitted, never with a gap and never half of one
//! submission. How far the prefix reaches at least is said with each submission ([`Durability`]).

use cordon_contract::StepKey;

use crate::moment::Moment;
use crate::record::{Entry, Record};
use crate::run::{Outcome, Run, RunId, State, Status};
use crate::wish::Wish;

/// How often a store that another process holds is tried again; each try has its own patience.
const BUSY_TRIES: u32 = 12;

/// Keeps runs.
pub trait Store: Send + Sync {
    /// Takes changes, all or none. Does not wait; see [`Store::settle`].
    ///
    /// # Errors
    /// Where the store has failed, now or before: after a failure it takes nothing more.
    fn submit(&self, changes: Vec<Change>, durability: Durability) -> Result<Ticket, StoreError>;

    /// Waits until a submission with [`Durability::Now`] is on the disk.
    ///
    /// # Errors
    /// Where it is not, and nobody can know whether it will be there after a restart.
    fn settle(&self, ticket: Ticket) -> Result<(), StoreError>;

    /// [`Store::settle`], for as long as another process may reasonably hold the file: what was
    /// submitted still waits then, and is lost to nobody.
    ///
    /// # Errors
    /// As [`Store::settle`].
    fn settle_patiently(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.settle(ticket) {
                Err(StoreError::Busy { path }) if tries < BUSY_TRIES => {
                    tries += 1;
                    tracing::warn!(path, "another process holds the store; waiting for it");
                }
                settled => return settled,
            }
        }
    }

    /// [`Store::submit`] and [`Store::settle_patiently`].
    ///
    /// # Errors
    /// As theirs.
    fn commit(&self, changes: Vec<Change>, durability: Durability) -> Result<(), StoreError> {
        let ticket = self.submit(changes, durability)?;
        match durability {
            Durability::Now => self.settle_patiently(ticket),
            Durability::Soon | Durability::Later => Ok(()),
        }
    }

    /// A run. Reads see what is in the file: what was submitted as [`Durability::Later`] or
    /// [`Durability::Soon`] may be missing yet.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn run(&self, id: RunId) -> Result<Option<Run>, StoreError>;

    /// The records of a run after this place, in order.
    ///
    /// # Errors
    /// Where the store cannot be read, or a record is damaged.
    fn journal(&self, id: RunId, after: u64) -> Result<Vec<Entry>, StoreError>;

    /// The runs that are due at this moment, the longest due first, at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn due(&self, now: Moment, limit: usize) -> Result<Vec<RunId>, StoreError>;

    /// When the next run that is not due at this moment will be.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn next_due(&self, now: Moment) -> Result<Option<Moment>, StoreError>;

    /// The runs that fit, the latest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn find(&self, filter: &Filter) -> Result<Vec<Run>, StoreError>;

    /// The runs that this one started and that have not ended.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn open_children(&self, parent: RunId) -> Result<Vec<RunId>, StoreError>;

    /// How many runs have a place under this key: they have not ended and are not in the queue.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn holders(&self, slot: &str) -> Result<u32, StoreError>;

    /// The first of the queue under this key.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn first_queued(&self, slot: &str) -> Result<Option<RunId>, StoreError>;

    /// What was wished and not yet taken, in order, each with its number.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn wishes(&self) -> Result<Vec<(i64, Wish)>, StoreError>;

    /// Whether something was changed by another process since this was last asked. Cheap.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn changed_elsewhere(&self) -> Result<bool, StoreError>;

    /// Bytes by digest.
    ///
    /// # Errors
    /// Where the store cannot be read, or the bytes are not those of the digest.
    fn blob(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Whether there are bytes of this digest. Cheap.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn has_blob(&self, digest: &str) -> Result<bool, StoreError>;

    /// The latest moment that the store knows of: the clock of runs never goes back behind it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn latest(&self) -> Result<Option<Moment>, StoreError>;
}

/// How soon changes must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// With the next changes that are `Now`, and in the file within a tenth of a second.
    Later,
    /// In the file at once, so that the end of the process does not lose them, and on the disk with the
    /// next changes that are `Now`, or within a tenth of a second.
    Soon,
    /// On the disk, before [`Store::settle`] returns.
    Now,
}

/// What [`Store::settle`] waits for: the count of submissions up to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A run is new. One that is there already stays as it is.
    Create(Box<Run>),
    /// A record is added to a run's journal.
    Append {
        /// The run.
        run: RunId,
        /// The record's place.
        seq: u64,
        /// The record.
        record: Record,
    },
    /// Records that no replay needs, and that changed nothing outside, are dropped.
    Prune {
        /// The run.
        run: RunId,
        /// Their places.
        seqs: Vec<u64>,
    },
    /// A run stands elsewhere.
    Status {
        /// The run.
        run: RunId,
        /// Where.
        status: Box<Status>,
    },
    /// Only the moment changes at which a run is due, and not for one that has ended: another run, or
    /// a person, moved it. A later [`Change::Status`] overrides it.
    Wake {
        /// The run.
        run: RunId,
        /// When.
        due: Moment,
    },
    /// Bytes are kept; those that are there already stay.
    PutBlob {
        /// Their SHA-256 in lower-case hex.
        digest: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A run needs these bytes as long as it is there.
    Need {
        /// The run.
        run: RunId,
        /// Their digest.
        digest: String,
    },
    /// A wish is left.
    Wish(Wish),
    /// A wish was taken up, or refused with a reason for the person who left it.
    TakeWish {
        /// Its number.
        number: i64,
        /// Why it was refused.
        refused: Option<String>,
    },
    /// A run that has ended is forgotten, with its journal.
    Forget(RunId),
}

/// Which runs are looked for. What is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// In one of these states; empty for all.
    pub states: Vec<State>,
    /// With one of these outcomes; empty for all.
    pub outcomes: Vec<Outcome>,
    /// Of this playbook.
    pub playbook: Option<String>,
    /// That uses this connection.
    pub connection: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Started at this moment or later.
    pub since: Option<Moment>,
    /// Started before this moment.
    pub before: Option<Moment>,
    /// Ended before this moment.
    pub ended_before: Option<Moment>,
    /// Started by this run.
    pub parent: Option<RunId>,
    /// Whose identity begins so: what people type.
    pub id_prefix: Option<String>,
    /// At most so many; none for all.
    pub limit: Option<usize>,
}

/// Why a store cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A newer Cordon wrote it.
    #[error(
        "`{path}` was written by a newer Cordon: its format is {found}, this one knows up to {known}"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// It is another program's file, or none.
    #[error("`{path}` is no store of Cordon: {problem}")]
    NoStore {
        /// The file.
        path: String,
        /// What it is.
        problem: String,
    },
    /// The disk is full.
    #[error("the disk of `{path}` is full")]
    Full {
        /// The file.
        path: String,
    },
    /// The file, or its folder, may not be written.
    #[error("`{path}` cannot be written: {problem}")]
    ReadOnly {
        /// The file.
        path: String,
        /// Why not.
        problem: String,
    },
    /// Reading or writing failed.
    #[error("`{path}` cannot be read or written: {problem}")]
    Disk {
        /// The file.
        path: String,
        /// What the system said.
        problem: String,
    },
    /// The file is damaged as a whole.
    #[error("`{path}` is damaged: {problem}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What is kept of one run is damaged; the others are not touched.
    #[error("what is kept of run {run} is damaged: {problem}")]
    DamagedRun {
        /// The run.
        run: RunId,
        /// The step, where one is known.
        step: Option<StepKey>,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process holds the file for too long.
    #[error("`{path}` is held by another process")]
    Busy {
        /// The file.
        path: String,
    },
    /// It failed before, and takes nothing more until it is opened anew.
    #[error("the store failed before and must be opened anew: {cause}")]
    Failed {
        /// How.
        cause: String,
    },
}
