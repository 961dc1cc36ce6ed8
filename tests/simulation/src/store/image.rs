//! What a file of runs holds, and what each change does to it. Everything that the real store keeps as
//! JSON is kept as JSON here too, so that what is read back has been through it.

use std::collections::{BTreeMap, BTreeSet};

use cordon_contract::StepKey;
use cordon_journal::run::{Order, Status};
use cordon_journal::{Change, Moment, Record, Run, RunId, State, What, Wish};
use serde_json::to_string;
use uuid::Uuid;

/// One change, ready to be written.
#[derive(Debug, Clone)]
pub enum Write {
    /// Order and status.
    Create(RunId, String, String),
    /// A record in its place.
    Append(RunId, u64, String),
    /// Places.
    Prune(RunId, Vec<u64>),
    /// A status.
    Status(RunId, String),
    /// When a run is due.
    Wake(RunId, Moment),
    /// Bytes by digest.
    PutBlob(String, Vec<u8>),
    /// A digest.
    Need(RunId, String),
    /// A wish.
    Wish(String),
    /// Why it was refused, if it was.
    TakeWish(i64, Option<String>),
    /// A run.
    Forget(RunId),
}

impl Write {
    /// A change as it is written.
    #[must_use]
    pub fn of(change: Change) -> Self {
        match change {
            Change::Create(run) => {
                let Run { id, order, status } = *run;
                Self::Create(id, to_string(&order).unwrap(), to_string(&status).unwrap())
            }
            Change::Append { run, seq, record } => {
                Self::Append(run, seq, to_string(&record).unwrap())
            }
            Change::Prune { run, seqs } => Self::Prune(run, seqs),
            Change::Status { run, status } => Self::Status(run, to_string(&*status).unwrap()),
            Change::Wake { run, due } => Self::Wake(run, due),
            Change::PutBlob { digest, bytes } => Self::PutBlob(digest, bytes),
            Change::Need { run, digest } => Self::Need(run, digest),
            Change::Wish(wish) => Self::Wish(to_string(&wish).unwrap()),
            Change::TakeWish { number, refused } => Self::TakeWish(number, refused),
            Change::Forget(run) => Self::Forget(run),
        }
    }
}

/// The row of a run, with its journal.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its place in the order of creation.
    pub number: u64,
    /// Its order.
    pub order: String,
    /// Its status.
    pub status: String,
    /// Its records.
    pub records: BTreeMap<u64, String>,
    /// Its state, and when it is due.
    pub state: State,
    due: Option<Moment>,
    parent: Option<RunId>,
    slot: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, Default)]
pub struct Image {
    /// The runs.
    pub runs: BTreeMap<RunId, Row>,
    /// Blobs by digest.
    pub blobs: BTreeMap<String, Vec<u8>>,
    needs: BTreeSet<(RunId, String)>,
    wishes: BTreeMap<i64, (String, Option<Option<String>>)>,
    latest: Option<Moment>,
    created: u64,
    wished: i64,
    /// How many attempts of a write are recorded, by its idempotency key.
    pub attempts: BTreeMap<Uuid, (RunId, StepKey, u32)>,
    /// What a store must never be asked for.
    pub wrongs: Vec<String>,
}

/// The idempotency key of a step, computed apart from the engine.
#[must_use]
pub fn key_of(run: RunId, step: &StepKey) -> Uuid {
    Uuid::new_v5(&run.0, step.to_string().as_bytes())
}

impl Image {
    /// Does what a change says.
    pub fn apply(&mut self, write: &Write) {
        match write {
            Write::Create(run, order, status) => self.create(*run, order, status),
            Write::Append(run, seq, record) => self.append(*run, *seq, record),
            Write::Prune(run, seqs) => {
                if let Some(row) = self.runs.get_mut(run) {
                    for seq in seqs {
                        row.records.remove(seq);
                    }
                }
            }
            Write::Status(run, status) => self.status(*run, status),
            Write::Wake(run, due) => {
                if let Some(row) = self.runs.get_mut(run)
                    && row.state != State::Ended
                {
                    let mut status: Status = serde_json::from_str(&row.status).unwrap();
                    status.due = Some(*due);
                    row.status = to_string(&status).unwrap();
                    row.due = Some(*due);
                }
            }
            Write::PutBlob(digest, bytes) => {
                let known = self.blobs.entry(digest.clone());
                known.or_insert_with(|| bytes.clone());
            }
            Write::Need(run, digest) => {
                self.needs.insert((*run, digest.clone()));
            }
            Write::Wish(wish) => {
                self.wished += 1;
                let at = serde_json::from_str::<Wish>(wish).unwrap().at;
                self.saw(at);
                self.wishes.insert(self.wished, (wish.clone(), None));
            }
            Write::TakeWish(number, refused) => match self.wishes.get_mut(number) {
                Some((_, fate @ None)) => *fate = Some(refused.clone()),
                Some(_) => self.wrong(format!("wish {number} is taken twice")),
                None => self.wrong(format!("there is no wish {number} to take")),
            },
            Write::Forget(run) => {
                self.runs.remove(run);
            }
        }
    }

    fn wrong(&mut self, what: String) {
        self.wrongs.push(what);
    }

    fn saw(&mut self, moment: Moment) {
        self.latest = self.latest.max(Some(moment));
    }

    fn create(&mut self, run: RunId, order: &str, status: &str) {
        if self.runs.contains_key(&run) {
            return;
        }
        let parsed: Order = serde_json::from_str(order).unwrap();
        self.saw(parsed.created);
        self.created += 1;
        let row = Row {
            number: self.created,
            order: order.to_owned(),
            status: String::new(),
            records: BTreeMap::new(),
            state: State::Going,
            due: None,
            parent: parsed.parent.map(|(parent, _)| parent),
            slot: parsed.slot.map(|slot| slot.key),
        };
        self.runs.insert(run, row);
        self.status(run, status);
    }

    fn status(&mut self, run: RunId, status: &str) {
        let parsed: Status = serde_json::from_str(status).unwrap();
        for moment in parsed.waits.iter().map(|wait| wait.since) {
            self.saw(moment);
        }
        if let Some(end) = &parsed.end {
            self.saw(end.at);
        }
        let Some(row) = self.runs.get_mut(&run) else {
            return self.wrong(format!("a status for the unknown run {run}"));
        };
        if row.state == State::Ended {
            return self.wrong(format!("a status for run {run}, which has ended"));
        }
        row.state = parsed.state;
        row.due = parsed.due;
        row.status = status.to_owned();
    }

    fn append(&mut self, run: RunId, seq: u64, record: &str) {
        let parsed: Record = serde_json::from_str(record).unwrap();
        self.saw(parsed.at);
        let Some(row) = self.runs.get_mut(&run) else {
            return self.wrong(format!("a record for the unknown run {run}"));
        };
        if row.state == State::Ended {
            return self.wrong(format!("a record for run {run}, which has ended"));
        }
        if row.records.insert(seq, record.to_owned()).is_some() {
            return self.wrong(format!("run {run} has two records in place {seq}"));
        }
        if row.records.last_key_value().map(|(last, _)| *last) != Some(seq) {
            return self.wrong(format!("run {run}: place {seq} is not after the others"));
        }
        let key = key_of(run, &parsed.key);
        match parsed.what {
            What::Intent { .. } => {
                self.attempts.insert(key, (run, parsed.key, 1));
            }
            What::Attempt { .. } => {
                if let Some((_, _, attempts)) = self.attempts.get_mut(&key) {
                    *attempts += 1;
                }
            }
            _ => {}
        }
    }

    /// A run.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<Run> {
        let row = self.runs.get(&id)?;
        Some(Run {
            id,
            order: serde_json::from_str(&row.order).unwrap(),
            status: serde_json::from_str(&row.status).unwrap(),
        })
    }

    /// All runs, in the order of their creation.
    #[must_use]
    pub fn all(&self) -> Vec<Run> {
        let mut ids: Vec<_> = self
            .runs
            .iter()
            .map(|(id, row)| (row.number, *id))
            .collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|(_, id)| self.run(id)).collect()
    }

    /// The runs that are due, the longest due first.
    #[must_use]
    pub fn due(&self, now: Moment) -> Vec<RunId> {
        let due = |(id, row): (&RunId, &Row)| {
            let due = row.due.filter(|due| *due <= now)?;
            Some((due, row.number, *id))
        };
        let mut found: Vec<_> = self.runs.iter().filter_map(due).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, id)| id).collect()
    }

    /// When the next run is due that is not.
    #[must_use]
    pub fn next_due(&self, now: Moment) -> Option<Moment> {
        let all = self.runs.values().filter_map(|row| row.due);
        all.filter(|due| *due > now).min()
    }

    /// The children that have not ended.
    #[must_use]
    pub fn open_children(&self, parent: RunId) -> Vec<RunId> {
        let open = |row: &Row| row.parent == Some(parent) && row.state != State::Ended;
        let found = self.runs.iter().filter(|(_, row)| open(row));
        found.map(|(id, _)| *id).collect()
    }

    /// Runs with a place.
    #[must_use]
    pub fn holders(&self, slot: &str) -> u32 {
        let holds = |row: &&Row| {
            row.slot.as_deref() == Some(slot) && !matches!(row.state, State::Ended | State::Queued)
        };
        u32::try_from(self.runs.values().filter(holds).count()).unwrap()
    }

    /// The first of a queue.
    #[must_use]
    pub fn first_queued(&self, slot: &str) -> Option<RunId> {
        let queued = self
            .runs
            .iter()
            .filter(|(_, row)| row.slot.as_deref() == Some(slot) && row.state == State::Queued);
        queued.min_by_key(|(_, row)| row.number).map(|(id, _)| *id)
    }

    /// What was wished and not taken.
    #[must_use]
    pub fn wishes(&self) -> Vec<(i64, Wish)> {
        let open = self.wishes.iter().filter(|(_, (_, fate))| fate.is_none());
        open.map(|(number, (wish, _))| (*number, serde_json::from_str(wish).unwrap()))
            .collect()
    }

    /// What became of a wish: nothing yet, or taken, or refused.
    #[must_use]
    pub fn fate(&self, number: i64) -> Option<Option<String>> {
        self.wishes.get(&number)?.1.clone()
    }

    /// How many wishes were left.
    #[must_use]
    pub fn wished(&self) -> i64 {
        self.wished
    }

    /// The latest moment.
    #[must_use]
    pub fn latest(&self) -> Option<Moment> {
        self.latest
    }
}
