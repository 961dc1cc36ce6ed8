//! What goes into a machine and what comes out of it.

use std::time::Duration;

use cordon_contract::step::{Answer, Step};
use cordon_contract::value::exact;
use cordon_contract::{Failure, Value};
use cordon_journal::record::Recorded;
use cordon_journal::{Change, Durability, Moment, Record, RunId, What};
use cordon_playbook::step::StopReason;
use uuid::Uuid;

/// Time and chance, handed in.
pub trait Senses {
    /// The time by the clock of runs, which never goes back.
    fn now(&self) -> Moment;

    /// The time as people and products have it.
    fn wall(&self) -> Moment;

    /// A fresh UUID.
    fn uuid(&self) -> Uuid;
}

/// Something that happened to a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The script asks for it.
    Asked(Step),
    /// The call that was asked for came back.
    Called(Result<Value, Failure>),
    /// The product was asked whether a write has happened: some result if it has.
    Reconciled(Result<Option<Value>, Failure>),
    /// The wait that was asked for is over.
    Woken,
    /// How the run that was started stands: its outcome, once it has one.
    Child(Option<Answer>),
}

/// What is to be done, in this order: record, then go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// What is recorded.
    pub records: Vec<(u64, Record)>,
    /// Bytes that records refer to, by digest.
    pub blobs: Vec<(String, Vec<u8>)>,
    /// Records that are not needed any more.
    pub prune: Vec<u64>,
    /// How soon the records must be on the disk before the rest is done.
    pub durability: Durability,
    /// What is done then.
    pub next: Next,
    /// What was decided about a lost answer, for whoever watches.
    pub lost: Option<(Failure, super::Verdict)>,
}

/// What is done after recording.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// The script gets this.
    Answer(Answer),
    /// The step's action is called; then [`Event::Called`].
    Call,
    /// The step's reconcile companion is called; then [`Event::Reconciled`].
    Reconcile,
    /// Nothing until this moment; then [`Event::Woken`]. Long waits do not hold the thread: the script
    /// gets [`Answer::Parked`] instead, and asks again when it is run again.
    Wait(Moment),
    /// The run of another playbook is started, or looked at if it is there; then [`Event::Child`].
    /// An error of starting is its outcome.
    StartChild(RunId),
    /// The script ends here.
    Stop(StopReason),
}

impl Reaction {
    /// Nothing is to be done.
    #[must_use]
    pub fn nothing() -> Self {
        Self::answer(Answer::Stopped)
    }

    /// Nothing is recorded.
    pub(super) fn only(next: Next) -> Self {
        Self {
            records: Vec::new(),
            blobs: Vec::new(),
            prune: Vec::new(),
            durability: Durability::Later,
            next,
            lost: None,
        }
    }

    /// Answers from what is known.
    pub(super) fn answer(answer: Answer) -> Self {
        Self::only(Next::Answer(answer))
    }

    /// The changes that it asks for. Of a large result the journal gets the digest, and the store the
    /// bytes.
    #[must_use]
    pub fn changes(&mut self, run: RunId) -> Vec<Change> {
        let mut changes = Vec::with_capacity(self.records.len());
        for (seq, mut record) in std::mem::take(&mut self.records) {
            self.blobs.extend(large(&mut record.what));
            changes.push(Change::Append { run, seq, record });
        }
        for (digest, bytes) in std::mem::take(&mut self.blobs) {
            changes.push(Change::PutBlob {
                digest: digest.clone(),
                bytes,
            });
            changes.push(Change::Need { run, digest });
        }
        if !self.prune.is_empty() {
            changes.push(Change::Prune {
                run,
                seqs: std::mem::take(&mut self.prune),
            });
        }
        changes
    }
}

/// A result of this many bytes or more is kept apart from the journal.
const LARGE: usize = 64 * 1024;

/// Takes a large result out of a record.
fn large(what: &mut What) -> Option<(String, Vec<u8>)> {
    let (What::Outcome { answer, .. } | What::Branch { answer, .. } | What::Left { answer, .. }) =
        what
    else {
        return None;
    };
    let Recorded::Done(value) = answer else {
        return None;
    };
    if super::weight::value_weight(value) < LARGE as u64 {
        return None;
    }
    let bytes = exact::to_json(value).into_bytes();
    let digest = super::digest(&bytes);
    *answer = Recorded::Large {
        digest: digest.clone(),
        length: bytes.len() as u64,
    };
    Some((digest, bytes))
}

/// A wait up to this long holds its thread; a longer one gives it back.
pub(super) const SHORT: Duration = Duration::from_millis(150);
