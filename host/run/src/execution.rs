//! One call of an action outside of any playbook, by the same seam as a step of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_contract::step::{Answer, Step};
use cordon_contract::value::Map;
use cordon_contract::{Delivery, ErrorKind, Failure, StepKey, Value};
use cordon_journal::run::{Order, State, Status};
use cordon_journal::{Moment, RunId, StoreError};
use cordon_playbook::step::Performer as _;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::engine::{Facts, Machine, Senses as _};
use crate::event::Watcher;
use crate::live::{Link, LiveProducts, LiveSurroundings};
use crate::performer::{Children, Parts, Steps};
use crate::report::InDoubt;
use crate::stopper::Stopper;
use crate::unkept::Unkept;

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

/// Calls one action: the one step of a run that is not kept, whose waits hold the caller.
/// `stopper` ends it.
///
/// # Errors
/// A defect: the thread of the call panicked.
pub async fn call(
    name: &str,
    link: Link,
    action: &str,
    arguments: Map,
    watcher: Arc<dyn Watcher>,
    stopper: Stopper,
) -> Result<CallOutcome, tokio::task::JoinError> {
    let facts = Facts(BTreeMap::from([(
        name.to_owned(),
        Arc::clone(link.connector.model()),
    )]));
    let runtime = Handle::current();
    let surroundings = Arc::new(LiveSurroundings::new(runtime.clone(), None));
    let run = RunId(Uuid::new_v4());
    let machine = Machine::new(
        run,
        Arc::new(order(surroundings.now())),
        &status(),
        &[],
        facts,
    );
    let steps = Steps::new(Parts {
        machine,
        store: Arc::new(Unkept::default()),
        surroundings,
        products: Arc::new(LiveProducts {
            links: BTreeMap::from([(name.to_owned(), link)]),
            runtime,
        }),
        children: Arc::new(Childless),
        watcher,
        stopper,
        waits_here: true,
    });
    let of = (name.to_owned(), action.to_owned());
    let key = StepKey::root(1);
    let step = Step::Action {
        connection: name.to_owned(),
        action: action.to_owned(),
        arguments: arguments.clone(),
        undoable: false,
    };
    tokio::task::spawn_blocking(move || {
        let answer = steps.perform(&key, step);
        let machine = steps.machine();
        let failure = match answer {
            Answer::Done(value) => return CallOutcome::Done(value),
            Answer::Failed(failure) => return CallOutcome::Failed(failure),
            // A read leaves nothing behind when it is stopped, a write its intent.
            Answer::Stopped | Answer::Parked if !machine.knows(&key) => {
                return CallOutcome::Cancelled;
            }
            Answer::Stopped | Answer::Parked => machine.doubt_of(&key),
        };
        CallOutcome::InDoubt(Box::new(InDoubt {
            failure: failure.unwrap_or_else(|| unsettled().of(of.0, of.1)),
            step: key,
            arguments,
        }))
    })
    .await
}

/// A write was stopped after its answer was lost, and before it was settled what it did.
fn unsettled() -> Failure {
    Failure {
        delivery: Delivery::Unknown,
        ..Failure::new(
            ErrorKind::Timeout,
            "it was stopped before it became known what the product did",
        )
    }
}

/// A call starts no runs.
struct Childless;

impl Children for Childless {
    fn child(
        &self,
        _: RunId,
        _: &Order,
        _: &StepKey,
        _: &Step,
        _: RunId,
    ) -> Result<Option<Answer>, StoreError> {
        Ok(None)
    }
}

fn order(now: Moment) -> Order {
    Order {
        playbook: String::new(),
        version: String::new(),
        input: Map::new(),
        bindings: BTreeMap::new(),
        started_by: String::new(),
        created: now,
        deadline: Moment(i64::MAX),
        tags: Vec::new(),
        parent: None,
        depth: 0,
        retry_of: None,
        slot: None,
        journal_bytes_max: u64::MAX,
        journal_records_max: u64::MAX,
    }
}

fn status() -> Status {
    Status {
        state: State::Going,
        due: None,
        waits: Vec::new(),
        seq: 0,
        records: 0,
        bytes: 0,
        end: None,
    }
}
