//! What tests run scripts with: a world, connectors, and a way to put a script into both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(unused_imports, reason = "each test file uses its part")]

mod models;
pub mod wit;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_contract::Value;
use cordon_contract::value::Map;
use cordon_playbook::{Bindings, Library, Limits, Offer, Playbook, PlaybookError, RunError};

pub use models::{action, connector, kata};
pub use world::{World, run_to_end};

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

/// Runs the body of `run` again whenever it waited, until it ends; says how often it ran.
pub fn run_waiting(world: World, body: &str) -> (Result<Value, RunError>, Arc<World>, usize) {
    let code = format!("fn run(input) {{\n{body}\n}}");
    run_code_waiting(Arc::new(world), &code, &Limits::default())
}

/// Runs code again whenever it waited, until it ends; says how often it ran.
pub fn run_code_waiting(
    world: Arc<World>,
    code: &str,
    limits: &Limits,
) -> (Result<Value, RunError>, Arc<World>, usize) {
    let (result, executions) = run_to_end(&world, || run_code(code, &world, limits));
    (result, world, executions)
}
