//! A machine with hands: a clock that is set, and a journal that is kept as JSON.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cordon_contract::manifest::{ActionManifest, Effect, Manifest, Repeat};
use cordon_contract::step::{Answer, Approval, Step};
use cordon_contract::value::Map;
use cordon_contract::{Action, ConnectorModel, Delivery, ErrorKind, Failure, StepKey, Type, Value};
use cordon_journal::run::{Order, State, Status};
use cordon_journal::{Change, Entry, Moment, RunId};
use uuid::Uuid;

use super::super::reaction::{Event, Next, Reaction, Senses};
use super::super::{Facts, Machine};

/// A clock that is set, and UUIDs that are counted.
pub struct Clock {
    pub now: Cell<Moment>,
    count: Cell<u128>,
}

impl Senses for Clock {
    fn now(&self) -> Moment {
        self.now.get()
    }

    fn wall(&self) -> Moment {
        self.now.get()
    }

    fn uuid(&self) -> Uuid {
        self.count.set(self.count.get() + 1);
        Uuid::from_u128(self.count.get())
    }
}

pub const BEGIN: Moment = Moment(1_000_000);

/// A machine, its clock, and what was recorded.
pub struct Bench {
    pub machine: Machine,
    pub clock: Clock,
    pub order: Order,
    pub entries: Vec<Entry>,
}

impl Bench {
    pub fn new() -> Self {
        Self::of(order())
    }

    pub fn of(order: Order) -> Self {
        let clock = Clock {
            now: Cell::new(BEGIN),
            count: Cell::new(0),
        };
        Self {
            machine: machine(&order, &[]),
            clock,
            order,
            entries: Vec::new(),
        }
    }

    /// The machine is lost, and made anew from what was recorded.
    pub fn crash(&mut self) {
        self.machine = machine(&self.order, &self.entries);
    }

    pub fn pass(&self, time: Duration) {
        self.clock.now.set(self.clock.now.get().plus(time));
    }

    /// Keeps what is to be recorded, through JSON.
    pub fn keep(&mut self, mut reaction: Reaction) -> Reaction {
        let kept = reaction.clone();
        for change in reaction.changes(RunId::default()) {
            match change {
                Change::Append { seq, record, .. } => {
                    let json = serde_json::to_string(&record).unwrap();
                    let record = serde_json::from_str(&json).unwrap();
                    self.entries.push(Entry { seq, record });
                }
                Change::Prune { seqs, .. } => {
                    self.entries.retain(|entry| !seqs.contains(&entry.seq));
                }
                _ => {}
            }
        }
        kept
    }

    pub fn handle(&mut self, key: &str, event: Event) -> Reaction {
        let reaction = self.machine.handle(&step_key(key), event, &self.clock);
        self.keep(reaction)
    }

    /// The script asks for a step.
    pub fn ask(&mut self, key: &str, step: &Step) -> Next {
        self.handle(key, Event::Asked(step.clone())).next
    }

    pub fn fails(&mut self, key: &str, failure: Failure) -> Next {
        self.handle(key, Event::Called(Err(failure))).next
    }

    pub fn done(&mut self, key: &str, value: Value) -> Next {
        self.handle(key, Event::Called(Ok(value))).next
    }

    pub fn status(&self) -> Status {
        self.machine
            .status(self.clock.now.get(), |_| "another".to_owned())
    }
}

fn machine(order: &Order, entries: &[Entry]) -> Machine {
    let status = Status {
        state: State::Going,
        due: None,
        waits: Vec::new(),
        seq: 0,
        records: 0,
        bytes: 0,
        end: None,
    };
    let order = Arc::new(order.clone());
    Machine::new(RunId::default(), order, &status, entries, facts())
}

pub fn order() -> Order {
    Order {
        playbook: "contain".to_owned(),
        version: String::new(),
        input: Map::new(),
        bindings: BTreeMap::new(),
        started_by: "sam".to_owned(),
        created: BEGIN,
        deadline: BEGIN.plus(Duration::from_secs(24 * 3600)),
        tags: Vec::new(),
        parent: None,
        depth: 0,
        retry_of: None,
        slot: None,
        journal_bytes_max: 1 << 20,
        journal_records_max: 1_000,
    }
}

fn action(name: &str, effect: Effect, repeat: Repeat, reconcile: Option<&str>) -> Action {
    Action {
        name: name.to_owned(),
        interface: String::new(),
        function: name.to_owned(),
        capability: None,
        parameters: Vec::new(),
        result: Some(Type::Text),
        docs: None,
        manifest: ActionManifest {
            effect,
            repeat,
            reconcile: reconcile.map(str::to_owned),
            timeout_ms: Some(10_000),
            ..ActionManifest::unsaid(name)
        },
    }
}

fn facts() -> Facts {
    let write = |name, repeat, asks| action(name, Effect::Irreversible, repeat, asks);
    let model = ConnectorModel {
        manifest: Manifest::unsaid("box"),
        digest: String::new(),
        actions: vec![
            action("get", Effect::Read, Repeat::None, None),
            write("natural", Repeat::Natural, None),
            write("keyed", Repeat::Keyed, Some("was-done")),
            write("once", Repeat::None, Some("was-done")),
            write("blind", Repeat::None, None),
        ],
        companions: Vec::new(),
        capabilities: Vec::new(),
    };
    Facts(BTreeMap::from([("box".to_owned(), Arc::new(model))]))
}

pub fn step_key(text: &str) -> StepKey {
    text.parse().unwrap()
}

pub fn call(action: &str) -> Step {
    Step::Action {
        connection: "box".to_owned(),
        action: action.to_owned(),
        arguments: Map::new(),
        undoable: false,
    }
}

pub fn failure(delivery: Delivery, kind: ErrorKind) -> Failure {
    Failure {
        delivery,
        ..Failure::new(kind, "it failed")
    }
}

/// Its answer was lost.
pub fn lost() -> Failure {
    failure(Delivery::Unknown, ErrorKind::Timeout)
}

pub fn approval(approvers: u32, role: Option<&str>, four_eyes: bool) -> Step {
    Step::Approve(Approval {
        message: "Isolate ws-17?".to_owned(),
        role: role.map(str::to_owned),
        expires_ms: Some(60_000),
        approvers,
        four_eyes,
    })
}

pub fn sleep(time: Duration) -> Step {
    Step::Sleep {
        duration: time,
        reason: cordon_contract::step::Pause::Sleep,
    }
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The failure that the script gets.
pub fn failed(next: Next) -> Failure {
    match next {
        Next::Answer(Answer::Failed(failure)) => *failure,
        other => panic!("{other:?}"),
    }
}

pub const PARKED: Next = Next::Answer(Answer::Parked);

pub fn answer(value: Value) -> Next {
    Next::Answer(Answer::Done(value))
}
