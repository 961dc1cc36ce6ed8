//! What is recorded of the steps of a run.
//!
//! The grain is the action: a read leaves its outcome, a write an intent before it is sent and an
//! outcome after. Records are JSON; a field that is added later has a default, so that an older
//! journal is still read. `README.md` of this crate is the page on the format.

use std::time::Duration;

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::units::milliseconds;
use cordon_contract::value::exact;
use cordon_contract::{Effect, Failure, StepKey, Value};
use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::run::RunId;

/// A record with its place in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place among the records of its run; grows, may have gaps.
    pub seq: u64,
    /// The record.
    pub record: Record,
}

/// One thing that happened to one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When, by the clock of runs.
    pub at: Moment,
    /// Which step.
    pub key: StepKey,
    /// What.
    pub what: What,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A write is about to be sent for the first time. Durable before it is.
    Intent {
        /// The action with its arguments.
        step: Step,
        /// What it does to the product with these arguments.
        effect: Effect,
    },
    /// A write is about to be sent again. Durable before it is.
    Attempt {
        /// Which attempt, from 2.
        number: u32,
    },
    /// The answer to a write was lost; what is done about it is done later.
    Deferred {
        /// How the answer was lost.
        failure: Box<Failure>,
        /// What will be done.
        then: Settling,
        /// Not before this.
        until: Moment,
        /// How often the product was asked in vain.
        #[serde(default)]
        asked: u32,
    },
    /// Nobody can know whether a write has happened.
    Doubt {
        /// How the answer was lost.
        failure: Box<Failure>,
    },
    /// A person said whether a write that was in doubt has happened.
    Resolved {
        /// Who.
        by: String,
        /// Whether it happened.
        done: bool,
        /// What the action would have returned.
        #[serde(with = "exact")]
        value: Value,
    },
    /// A wait began.
    Wait {
        /// The step.
        step: Step,
        /// When it is over.
        until: Moment,
        /// For the pause of a poll: whether there is time for another look after it.
        #[serde(default)]
        again: bool,
    },
    /// People were asked, for an approval or an answer.
    Asked {
        /// The step.
        step: Step,
        /// When their time is over.
        until: Option<Moment>,
    },
    /// A person agreed or refused.
    Decided {
        /// Who.
        by: String,
        /// Whether they agreed.
        allow: bool,
        /// Why.
        comment: Option<String>,
    },
    /// A person answered.
    Given {
        /// Who.
        by: String,
        /// What, as the question takes it.
        #[serde(with = "exact")]
        value: Value,
    },
    /// Another playbook was started.
    Child {
        /// The step.
        step: Step,
        /// Its run.
        run: RunId,
    },
    /// The step is over.
    Outcome {
        /// The step, where no earlier record has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Step>,
        /// What came of it.
        answer: Recorded,
        /// How long it took.
        #[serde(with = "milliseconds")]
        took: Duration,
    },
    /// A composite step began.
    Entered {
        /// What it is.
        composite: Composite,
    },
    /// `poll` looks again, or `retry` tries again.
    Iterated {
        /// Which iteration, from 1.
        iteration: u32,
    },
    /// A branch is over.
    Branch {
        /// Which.
        branch: u32,
        /// What came of it.
        answer: Recorded,
    },
    /// A composite step is over.
    Left {
        /// What came of it.
        answer: Recorded,
        /// For `parallel`: how many of its values were done, and how many there are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Items>,
    },
    /// Somebody, or a limit, ended the script: steps that were not begun are not begun any more. The
    /// key has no meaning.
    Stopped {
        /// Who, and why.
        stop: Stop,
    },
    /// What is done after the script began: the script had ended otherwise than with a result. The
    /// key has no meaning.
    Unwinding,
}

/// How many of the values of a step over many were done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items {
    /// So many.
    pub done: u32,
    /// Of so many.
    pub of: u32,
}

/// What is done about a write whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settling {
    /// It is sent again.
    Resend,
    /// The product is asked.
    Ask,
}

/// What ended a script from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// A person, or the run that started this one.
    Cancelled {
        /// Who.
        by: String,
        /// Why.
        why: Option<String>,
    },
    /// A limit of the run.
    Limit {
        /// Its name, as in `cordon.toml`.
        name: String,
        /// How much was allowed, for people.
        allowed: String,
    },
    /// A limit on what the script itself computes.
    Script {
        /// Which, for people.
        message: String,
    },
}

/// An outcome as it is recorded: an [`Answer`] that is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// It is done.
    Done(#[serde(with = "exact")] Value),
    /// It failed in a way that the script may catch.
    Failed(Box<Failure>),
    /// It is done, and its result is so large that it is kept apart, by digest.
    Large {
        /// The digest of the value's exact JSON.
        digest: String,
        /// How many bytes that has.
        length: u64,
    },
}

impl Recorded {
    /// What is recorded of an answer; none for one that is no outcome.
    #[must_use]
    pub fn of(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Done(value) => Some(Self::Done(value.clone())),
            Answer::Failed(failure) => Some(Self::Failed(failure.clone())),
            Answer::Parked | Answer::Stopped => None,
        }
    }
}
