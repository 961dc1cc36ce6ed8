//! What somebody who watches a run sees, as it happens.

use std::time::Duration;

use cordon_contract::step::{Answer, Composite, Step};
use cordon_contract::{Effect, Failure, StepKey};
use cordon_journal::run::{End, Status};
use cordon_journal::{Run, RunId};

use crate::engine::Verdict;

/// Something that happened in a run. Holds references to secrets, never secrets.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// The run is taken up: for the first time, or after it waited.
    TakenUp {
        /// As it stood before.
        run: &'a Run,
    },
    /// The run waits, and holds nothing while it does.
    PutAside {
        /// Where it stands.
        status: &'a Status,
    },
    /// The run has ended.
    Over {
        /// How.
        end: &'a End,
    },
    /// A step began.
    Started {
        /// Which.
        key: &'a StepKey,
        /// What it does.
        step: &'a Step,
        /// For an action: what it does to the product, with these arguments.
        effect: Option<Effect>,
    },
    /// A step ended.
    Finished {
        /// Which.
        key: &'a StepKey,
        /// What it did.
        step: &'a Step,
        /// What came of it.
        answer: &'a Answer,
        /// How long it took.
        took: Duration,
    },
    /// The answer of a write was lost; this is what is done about it.
    AnswerLost {
        /// The step.
        key: &'a StepKey,
        /// How the attempt failed.
        failure: &'a Failure,
        /// What is done now.
        verdict: Verdict,
    },
    /// `poll`, `retry` or `parallel` began.
    Entered {
        /// Which.
        key: &'a StepKey,
        /// What.
        composite: Composite,
    },
    /// `poll` looks again, `retry` tries again.
    Iterated {
        /// Which.
        key: &'a StepKey,
        /// From 0.
        iteration: u32,
    },
    /// `poll`, `retry` or `parallel` ended.
    Left {
        /// Which.
        key: &'a StepKey,
        /// What came of it.
        answer: &'a Answer,
        /// How long it took.
        took: Duration,
    },
}

/// Somebody who watches runs. Called from their own threads: be quick. Steps that are answered from the
/// journal are not seen again.
pub trait Watcher: Send + Sync {
    /// Something happened in this run.
    fn see(&self, run: RunId, event: &Event<'_>);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn see(&self, _: RunId, _: &Event<'_>) {}
}
