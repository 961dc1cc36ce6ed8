//! The steps of a run, as data: what a script asks of the world, and what came of it.
//!
//! Shared by the language, which asks, the journal, which keeps, and the engine, which decides.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::units::milliseconds;
use crate::value::{Map, exact};
use crate::{Failure, Value};

mod key;

pub use key::{Afterwards, StepKey, StepKeyError};

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
