//! A store in memory that keeps exactly what the real one promises, and no more.
//!
//! What was submitted stands in a line. A prefix of it is on the disk, a longer one in the file; the
//! rest is in memory. Reads see the file. A crash leaves what is on the disk and, of the rest, a prefix
//! of whole submissions that chance decides. Every submission has a number, and the [`Plan`] says at
//! which of them the process dies or the disk is full.

mod image;
mod process;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cordon_journal::{Change, Entry, RunId, State};

use crate::plan::Plan;
use crate::rng::Rng;
use crate::tally::Tally;

pub use image::{Image, Write, key_of};
pub use process::SimStore;

/// The disk, which outlives every process.
pub struct Disk {
    state: Mutex<Lines>,
    tally: Arc<Tally>,
}

struct Lines {
    disk: Image,
    file: Image,
    /// What is not on the disk.
    pending: VecDeque<Vec<Write>>,
    /// How many of these are in the file.
    in_file: usize,
    rng: Rng,
    plan: Plan,
    /// How many submissions there were, in all processes.
    submitted: u64,
    /// The process that may write.
    process: u64,
    dead: bool,
    full: bool,
    changed_elsewhere: bool,
    trace: u64,
    /// Runs whose creation was acknowledged.
    acknowledged: Vec<RunId>,
    /// How ended runs stood when they ended.
    ended: BTreeMap<RunId, (String, usize)>,
}

impl Lines {
    fn write(&mut self, writes: usize) {
        for submission in self.pending.iter().skip(self.in_file).take(writes) {
            for write in submission {
                self.file.apply(write);
            }
        }
        self.in_file = (self.in_file + writes).min(self.pending.len());
    }

    fn sync(&mut self) {
        self.write(usize::MAX - self.in_file);
        for submission in self.pending.drain(..) {
            for write in &submission {
                self.disk.apply(write);
            }
        }
        self.in_file = 0;
    }
}

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(rng: Rng, plan: Plan, tally: Arc<Tally>) -> Self {
        Self {
            state: Mutex::new(Lines {
                disk: Image::default(),
                file: Image::default(),
                pending: VecDeque::new(),
                in_file: 0,
                rng,
                plan,
                submitted: 0,
                process: 0,
                dead: false,
                full: false,
                changed_elsewhere: false,
                trace: 0,
                acknowledged: Vec::new(),
                ended: BTreeMap::new(),
            }),
            tally,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process dies here and now.
    pub fn kill(&self) {
        self.lock().dead = true;
    }

    /// Whether the process has died.
    pub fn is_dead(&self) -> bool {
        self.lock().dead
    }

    /// Whether the process has died, or its store has failed.
    pub fn is_down(&self) -> bool {
        let lines = self.lock();
        lines.dead || lines.full
    }

    /// No more faults.
    pub fn mend(&self) {
        self.lock().plan = Plan::none();
    }

    /// A new process opens what the last one left: what is on the disk, and a prefix of the rest.
    pub fn open(self: &Arc<Self>) -> SimStore {
        let mut lines = self.lock();
        let lines = &mut *lines;
        let kept = lines.rng.below(lines.pending.len() as u64 + 1);
        let kept = usize::try_from(kept).unwrap();
        self.tally
            .add("submissions lost", (lines.pending.len() - kept) as u64);
        lines.pending.truncate(kept);
        lines.in_file = lines.in_file.min(kept);
        for submission in lines.pending.drain(..) {
            for write in &submission {
                lines.disk.apply(write);
            }
        }
        lines.in_file = 0;
        // What the file had beyond the disk may be gone.
        let wrongs = std::mem::take(&mut lines.file.wrongs);
        lines.disk.wrongs.extend(wrongs);
        lines.file = lines.disk.clone();
        lines.process += 1;
        (lines.dead, lines.full) = (false, false);
        SimStore {
            disk: Arc::clone(self),
            process: lines.process,
        }
    }

    /// Another process writes wishes and new runs: on the disk when this returns, whatever the process
    /// that executes still has in memory.
    pub fn leave(&self, changes: Vec<Change>) {
        let mut lines = self.lock();
        let created: Vec<RunId> = created(&changes);
        for write in changes.into_iter().map(Write::of) {
            lines.disk.apply(&write);
            lines.file.apply(&write);
        }
        lines.acknowledged.extend(created);
        lines.changed_elsewhere = true;
    }

    /// What is certainly kept.
    pub fn durable<T>(&self, look: impl FnOnce(&Image) -> T) -> T {
        look(&self.lock().disk)
    }

    /// What whoever reads sees.
    pub fn visible<T>(&self, look: impl FnOnce(&Image) -> T) -> T {
        look(&self.lock().file)
    }

    /// The runs that were acknowledged.
    pub fn acknowledged(&self) -> Vec<RunId> {
        self.lock().acknowledged.clone()
    }

    /// How ended runs stood when they ended: their status and the number of their records.
    pub fn ended(&self) -> BTreeMap<RunId, (String, usize)> {
        self.lock().ended.clone()
    }

    /// How many submissions there were.
    pub fn submitted(&self) -> u64 {
        self.lock().submitted
    }

    /// A number for everything that was submitted, in its order.
    pub fn trace(&self) -> u64 {
        self.lock().trace
    }

    fn note_ended(&self, lines: &mut Lines, submission: &[Write]) {
        for write in submission {
            if let Write::Status(run, status) = write
                && let Some(row) = lines.disk.runs.get(run)
                && row.state == State::Ended
            {
                let kept = (status.clone(), row.records.len());
                lines.ended.entry(*run).or_insert(kept);
                self.tally.add("runs ended", 1);
            }
        }
    }
}

fn created(changes: &[Change]) -> Vec<RunId> {
    let created = changes.iter().filter_map(|change| match change {
        Change::Create(run) => Some(run.id),
        _ => None,
    });
    created.collect()
}

/// The records of a run, as they were written.
#[must_use]
pub fn entries(image: &Image, id: RunId, after: u64) -> Vec<Entry> {
    let Some(row) = image.runs.get(&id) else {
        return Vec::new();
    };
    let later = row.records.range(after + 1..);
    later
        .map(|(seq, record)| Entry {
            seq: *seq,
            record: serde_json::from_str(record).unwrap(),
        })
        .collect()
}
