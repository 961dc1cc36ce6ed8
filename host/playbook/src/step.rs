//! The seam between a playbook and the world.
//!
//! Everything in a script that is not a pure computation is a step, and every step goes through
//! [`Performer::perform`]: there is no second way out. Whoever implements it decides what is
//! journalled, simulated, guarded or refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use cordon_contract::value::Map;
use cordon_contract::{Failure, StepKey, Value};

/// What a script asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Call an action of a connection.
    Action {
        /// The name of the connection.
        connection: String,
        /// The action's name in its connector's model: kebab-case.
        action: String,
        /// The arguments as the script wrote them, checked against the action's types.
        arguments: Map,
    },
    /// The time: answered by RFC 3339 text.
    Now,
    /// A fresh UUID: answered by text.
    Uuid,
    /// Wait.
    Sleep {
        /// How long.
        duration: Duration,
        /// What for; a pause inside `poll` or `retry` says so.
        reason: Pause,
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
        value: Value,
    },
}

/// Why a script waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// `sleep` was called.
    Sleep,
    /// Between two looks of `poll`.
    Poll,
    /// Between two tries of `retry`.
    Retry,
}

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// A step made of steps. Once finished, its recorded outcome stands for all that happened inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composite {
    /// Look again and again until a condition holds.
    Poll {
        /// Between two looks.
        every: Duration,
        /// From the first look on; after it the poll fails with `timeout`.
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
    /// The run does not go on here: suspended, cancelled or stopped. The stop flag is set, and the
    /// script ends without doing anything more.
    Stopped,
}

/// What is known of a composite step when the script reaches it.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Finished before: this is its outcome.
    Finished(Answer),
    /// Not finished; for `poll` and `retry`, go on with this iteration (from 0).
    Begin {
        /// The iteration to go on with.
        iteration: u32,
        /// How long ago the composite was entered first, for the deadline of `poll`.
        elapsed: Duration,
    },
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

    /// Called with the outcome of a composite; not when the run stopped inside.
    fn leave(&self, key: &StepKey, outcome: &Answer);

    /// How long a composite has been going on, by the run's clock.
    fn elapsed(&self, key: &StepKey) -> Duration;

    /// The flag that ends the script.
    fn stop_flag(&self) -> &StopFlag;
}

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// A flag of a whole run, shared by all its threads. Once set it stays set, with its first reason.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicU8>);

impl StopFlag {
    /// Sets the flag, unless it is set.
    pub fn stop(&self, reason: StopReason) {
        let _ = self
            .0
            .compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
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
            _ => None,
        }
    }
}
