//! The seam between a playbook and the world.
//!
//! Everything in a script that is not a pure computation is a step, and every step goes through
//! [`Performer::perform`]: there is no second way out. Whoever implements it decides what is
//! journalled, simulated, guarded or refused.
//!
//! A run that waits for long gives its thread back: the step answers [`Answer::Parked`], the script is
//! dropped, and when the wait is over the script runs again from the top while the performer answers
//! every finished step from its record. For that each step has a key that is the same in every
//! execution.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

pub use cordon_contract::step::{Answer, Approval, Composite, LogLevel, Pause, Question, Step};
use cordon_contract::value::exact;
use cordon_contract::{StepKey, Value};
use serde::{Deserialize, Serialize};

/// What is known of a composite step when the script reaches it.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Finished before: this is its outcome.
    Finished(Answer),
    /// To be gone through, from this iteration on (from 0). That must be so even though it is finished
    /// when something inside of it was registered to be taken back ([`Step::Undo`], or an action that
    /// is `undoable`): only the script can give it again.
    Begin {
        /// The iteration of `poll` and `retry` to begin with.
        iteration: u32,
    },
}

/// What is known of a branch of `parallel`, or of one of the things that are done [`Afterwards`].
///
/// [`Afterwards`]: cordon_contract::Afterwards
#[derive(Debug, Clone, PartialEq)]
pub enum Branch {
    /// Nothing has been done in it.
    New,
    /// It was begun, and can go on now.
    Begun,
    /// It was begun and waits; it can go on after this long, or earlier when a person acts.
    Parked(Duration),
    /// Finished before: this is its outcome.
    Finished(Answer),
    /// It was not begun and is not to be: the `parallel` around it is finished and gone through again,
    /// or the run was ended.
    Skipped,
}

/// Why things are done after the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It failed with this, as `catch` would have seen it.
    Failed(#[serde(with = "exact")] Value),
    /// Somebody cancelled it.
    Cancelled,
    /// It reached a limit of the run; the text says which.
    Limit(String),
}

/// Performs the steps of one run.
///
/// Called from the thread that runs the script and, inside `parallel`, from several threads at once.
/// A call may block. After the stop flag is set every call answers [`Answer::Stopped`].
pub trait Performer: Send + Sync {
    /// Performs one step.
    fn perform(&self, key: &StepKey, step: Step) -> Answer;

    /// Called before the first step inside a composite.
    fn enter(&self, key: &StepKey, composite: Composite) -> Entry;

    /// Called at each new iteration of `poll` and `retry`, before its first step.
    fn iterate(&self, key: &StepKey, iteration: u32);

    /// What is known of a branch of `parallel`. `key` is the composite step's.
    fn branch(&self, key: &StepKey, branch: u32) -> Branch;

    /// Called with the outcome of a branch: done or failed, never otherwise.
    fn leave_branch(&self, key: &StepKey, branch: u32, outcome: &Answer);

    /// Called with the outcome of a composite; not when the run stopped or waits inside.
    fn leave(&self, key: &StepKey, outcome: &Answer);

    /// Called when every part of the script waits. None: they wait. Otherwise the run was ended before,
    /// by this, and the script was gone through to learn what it registered with `undo`: each branch as
    /// far as its record goes, where a step that is not in the record answers [`Answer::Parked`] and a
    /// branch that was not begun is [`Branch::Skipped`]. The stop flag would end all branches at the
    /// first such step, and what the others had registered would never be taken back.
    fn ended(&self) -> Option<Ending> {
        None
    }

    /// Called when the script has ended otherwise than with a result, before what it registered with
    /// `undo` is taken back and `on_error` or `on_cancel` is called. Says whether to do these, and
    /// clears the stop flag if so. Where the stop flag may have ended a branch before it had gone
    /// through its record, this says no, and the run is run again with [`Performer::ended`].
    fn unwind(&self, ending: &Ending) -> bool;

    /// The flag that ends the script.
    fn stop_flag(&self) -> &StopFlag;
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum StopReason {
    /// It waits, and will be taken up again.
    Suspended = 1,
    /// A person or a program ended it.
    Cancelled = 2,
    /// A limit of the run was reached; its error says which.
    Limit = 3,
    /// A write's answer was lost and nobody can know what happened.
    InDoubt = 4,
    /// The process cannot go on with it: it ends, or the journal cannot be written. The run is taken
    /// up again later.
    Interrupted = 5,
    /// The script asked for another step than its journal holds.
    Diverged = 6,
}

/// A flag of a whole run, shared by all its threads. Once set it stays set, with its first reason,
/// until what is done after the script begins.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicU8>);

impl StopFlag {
    /// Sets the flag, unless it is set.
    pub fn stop(&self, reason: StopReason) {
        let _ = self
            .0
            .compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Takes the flag down, for what is done after the script.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }

    /// Whether the run is stopped. Cheap enough to ask at every operation of a script.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Why the run was stopped.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        match self.0.load(Ordering::Acquire) {
            1 => Some(StopReason::Suspended),
            2 => Some(StopReason::Cancelled),
            3 => Some(StopReason::Limit),
            4 => Some(StopReason::InDoubt),
            5 => Some(StopReason::Interrupted),
            6 => Some(StopReason::Diverged),
            _ => None,
        }
    }
}
