//! `poll` and `retry`: doing the same again until it is right. Both are composite steps.

use std::time::Duration;

use cordon_contract::{Delivery, Effect, ErrorKind, Failure, Repeat, Value, name};
use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::composite::composite;
use super::world::{duration, scope, text};
use super::{Choice, Function, Kind, Parameter, Takes};
use crate::closure;
use crate::run::Run;
use crate::step::{Composite, Pause, Step};
use crate::thrown::{self, Error};
use crate::value;

/// The longest pause that a growing backoff comes to.
const BACKOFF_MAX: Duration = Duration::from_secs(300);
const ATTEMPTS_MAX: u32 = 1000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "poll",
        parameters: &[
            Parameter {
                name: "look",
                takes: Takes::Closure("|| …"),
                optional: false,
                docs: "reads what is waited for",
            },
            Parameter {
                name: "done",
                takes: Takes::Closure("|value| …"),
                optional: false,
                docs: "says whether that is it",
            },
            Parameter {
                name: "options",
                takes: Takes::Options(&[
                    Choice {
                        name: "every",
                        takes: Takes::Duration,
                        default: "`\"5s\"`",
                        docs: "the pause between two looks",
                    },
                    Choice {
                        name: "timeout",
                        takes: Takes::Duration,
                        default: "`\"10m\"`",
                        docs: "after this long the poll fails; the last look is at its very end",
                    },
                ]),
                optional: true,
                docs: "how often, how long",
            },
        ],
        gives: "the value of the look that was it",
        docs: "Looks again and again until a condition holds. When the time is over it fails with the kind `\"timeout\"`: running out of time is never a success. A look that fails in passing (`retryable`: the product is busy, away, or slow) counts as *not yet*; any other failure ends the poll.",
        kind: Kind::Composite,
        example: "let edr = connection(\"edr\");\nlet task = poll(|| edr.get_task(#{ task_id: \"t-1\" }), |task| task.finished, #{ every: \"5s\", timeout: \"10m\" });\ntask.state",
        example_gives: "\"completed\"",
        hides: &[],
        call: poll,
    },
    Function {
        name: "retry",
        parameters: &[
            Parameter {
                name: "act",
                takes: Takes::Closure("|| …"),
                optional: false,
                docs: "what to try",
            },
            Parameter {
                name: "options",
                takes: Takes::Options(&[
                    Choice {
                        name: "attempts",
                        takes: Takes::Integer,
                        default: "`3`",
                        docs: "at most this many tries",
                    },
                    Choice {
                        name: "backoff",
                        takes: Takes::Duration,
                        default: "`\"1s\"`",
                        docs: "the pause after the first failure; each further one is twice as long, up to five minutes, and never shorter than the product asks for",
                    },
                    Choice {
                        name: "on",
                        takes: Takes::List,
                        default: "what is `retryable`",
                        docs: "the kinds of failure to try again after, such as `[\"conflict\", \"unavailable\"]`",
                    },
                ]),
                optional: true,
                docs: "how often, after what",
            },
        ],
        gives: "what the closure gives",
        docs: "Tries again after a failure that may pass. A write whose answer was lost is not tried again: the product may have done it.",
        kind: Kind::Composite,
        example: "let edr = connection(\"edr\");\nretry(|| edr.list_sensors(#{ host: \"ws-17\" }), #{ attempts: 5, backoff: \"2s\" }).len()",
        example_gives: "1",
        hides: &[],
        call: retry,
    },
];

/// The option of this name, if the options are given and have it.
pub(super) fn option(arguments: &[&mut Dynamic], index: usize, name: &str) -> Option<Dynamic> {
    arguments
        .get(index)?
        .read_lock::<rhai::Map>()?
        .get(name)
        .cloned()
}

fn poll(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let every = option(arguments, 2, "every").map_or(Ok(5_000), |every| duration(&every))?;
    let timeout =
        option(arguments, 2, "timeout").map_or(Ok(600_000), |timeout| duration(&timeout))?;
    let (every, timeout) = (Duration::from_millis(every), Duration::from_millis(timeout));
    let (look, done) = (closure::of(arguments[0])?, closure::of(arguments[1])?);
    let step = Composite::Poll { every, timeout };
    composite("poll", step, |within| {
        let mut iteration = within.begin;
        loop {
            let _look = within.look(iteration).enter();
            let last = match look_once(context, &look, &done) {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(not_yet)) => not_yet,
                Err(error) => match within.run.recorded(&error) {
                    Some(failure)
                        if failure.is_retryable() && may_repeat(&within.run, &failure) =>
                    {
                        failure.message
                    }
                    _ => return Err(error),
                },
            };
            let again = Step::Again { every, timeout };
            let is_time_left = within.run.perform(&*scope()?, "poll", again)?;
            if is_time_left != Value::Bool(true) {
                return Err(out_of_time(timeout, &last));
            }
            iteration = iteration.saturating_add(1);
            within.run.iterate(&within.key, iteration)?;
        }
    })
}

fn out_of_time(timeout: Duration, last: &str) -> Error {
    let time = cordon_contract::units::format_duration(
        u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
    );
    let message = format!("what was polled for did not come within {time}; last seen: {last}");
    thrown::failure(&Failure::new(ErrorKind::Timeout, message).with_code("playbook.poll-timeout"))
}

/// What was found, or what was seen instead.
fn look_once(
    context: &NativeCallContext,
    look: &FnPtr,
    done: &FnPtr,
) -> Result<Result<Dynamic, String>, Error> {
    let found = look.call_raw(context, None, [])?;
    let answer = done.call_raw(context, None, [found.clone()])?;
    match answer.as_bool() {
        Ok(true) => Ok(Ok(found)),
        Ok(false) => Ok(Err(shorten(
            value::from_script(&found)
                .map_or_else(|error| error.to_string(), |found| found.to_json()),
        ))),
        Err(_) => Err(thrown::mistake(
            format!(
                "`done` of `poll` gave {}, not a boolean",
                value::kind(&answer)
            ),
            None,
        )),
    }
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn retry(context: &NativeCallContext, arguments: &mut [&mut Dynamic]) -> Result<Dynamic, Error> {
    let attempts =
        match option(arguments, 1, "attempts").and_then(|attempts| attempts.as_int().ok()) {
            None => 3,
            Some(attempts) => u32::try_from(attempts)
                .ok()
                .filter(|attempts| (1..=ATTEMPTS_MAX).contains(attempts))
                .ok_or_else(|| {
                    thrown::mistake(
                        format!("`attempts` of `retry`: {attempts} is not in 1..={ATTEMPTS_MAX}"),
                        None,
                    )
                })?,
        };
    let backoff =
        option(arguments, 1, "backoff").map_or(Ok(1_000), |backoff| duration(&backoff))?;
    let kinds = option(arguments, 1, "on")
        .map(|on| kinds(&on))
        .transpose()?;
    let act = closure::of(arguments[0])?;
    composite("retry", Composite::Retry { attempts }, |within| {
        let mut iteration = within.begin;
        loop {
            let _try = within.scope(iteration).enter();
            let error = match act.call_raw(context, None, []) {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let Some(failure) = within.run.recorded(&error) else {
                return Err(error);
            };
            iteration = iteration.saturating_add(1);
            if iteration >= attempts || !is_tried_again(&within.run, &failure, kinds.as_deref()) {
                return Err(error);
            }
            let doubled = Duration::from_millis(backoff)
                .saturating_mul(1 << (iteration - 1).min(20))
                .min(BACKOFF_MAX);
            let asked = Duration::from_millis(failure.retry_after_ms.unwrap_or(0));
            pause(&within.run, doubled.max(asked))?;
            within.run.iterate(&within.key, iteration)?;
        }
    })
}

fn kinds(on: &Dynamic) -> Result<Vec<String>, Error> {
    let known: Vec<&str> = ErrorKind::ALL
        .iter()
        .map(|kind| kind.name())
        .chain([thrown::FAILED, thrown::SCRIPT])
        .collect();
    let list = on.clone().into_array().unwrap_or_default();
    list.iter()
        .map(|kind| {
            let kind = text(kind);
            if known.contains(&kind.as_str()) {
                return Ok(kind);
            }
            let help = match name::nearest(&kind, known.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are \"{}\"", known.join("\", \"")),
            };
            Err(thrown::mistake(
                format!("`on` of `retry`: \"{kind}\" is no kind of failure"),
                Some(&help),
            ))
        })
        .collect()
}

fn is_tried_again(run: &Run, failure: &Failure, kinds: Option<&[String]>) -> bool {
    let kind = thrown::caught(failure)
        .get("kind")
        .and_then(Value::as_text)
        .unwrap_or_default()
        .to_owned();
    let wanted = kinds.map_or_else(|| failure.is_retryable(), |kinds| kinds.contains(&kind));
    wanted && may_repeat(run, failure)
}

/// Whether the failed action may be sent again. Not when it may have changed something unseen: a
/// further try is another step with another idempotency key, so that only what is a read or harmless
/// to do twice may be.
fn may_repeat(run: &Run, failure: &Failure) -> bool {
    failure.delivery != Delivery::Unknown
        || run
            .bindings()
            .action(&failure.connection, &failure.action)
            .is_some_and(|action| {
                action.manifest.worst_effect() == Effect::Read
                    || action.manifest.repeat == Repeat::Natural
            })
}

fn pause(run: &Run, duration: Duration) -> Result<(), Error> {
    if duration.is_zero() {
        return run.check_stopped();
    }
    let reason = Pause::Retry;
    run.perform(&*scope()?, "retry", Step::Sleep { duration, reason })
        .map(|_| ())
}
