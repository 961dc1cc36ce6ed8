//! `parallel`: the same for each value of a list, side by side, on a bounded set of threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cordon_contract::{Failure, Value};
use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::flow::{composite, option};
use super::world::{given, text};
use super::{Choice, Function, Kind, Parameter, Takes};
use crate::bind::Connection;
use crate::closure;
use crate::limits::STACK_SIZE;
use crate::run::Run;
use crate::scope::Scope;
use crate::step::Composite;
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

/// What is common to all branches.
struct Branches<'a> {
    context: &'a NativeCallContext<'a>,
    run: &'a std::sync::Arc<Run>,
    key: &'a cordon_contract::StepKey,
    act: FnPtr,
    items: Vec<Dynamic>,
    stop_on_error: bool,
    next: AtomicUsize,
    failed: AtomicBool,
    outcomes: Vec<Mutex<Option<Result<Value, Failure>>>>,
}

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
    composite("parallel", step, |run, key, _| {
        let outcomes = items.iter().map(|_| Mutex::new(None)).collect();
        let branches = Branches {
            context,
            run,
            key,
            act,
            items,
            stop_on_error,
            next: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            outcomes,
        };
        branches.execute(max);
        run.check_stopped()?;
        branches.result(shown)
    })
}

/// What the result says the item was.
fn show(item: &Dynamic) -> Result<Value, Error> {
    match item.read_lock::<Connection>() {
        Some(connection) => Ok(Value::text(connection.name())),
        None => given("a value of the list of `parallel`", item),
    }
}

impl Branches<'_> {
    /// Works the branches off: on this thread, and on as many more as `max` and the run allow.
    fn execute(&self, max: usize) {
        let helpers = self
            .run
            .take_threads(max.min(self.items.len()).saturating_sub(1));
        std::thread::scope(|threads| {
            for _ in 0..helpers.count() {
                let worker = std::thread::Builder::new()
                    .name("playbook-branch".to_owned())
                    .stack_size(STACK_SIZE);
                if worker.spawn_scoped(threads, || self.work()).is_err() {
                    // The machine has no thread to spare; the others take its share.
                    break;
                }
            }
            self.work();
        });
        self.run.waited();
    }

    fn work(&self) {
        loop {
            if self.run.check_stopped().is_err()
                || (self.stop_on_error && self.failed.load(Ordering::Acquire))
            {
                return;
            }
            let index = self.next.fetch_add(1, Ordering::AcqRel);
            let Some(item) = self.items.get(index) else {
                return;
            };
            let branch = u32::try_from(index).unwrap_or(u32::MAX);
            let _inside = Scope::inside(self.run.clone(), self.key, branch).enter();
            let result = self
                .act
                .call_raw(self.context, None, [item.clone()])
                .and_then(|result| given("the result of a branch of `parallel`", &result));
            let outcome = match result {
                Ok(value) => Ok(value),
                Err(error) => match self.run.recorded(&error) {
                    Some(failure) => Err(failure),
                    None => return,
                },
            };
            if outcome.is_err() {
                self.failed.store(true, Ordering::Release);
            }
            if let Ok(mut place) = self.outcomes[index].lock() {
                *place = Some(outcome);
            }
        }
    }

    fn result(self, shown: Vec<Value>) -> Result<Dynamic, Error> {
        let outcomes = self
            .outcomes
            .into_iter()
            .map(|outcome| outcome.into_inner().ok().flatten());
        let mut failures = Vec::new();
        let mut skipped = 0;
        let mut entries = Vec::with_capacity(shown.len());
        for (item, outcome) in shown.into_iter().zip(outcomes) {
            let (state, value, error) = match outcome {
                Some(Ok(value)) => ("done", value, Value::Null),
                Some(Err(failure)) => {
                    let caught = thrown::caught(&failure);
                    failures.push(failure);
                    ("failed", Value::Null, caught)
                }
                None => {
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
        if !self.stop_on_error || failures.is_empty() {
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
}
