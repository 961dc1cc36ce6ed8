//! What somebody who watches a run sees, as it happens.

use std::time::Duration;

use cordon_contract::{Effect, Failure, StepKey};
use cordon_playbook::step::{Answer, Composite, Step};

use crate::settle::Verdict;

/// Something that happened in a run. Holds references to secrets, never secrets.
#[derive(Debug, Clone)]
pub enum Event<'a> {
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

/// Somebody who watches a run. Called from the run's own threads: be quick.
pub trait Watcher: Send + Sync {
    /// Something happened.
    fn see(&self, event: &Event<'_>);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn see(&self, _: &Event<'_>) {}
}
