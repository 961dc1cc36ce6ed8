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

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cordon_contract::units::milliseconds;
use cordon_contract::value::{Map, exact};
use cordon_contract::{Failure, StepKey, Value};
use serde::{Deserialize, Serialize};

/// What a script asks of the world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Call an action of a connection.
    Action {
        /// The name of the connection.
        connection: String,
        /// The action's name in its connector's model: kebab-case.
        action: String,
        /// The arguments as the script wrote them, checked against the action's types.
        #[serde(with = "exact::map")]
        arguments: Map,
        /// It stands in `undoable`: when it succeeds, its inverse is registered.
        #[serde(default, skip_serializing_if = "is_false")]
        undoable: bool,
    },
    /// The time: answered by RFC 3339 text.
    Now,
    /// A fresh UUID: answered by text.
    Uuid,
    /// Wait.
    Sleep {
        /// How long.
        #[serde(with = "milliseconds")]
        duration: Duration,
        /// What for; a pause inside `retry` says so.
        reason: Pause,
    },
    /// The pause between two looks of the `poll` around this step. Answered by `true` when there is
    /// time for another look, by `false` when the poll's time is over. Whether it is over is asked
    /// once and recorded: a replay comes later, and must not find it over.
    Again {
        /// How long between two looks; the last look is at the very end of the poll's time.
        #[serde(with = "milliseconds")]
        every: Duration,
        /// The poll's time, from its first look on.
        #[serde(with = "milliseconds")]
        timeout: Duration,
    },
    /// Wait until people agree.
    Approve(Approval),
    /// Wait until a person answers.
    Ask(Question),
    /// Run another playbook and wait for its end: answered by its result.
    Playbook {
        /// Its name.
        name: String,
        /// Its inputs, as the script wrote them.
        #[serde(with = "exact::map")]
        input: Map,
        /// Which connections its aliases stand for, where that was said.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        connect: BTreeMap<String, Vec<String>>,
    },
    /// `undo`: from here on there is a closure that takes something back.
    Undo,
    /// Keep a named result with the run.
    Artifact {
        /// Its name, unique in the run: a later one of the same name replaces it.
        name: String,
        /// Its content.
        #[serde(with = "exact")]
        value: Value,
    },
    /// A line for the log.
    Log {
        /// How loud.
        level: LogLevel,
        /// The line.
        message: String,
    },
    /// How far the run is, for whoever watches.
    Progress {
        /// What is going on.
        message: String,
        /// 0 to 100, where the script knows.
        percent: Option<u8>,
    },
    /// A finding that belongs to the run's result.
    Note {
        /// Its title.
        title: String,
        /// Its content.
        #[serde(with = "exact")]
        value: Value,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What people are asked to agree to. Answered by a map with `approved_by`, a list of `who`, `at` and
/// `comment`; a refusal fails with the kind `forbidden`, running out of time with `timeout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What is to be approved, for people.
    pub message: String,
    /// Who may; everybody where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How long they have; the run's deadline holds in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// How many different people must.
    pub approvers: u32,
    /// The person who started the run does not count.
    pub four_eyes: bool,
}

/// What a person is asked. Answered by the value; running out of time gives the default, or fails with
/// the kind `timeout` where there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The question, for people.
    pub message: String,
    /// The answers that there are; empty where `takes` says what an answer is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The type of an answer as a header names it: `string`, `duration`, `list of string`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// How long the person has; the run's deadline holds in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// What holds when nobody answers in time.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "exact::option"
    )]
    pub default: Option<Value>,
}

/// Why a script waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// `sleep` was called.
    Sleep,
    /// Between two tries of `retry`.
    Retry,
}

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// A step made of steps. Once finished, its recorded outcome stands for all that happened inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Composite {
    /// Look again and again until a condition holds.
    Poll {
        /// Between two looks.
        #[serde(with = "milliseconds")]
        every: Duration,
        /// From the first look on; after it the poll fails with `timeout`.
        #[serde(with = "milliseconds")]
        timeout: Duration,
    },
    /// Try again after a failure.
    Retry {
        /// At most this many tries.
        attempts: u32,
    },
    /// The same for each value of a list, side by side.
    Parallel {
        /// How many values there are.
        branches: u32,
        /// At most this many at a time.
        max: u32,
    },
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is done.
    Done(Value),
    /// It failed in a way that the script may catch.
    Failed(Box<Failure>),
    /// It waits for long. This thread of the script ends here, without doing anything more: the whole
    /// script, or inside of `parallel` the branch.
    Parked,
    /// The run does not go on here: cancelled or stopped. The stop flag is set, and the script ends
    /// without doing anything more.
    Stopped,
}

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
