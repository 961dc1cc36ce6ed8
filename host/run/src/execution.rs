//! One run of a playbook, or one call of an action, from start to report.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordon_contract::value::Map;
use cordon_contract::{Failure, StepKey, Value};
use cordon_playbook::step::{Answer, Performer as _, Step, StopReason};
use cordon_playbook::{Bindings, Limits, Playbook, RunError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::event::Watcher;
use crate::live::{InDoubt, Link, Live, Note, Stopper, Write};

/// A run that is ready to start.
pub struct Execution {
    /// What is run.
    pub playbook: Playbook,
    /// Its aliases, bound.
    pub bindings: Bindings,
    /// The connections behind them by name.
    pub links: BTreeMap<String, Link>,
    /// Its inputs, converted.
    pub input: Map,
    /// What it may use.
    pub limits: Limits,
    /// Who watches.
    pub watcher: Arc<dyn Watcher>,
}

/// A run that goes on.
pub struct Running {
    /// Its identity.
    pub run: Uuid,
    stopper: Stopper,
    report: JoinHandle<Report>,
}

/// How a run ended, and what it did.
#[derive(Debug)]
pub struct Report {
    /// Its identity.
    pub run: Uuid,
    /// How it ended.
    pub outcome: Outcome,
    /// What the playbook noted.
    pub notes: Vec<Note>,
    /// What was done to products, also by a run that failed.
    pub writes: Vec<Write>,
    /// The writes of which nobody knows whether they happened.
    pub in_doubt: Vec<InDoubt>,
    /// How long it took.
    pub took: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// With this result.
    Done(Value),
    /// With an error.
    Failed(Box<RunError>),
    /// Somebody cancelled it.
    Cancelled,
    /// The answer of a write was lost, and nobody can know what happened.
    InDoubt,
}

impl Execution {
    /// Starts the run on threads of its own. Must be called inside of a tokio runtime, which then
    /// drives its calls.
    #[must_use]
    pub fn start(self) -> Running {
        let run = Uuid::new_v4();
        let live = Arc::new(Live::new(run, Handle::current(), self.links, self.watcher));
        let stopper = live.stopper();
        let bindings = Arc::new(self.bindings);
        let report = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let performer = Arc::clone(&live);
            let result = self
                .playbook
                .run(&self.input, &bindings, performer, &self.limits);
            let in_doubt = live.in_doubt();
            let outcome = match result {
                // Another limit or a cancellation does not change what is not known.
                _ if !in_doubt.is_empty() => Outcome::InDoubt,
                Ok(value) => Outcome::Done(value),
                Err(RunError::Stopped {
                    reason: StopReason::Cancelled,
                }) => Outcome::Cancelled,
                Err(error) => Outcome::Failed(Box::new(error)),
            };
            Report {
                run,
                outcome,
                notes: live.notes(),
                writes: live.writes(),
                in_doubt,
                took: began.elapsed(),
            }
        });
        Running {
            run,
            stopper,
            report,
        }
    }
}

impl Running {
    /// A handle that ends the run.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// A defect: the thread of the run panicked.
    pub async fn finish(self) -> Result<Report, tokio::task::JoinError> {
        self.report.await
    }
}

/// What came of a single call.
#[derive(Debug)]
pub enum CallOutcome {
    /// Its result.
    Done(Value),
    /// It failed, and it is known what the product did.
    Failed(Box<Failure>),
    /// Somebody cancelled it.
    Cancelled,
    /// It may have happened.
    InDoubt(Box<InDoubt>),
}

/// Calls one action outside of any playbook, by the same seam: one step of a run of its own.
/// `stopper` gets the handle that ends it, before the call begins.
///
/// # Errors
/// A defect: the thread of the call panicked.
pub async fn call(
    name: &str,
    link: Link,
    action: &str,
    arguments: Map,
    watcher: Arc<dyn Watcher>,
    stopper: impl FnOnce(Stopper),
) -> Result<CallOutcome, tokio::task::JoinError> {
    let links = BTreeMap::from([(name.to_owned(), link)]);
    let live = Live::new(Uuid::new_v4(), Handle::current(), links, watcher);
    stopper(live.stopper());
    let (connection, action) = (name.to_owned(), action.to_owned());
    let step = Step::Action {
        connection,
        action,
        arguments,
    };
    tokio::task::spawn_blocking(move || {
        let answer = live.perform(&StepKey::root(1), step);
        match (answer, live.in_doubt().pop()) {
            (Answer::Done(value), _) => CallOutcome::Done(value),
            (Answer::Failed(failure), _) => CallOutcome::Failed(failure),
            (Answer::Stopped, Some(in_doubt)) => CallOutcome::InDoubt(Box::new(in_doubt)),
            (Answer::Stopped, None) => CallOutcome::Cancelled,
        }
    })
    .await
}
