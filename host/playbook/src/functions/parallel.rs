//! `parallel`: the same for each value of a list, side by side, on a bounded set of threads.

mod board;
mod workers;

use cordon_contract::{Failure, Value};
use rhai::{Dynamic, NativeCallContext};

use super::composite::composite;
use super::flow::option;
use super::world::{given, text};
use super::{Choice, Function, Kind, Parameter, Takes};
use crate::bind::Connection;
use crate::closure;
use crate::step::{Answer, Composite};
use crate::thrown::{self, Error};

const MAX_DEFAULT: usize = 8;

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "parallel",
    parameters: &[
        Parameter {
            name: "list",
            takes: Takes::List,
            optional: false,
            docs: "the values",
        },
        Parameter {
            name: "act",
            takes: Takes::Closure("|value| …"),
            optional: false,
            docs: "what to do for each",
        },
        Parameter {
            name: "options",
            takes: Takes::Options(&[
                Choice {
                    name: "max",
                    takes: Takes::Integer,
                    default: "`8`",
                    docs: "at most this many at a time",
                },
                Choice {
                    name: "on_error",
                    takes: Takes::Text,
                    default: "`\"stop\"`",
                    docs: "`\"stop\"`: begin no further value after a failure, finish those that were begun, and fail with `details.items`; `\"continue\"`: do all and give the list, failures included",
                },
            ]),
            optional: true,
            docs: "how many at a time, what after a failure",
        },
    ],
    gives: "a list in the order of the values",
    docs: "Does the same for each value, several at a time. Each entry of the result has `item` (the value; a connection as its name), `state` (`\"done\"`, `\"failed\"` or `\"skipped\"`), `value` and `error` (what `catch` would have seen). The closure works on copies of what it captures: collect by what it gives, not by assigning.",
    kind: Kind::Composite,
    example: "let edr = connection(\"edr\");\nlet found = parallel([\"ws-17\", \"ws-18\"], |host| edr.list_sensors(#{ host: host }).len(), #{ max: 4, on_error: \"continue\" });\nfound.map(|entry| entry.state)",
    example_gives: "[\"done\",\"done\"]",
    hides: &[],
    call: parallel,
}];

fn parallel(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let items: Vec<Dynamic> = arguments[0]
        .flatten_clone()
        .into_array()
        .unwrap_or_default()
        .iter()
        .map(closure::detach)
        .collect();
    let act = closure::of(arguments[1])?;
    let max = match option(arguments, 2, "max").and_then(|max| max.as_int().ok()) {
        None => MAX_DEFAULT,
        Some(max) => usize::try_from(max)
            .ok()
            .filter(|max| *max > 0)
            .ok_or_else(|| {
                thrown::mistake(format!("`max` of `parallel`: {max} is not above 0"), None)
            })?,
    };
    let stop_on_error = match option(arguments, 2, "on_error")
        .map(|on_error| text(&on_error))
        .as_deref()
    {
        None | Some("stop") => true,
        Some("continue") => false,
        Some(other) => {
            let help = "it is \"stop\" or \"continue\"";
            return Err(thrown::mistake(
                format!("`on_error` of `parallel`: \"{other}\" is not known"),
                Some(help),
            ));
        }
    };
    let shown = items
        .iter()
        .map(show)
        .collect::<Result<Vec<Value>, Error>>()?;
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let step = Composite::Parallel {
        branches: count(items.len()),
        max: count(max),
    };
    composite("parallel", step, |within| {
        let outcomes = workers::run(context, within, act, items, (max, stop_on_error))?;
        result(shown, outcomes, stop_on_error)
    })
}

/// What the result says the item was.
fn show(item: &Dynamic) -> Result<Value, Error> {
    match item.read_lock::<Connection>() {
        Some(connection) => Ok(Value::text(connection.name())),
        None => given("a value of the list of `parallel`", item),
    }
}

/// The list that `parallel` gives, or the failure that ends it.
fn result(
    shown: Vec<Value>,
    outcomes: Vec<Option<Answer>>,
    stop_on_error: bool,
) -> Result<Dynamic, Error> {
    let mut failures = Vec::new();
    let mut skipped = 0;
    let mut entries = Vec::with_capacity(shown.len());
    for (item, outcome) in shown.into_iter().zip(outcomes) {
        let (state, value, error) = match outcome {
            Some(Answer::Done(value)) => ("done", value, Value::Null),
            Some(Answer::Failed(failure)) => {
                let caught = thrown::caught(&failure);
                failures.push(*failure);
                ("failed", Value::Null, caught)
            }
            _ => {
                skipped += 1;
                ("skipped", Value::Null, Value::Null)
            }
        };
        entries.push(Value::map([
            ("item", item),
            ("state", Value::text(state)),
            ("value", value),
            ("error", error),
        ]));
    }
    let count = entries.len();
    let items = Value::List(entries);
    if !stop_on_error || failures.is_empty() {
        return Ok(crate::value::to_script(&items));
    }
    let first = &failures[0];
    let message = format!(
        "{} of {count} branches failed and {skipped} were not begun; the first failure: {}",
        failures.len(),
        first.message
    );
    let details = Value::map([("items", items)]);
    Err(match thrown::is_action(first) {
        true => {
            let code = Some("playbook.parallel".to_owned());
            thrown::failure(&Failure {
                message,
                details,
                code,
                ..first.clone()
            })
        }
        false => thrown::failed(message, details),
    })
}
