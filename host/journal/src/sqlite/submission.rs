//! Changes made ready for the queue. All that costs is done here, where a change is submitted: JSON and
//! sums.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{SystemTime, UNIX_EPOCH};

use super::rows::{self, Kind, Sealed};
use crate::moment::Moment;
use crate::run::{Order, Run, RunId, State, Status};
use crate::store::{Change, StoreError};

/// One change, ready to be written.
#[derive(Debug)]
pub(super) enum Write {
    Create {
        run: RunId,
        order: Box<Order>,
        content: Sealed,
        status: StatusRow,
    },
    Append {
        run: RunId,
        seq: i64,
        record: Sealed,
    },
    Prune {
        run: RunId,
        seqs: Vec<i64>,
    },
    Status {
        run: RunId,
        status: StatusRow,
    },
    Wake {
        run: RunId,
        due: Moment,
    },
    PutBlob {
        digest: String,
        bytes: Vec<u8>,
    },
    Need {
        run: RunId,
        digest: String,
    },
    Wish {
        run: RunId,
        content: Sealed,
        /// Gets the wish's number.
        number: Option<Arc<AtomicI64>>,
    },
    TakeWish {
        number: i64,
        refused: Option<String>,
    },
    Forget(RunId),
    /// Blobs that nobody needs, put before this moment of the wall clock, and needs of no run.
    DropUnneeded {
        before: i64,
    },
    /// So many free pages are given back to the system.
    GiveBack {
        pages: i64,
    },
}

/// The columns of a status.
#[derive(Debug)]
pub(super) struct StatusRow {
    pub(super) state: State,
    pub(super) due: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) outcome: Option<&'static str>,
    pub(super) content: Sealed,
}

impl StatusRow {
    fn new(run: RunId, status: &Status) -> Result<Self, StoreError> {
        Ok(Self {
            state: status.state,
            due: status.due.map(|due| due.0),
            ended: status.end.as_ref().map(|end| end.at.0),
            outcome: status.end.as_ref().map(|end| end.outcome.name()),
            content: Sealed::new(Kind::Status, run, 0, status)?,
        })
    }
}

/// A submission, ready to be written.
#[derive(Debug, Default)]
pub(super) struct Submission {
    pub(super) writes: Vec<Write>,
    /// The latest moment that it speaks of.
    pub(super) latest: Option<Moment>,
}

impl Submission {
    /// # Errors
    /// Where a change cannot be written by any file.
    pub(super) fn of(changes: Vec<Change>) -> Result<Self, StoreError> {
        let mut submission = Self::default();
        for change in changes {
            submission.add(change)?;
        }
        Ok(submission)
    }

    fn saw(&mut self, moment: Moment) {
        self.latest = self.latest.max(Some(moment));
    }

    fn add(&mut self, change: Change) -> Result<(), StoreError> {
        let write = match change {
            Change::Create(run) => {
                let Run { id, order, status } = *run;
                self.saw(order.created.max(rows::latest_of_status(&status)));
                Write::Create {
                    run: id,
                    content: Sealed::new(Kind::Order, id, 0, &order)?,
                    order: Box::new(order),
                    status: StatusRow::new(id, &status)?,
                }
            }
            Change::Append { run, seq, record } => {
                self.saw(record.at);
                let seq = place(run, seq)?;
                Write::Append {
                    run,
                    seq,
                    record: Sealed::new(Kind::Record, run, seq, &record)?,
                }
            }
            Change::Prune { run, seqs } => Write::Prune {
                run,
                seqs: seqs
                    .into_iter()
                    .map(|seq| place(run, seq))
                    .collect::<Result<_, _>>()?,
            },
            Change::Status { run, status } => {
                self.saw(rows::latest_of_status(&status));
                Write::Status {
                    run,
                    status: StatusRow::new(run, &status)?,
                }
            }
            Change::Wake { run, due } => Write::Wake { run, due },
            Change::PutBlob { digest, bytes } => Write::PutBlob { digest, bytes },
            Change::Need { run, digest } => Write::Need { run, digest },
            Change::Wish(wish) => {
                self.saw(wish.at);
                Write::Wish {
                    run: wish.run,
                    content: Sealed::new(Kind::Wish, wish.run, 0, &wish)?,
                    number: None,
                }
            }
            Change::TakeWish { number, refused } => Write::TakeWish { number, refused },
            Change::Forget(run) => Write::Forget(run),
        };
        self.writes.push(write);
        Ok(())
    }
}

/// A record's place as the file has it.
fn place(run: RunId, seq: u64) -> Result<i64, StoreError> {
    i64::try_from(seq).map_err(|_| StoreError::Failed {
        cause: format!("run {run} has no place {seq} for a record"),
    })
}

/// Milliseconds since 1970 by the wall clock: for what is not of runs.
pub(super) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
