//! A world for scripts: connections that answer from Rust, a clock that sleeping moves, and a record of
//! every step that a run took.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]
#![allow(dead_code, reason = "each test file uses its part")]

pub mod wit;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordon_contract::manifest::{ActionManifest, Effect, Manifest, Repeat};
use cordon_contract::types::{Field, Record, Width};
use cordon_contract::value::Map;
use cordon_contract::{Action, ConnectorModel, Failure, StepKey, Type, Value, units};
use cordon_playbook::step::{Answer, Composite, Entry, Performer, Step, StopFlag, StopReason};
use cordon_playbook::{Bindings, Library, Limits, Offer, Playbook, PlaybookError, RunError};

type Respond = dyn Fn(&str, &str, &Map) -> Result<Value, Failure> + Send + Sync;

/// Performs steps and remembers them.
pub struct World {
    respond: Box<Respond>,
    stop_after: Option<usize>,
    flag: StopFlag,
    clock_ms: AtomicU64,
    entered_ms: Mutex<BTreeMap<String, u64>>,
    /// Key and what was asked, in the order of asking.
    pub steps: Mutex<Vec<(String, Step)>>,
    /// Key and outcome of every composite that was left.
    pub left: Mutex<BTreeMap<String, Answer>>,
    /// Composites that are finished before the run begins.
    finished: BTreeMap<String, Answer>,
    /// Where a composite goes on, by its key.
    resumed: BTreeMap<String, (u32, Duration)>,
}

impl World {
    /// A world whose connections answer everything with this.
    pub fn new(
        respond: impl Fn(&str, &str, &Map) -> Result<Value, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            respond: Box::new(respond),
            stop_after: None,
            flag: StopFlag::default(),
            clock_ms: AtomicU64::new(1_773_480_097_000),
            entered_ms: Mutex::default(),
            steps: Mutex::default(),
            left: Mutex::default(),
            finished: BTreeMap::new(),
            resumed: BTreeMap::new(),
        }
    }

    /// A world whose connections answer everything with nothing.
    pub fn silent() -> Self {
        Self::new(|_, _, _| Ok(Value::Null))
    }

    /// Stops the run at the step after this many.
    pub fn stopping_after(mut self, steps: usize) -> Self {
        self.stop_after = Some(steps);
        self
    }

    /// With a composite that finished in an earlier execution.
    pub fn with_finished(mut self, key: &str, answer: Answer) -> Self {
        self.finished.insert(key.to_owned(), answer);
        self
    }

    /// With a composite that an earlier execution left at this iteration.
    pub fn with_resumed(mut self, key: &str, iteration: u32, elapsed: Duration) -> Self {
        self.resumed.insert(key.to_owned(), (iteration, elapsed));
        self
    }

    /// The keys of the steps, sorted: branches run side by side.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<StepKey> = self
            .steps
            .lock()
            .unwrap()
            .iter()
            .map(|(key, _)| key.parse().unwrap())
            .collect();
        keys.sort();
        keys.iter().map(ToString::to_string).collect()
    }

    /// How many actions were called.
    pub fn calls(&self) -> usize {
        self.steps
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, step)| matches!(step, Step::Action { .. }))
            .count()
    }

    /// How long the run slept.
    pub fn pauses(&self) -> Vec<Duration> {
        let steps = self.steps.lock().unwrap();
        steps
            .iter()
            .filter_map(|(_, step)| match step {
                Step::Sleep { duration, .. } => Some(*duration),
                _ => None,
            })
            .collect()
    }

    /// The flag of the run.
    pub fn flag(&self) -> &StopFlag {
        &self.flag
    }
}

impl Performer for World {
    fn perform(&self, key: &StepKey, step: Step) -> Answer {
        let mut steps = self.steps.lock().unwrap();
        if self.stop_after.is_some_and(|after| steps.len() >= after) {
            self.flag.stop(StopReason::Suspended);
        }
        if self.flag.is_stopped() {
            return Answer::Stopped;
        }
        steps.push((key.to_string(), step.clone()));
        let count = steps.len();
        drop(steps);
        match step {
            Step::Action {
                connection,
                action,
                arguments,
            } => match (self.respond)(&connection, &action, &arguments) {
                Ok(value) => Answer::Done(value),
                Err(failure) => {
                    Answer::Failed(Box::new(failure.of(connection, action.replace('-', "_"))))
                }
            },
            Step::Now => {
                let now = i64::try_from(self.clock_ms.load(Ordering::SeqCst)).unwrap();
                Answer::Done(Value::Text(units::format_timestamp(now).unwrap()))
            }
            Step::Uuid => Answer::Done(Value::text(format!("00000000-0000-4000-8000-{count:012}"))),
            Step::Sleep { duration, .. } => {
                self.clock_ms.fetch_add(
                    u64::try_from(duration.as_millis()).unwrap(),
                    Ordering::SeqCst,
                );
                Answer::Done(Value::Null)
            }
            Step::Log { .. } | Step::Progress { .. } | Step::Note { .. } => {
                Answer::Done(Value::Null)
            }
        }
    }

    fn enter(&self, key: &StepKey, _: Composite) -> Entry {
        let key = key.to_string();
        if let Some(answer) = self.finished.get(&key) {
            return Entry::Finished(answer.clone());
        }
        let (iteration, elapsed) = self.resumed.get(&key).copied().unwrap_or_default();
        let now = self.clock_ms.load(Ordering::SeqCst);
        let begun = now - u64::try_from(elapsed.as_millis()).unwrap();
        self.entered_ms.lock().unwrap().insert(key, begun);
        Entry::Begin { iteration, elapsed }
    }

    fn iterate(&self, _: &StepKey, _: u32) {}

    fn leave(&self, key: &StepKey, outcome: &Answer) {
        self.left
            .lock()
            .unwrap()
            .insert(key.to_string(), outcome.clone());
    }

    fn elapsed(&self, key: &StepKey) -> Duration {
        let begun = self.entered_ms.lock().unwrap()[&key.to_string()];
        Duration::from_millis(self.clock_ms.load(Ordering::SeqCst) - begun)
    }

    fn stop_flag(&self) -> &StopFlag {
        &self.flag
    }
}

fn field(name: &str, r#type: Type) -> Field {
    Field {
        name: name.to_owned(),
        r#type,
        docs: None,
    }
}

fn optional(r#type: Type) -> Type {
    Type::Option(Arc::new(r#type))
}

/// An action of the connector's own.
pub fn action(name: &str, parameters: Vec<Field>, result: Option<Type>, effect: Effect) -> Action {
    Action {
        name: name.to_owned(),
        interface: "cordon:kata/actions@0.1.0".to_owned(),
        function: name.to_owned(),
        capability: None,
        parameters,
        result,
        docs: None,
        manifest: ActionManifest {
            effect,
            repeat: Repeat::None,
            ..ActionManifest::unsaid(name)
        },
    }
}

fn of_capability(capability: &str, function: &str, parameters: Vec<Field>) -> Action {
    Action {
        interface: format!("cordon:capability/{capability}@0.1.0"),
        function: function.to_owned(),
        capability: Some(capability.to_owned()),
        ..action(
            &format!("{capability}-{function}"),
            parameters,
            None,
            Effect::Read,
        )
    }
}

/// A connector like KATA's, small.
pub fn kata() -> Arc<ConnectorModel> {
    connector(
        "kata",
        vec![
            action(
                "list-sensors",
                vec![field("host", optional(Type::Text))],
                None,
                Effect::Read,
            ),
            action(
                "isolate",
                vec![
                    field("sensor-id", Type::Text),
                    field("duration", optional(Type::Duration)),
                ],
                None,
                Effect::Reversible,
            ),
            action(
                "get-task",
                vec![field("task-id", Type::Text)],
                None,
                Effect::Read,
            ),
            action(
                "create-run-task",
                vec![field("sensor-id", Type::Text), field("command", Type::Text)],
                None,
                Effect::Irreversible,
            ),
            action("ping", vec![], None, Effect::Read),
            action(
                "open",
                vec![field("password", Type::Secret)],
                None,
                Effect::Read,
            ),
            action(
                "odd",
                cordon_playbook::words::ORDINARY
                    .iter()
                    .map(|word| field(word, optional(Type::Text)))
                    .collect(),
                None,
                Effect::Read,
            ),
            action(
                "limit",
                vec![
                    field("ports", Type::List(Arc::new(Type::Integer(Width::U16)))),
                    field(
                        "scope",
                        optional(Type::Record(Arc::new(Record {
                            name: Some("scope".to_owned()),
                            fields: vec![field("since", Type::Timestamp)],
                            docs: None,
                        }))),
                    ),
                ],
                None,
                Effect::Reversible,
            ),
            of_capability("isolation", "isolate", vec![field("host", Type::Text)]),
            of_capability("isolation", "state", vec![field("host", Type::Text)]),
            of_capability("hosts", "find", vec![field("name", optional(Type::Text))]),
            of_capability("hosts", "state", vec![]),
        ],
        &["hosts", "isolation"],
    )
}

/// A connector with these actions.
pub fn connector(name: &str, actions: Vec<Action>, capabilities: &[&str]) -> Arc<ConnectorModel> {
    Arc::new(ConnectorModel {
        manifest: Manifest {
            name: name.to_owned(),
            title: name.to_uppercase(),
            vendor: String::new(),
            version: "0.1.0".to_owned(),
            description: String::new(),
            settings: Vec::new(),
            credentials: Vec::new(),
            rate_per_second: None,
            concurrency: None,
            actions: Vec::new(),
        },
        digest: "0".repeat(64),
        actions,
        companions: Vec::new(),
        capabilities: capabilities.iter().map(ToString::to_string).collect(),
    })
}

/// `edr` bound to `kata-1`, `edrs` to `kata-1` and `kata-2`.
pub fn offers() -> BTreeMap<String, Vec<Offer>> {
    let offer = |name: &str| Offer {
        name: name.to_owned(),
        model: kata(),
    };
    [
        ("edr".to_owned(), vec![offer("kata-1")]),
        ("edrs".to_owned(), vec![offer("kata-1"), offer("kata-2")]),
    ]
    .into()
}

/// A playbook with both aliases and this code.
pub fn script(code: &str) -> String {
    format!(
        "const PLAYBOOK = #{{ title: \"test\", uses: #{{ edr: \"kata\", edrs: [\"kata\"] }} }};\n{code}"
    )
}

/// The playbook of a whole script.
pub fn compile(text: &str) -> Result<Playbook, PlaybookError> {
    Playbook::compile("test.rhai", text, &Library::none())
}

/// Binds a playbook to the connections of [`offers`].
pub fn bind(playbook: &Playbook) -> Result<Arc<Bindings>, PlaybookError> {
    playbook.bind(&offers()).map(Arc::new)
}

/// Runs code that stands in a script with both aliases.
pub fn run_code(code: &str, world: &Arc<World>, limits: &Limits) -> Result<Value, RunError> {
    let playbook = compile(&script(code)).unwrap_or_else(|error| panic!("{error}"));
    let bindings = bind(&playbook).unwrap_or_else(|error| panic!("{error}"));
    playbook.run(&Map::new(), &bindings, world.clone(), limits)
}

/// Runs the body of `run` in a world.
pub fn run_in(world: World, body: &str) -> (Result<Value, RunError>, Arc<World>) {
    let world = Arc::new(world);
    (
        run_code(
            &format!("fn run(input) {{\n{body}\n}}"),
            &world,
            &Limits::default(),
        ),
        world,
    )
}

/// Runs the body of `run` where nothing answers.
pub fn run(body: &str) -> Result<Value, RunError> {
    run_in(World::silent(), body).0
}

/// JSON as a value.
pub fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}
