//! The store as one process has it, until it dies.

use std::sync::{Arc, MutexGuard};

use cordon_journal::store::Filter;
use cordon_journal::{
    Change, Durability, Entry, Moment, Run, RunId, Store, StoreError, Ticket, Wish,
};

use super::{Disk, Image, Lines, Write, entries};
use crate::plan::Fate;

/// The store of one process.
pub struct SimStore {
    pub(super) disk: Arc<Disk>,
    pub(super) process: u64,
}

impl SimStore {
    fn lines(&self) -> Result<MutexGuard<'_, Lines>, StoreError> {
        let lines = self.disk.lock();
        if lines.dead || lines.full || lines.process != self.process {
            return Err(StoreError::Failed {
                cause: "the simulation".to_owned(),
            });
        }
        Ok(lines)
    }

    fn read<T>(&self, look: impl FnOnce(&Image) -> T) -> Result<T, StoreError> {
        Ok(look(&self.lines()?.file))
    }
}

impl Store for SimStore {
    fn submit(&self, changes: Vec<Change>, durability: Durability) -> Result<Ticket, StoreError> {
        let mut lines = self.lines()?;
        lines.submitted += 1;
        let number = lines.submitted;
        let fate = lines.plan.fate(number);
        let failed = |cause: &str| StoreError::Failed {
            cause: cause.to_owned(),
        };
        match fate {
            Fate::CrashBefore => {
                self.disk.tally.add("crashes before a write", 1);
                lines.dead = true;
                return Err(failed("the process died"));
            }
            Fate::Full => {
                self.disk.tally.add("full disks", 1);
                lines.full = true;
                return Err(StoreError::Full {
                    path: "the simulated store".to_owned(),
                });
            }
            Fate::Fine | Fate::CrashAfter | Fate::CrashBeforeSettle => {}
        }
        let writes: Vec<Write> = changes.into_iter().map(Write::of).collect();
        lines.trace = crate::rng::hash(&format!("{} {durability:?} {writes:?}", lines.trace));
        let created: Vec<RunId> = writes
            .iter()
            .filter_map(|write| match write {
                Write::Create(run, ..) => Some(*run),
                _ => None,
            })
            .collect();
        lines.pending.push_back(writes.clone());
        // In the file at once, or within a tenth of a second: somewhen before or after what comes next.
        let chance = match durability {
            Durability::Later => 150,
            Durability::Soon => 700,
            Durability::Now => 0,
        };
        if lines.rng.permille(chance) {
            lines.write(usize::MAX / 2);
        }
        match fate {
            Fate::CrashAfter => {
                self.disk.tally.add("crashes after a write", 1);
                lines.sync();
                self.disk.note_ended(&mut lines, &writes);
                lines.dead = true;
                Err(failed("the process died"))
            }
            Fate::CrashBeforeSettle => {
                self.disk.tally.add("crashes before a write was settled", 1);
                lines.dead = true;
                Err(failed("the process died"))
            }
            _ => {
                if durability == Durability::Now {
                    // Who submits `Now` settles; nobody else writes in between.
                    lines.sync();
                    self.disk.note_ended(&mut lines, &writes);
                    lines.acknowledged.extend(created);
                }
                Ok(Ticket(number))
            }
        }
    }

    fn settle(&self, _: Ticket) -> Result<(), StoreError> {
        self.lines().map(drop)
    }

    fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.read(|image| image.run(id))
    }

    fn journal(&self, id: RunId, after: u64) -> Result<Vec<Entry>, StoreError> {
        self.read(|image| entries(image, id, after))
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<RunId>, StoreError> {
        self.read(|image| {
            let mut due = image.due(now);
            due.truncate(limit);
            due
        })
    }

    fn next_due(&self, now: Moment) -> Result<Option<Moment>, StoreError> {
        self.read(|image| image.next_due(now))
    }

    fn find(&self, filter: &Filter) -> Result<Vec<Run>, StoreError> {
        self.read(|image| {
            let mut all = image.all();
            all.reverse();
            all.retain(|run| filter.states.is_empty() || filter.states.contains(&run.status.state));
            all
        })
    }

    fn open_children(&self, parent: RunId) -> Result<Vec<RunId>, StoreError> {
        self.read(|image| image.open_children(parent))
    }

    fn holders(&self, slot: &str) -> Result<u32, StoreError> {
        self.read(|image| image.holders(slot))
    }

    fn first_queued(&self, slot: &str) -> Result<Option<RunId>, StoreError> {
        self.read(|image| image.first_queued(slot))
    }

    fn wishes(&self) -> Result<Vec<(i64, Wish)>, StoreError> {
        self.read(Image::wishes)
    }

    fn changed_elsewhere(&self) -> Result<bool, StoreError> {
        Ok(std::mem::take(&mut self.lines()?.changed_elsewhere))
    }

    fn blob(&self, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|image| image.blobs.get(digest).cloned())
    }

    fn has_blob(&self, digest: &str) -> Result<bool, StoreError> {
        self.read(|image| image.blobs.contains_key(digest))
    }

    fn latest(&self) -> Result<Option<Moment>, StoreError> {
        self.read(Image::latest)
    }
}
