//! What a guest answered, or how it failed to, turned into a result or a failure that may leave
//! Cordon once it is scrubbed.

use std::time::Duration;

use cordon_contract::types::Type;
use cordon_contract::{Delivery, ErrorKind, Failure, SecretReference, Value, units};
use wasmtime::component::Val;

use crate::limits::{Limit, LimitReached, Limits};
use crate::outcome::Ending;
use crate::sandbox::{Meter, Output};
use crate::scrub::Scrub;
use crate::values::{JsonBounds, lift};

/// The result in its exact form, or the connector's error.
pub(crate) fn read(
    answer: Val,
    result: Option<&Type>,
    json: JsonBounds,
    secrets: &[SecretReference],
    meter: &Meter,
) -> Result<Value, Failure> {
    let defect = |problem: String| {
        let message =
            format!("the connector returned what it must not: {problem}; report it to its author");
        Failure {
            delivery: meter.delivery_of_broken_call(),
            ..Failure::new(ErrorKind::Internal, message).with_code("action.result")
        }
    };
    match answer {
        Val::Result(Ok(value)) => match (value, result) {
            (Some(value), Some(result)) => lift(*value, result, json, secrets)
                .map_err(|error| defect(format!("its result{}", spaced(&error)))),
            _ => Ok(Value::Null),
        },
        Val::Result(Err(Some(error))) => Err(Failure {
            delivery: meter.delivery(),
            ..failure(*error, json, meter)
        }),
        _ => Err(defect("neither a result nor an error".to_owned())),
    }
}

/// `.field: problem`, or ` problem` for the value itself.
fn spaced(error: &cordon_contract::ValueError) -> String {
    match error.path.as_str() {
        "" => format!(" {}", error.problem),
        path if path.starts_with('[') => format!("{error}"),
        _ => format!(".{error}"),
    }
}

/// The contract's `error`, read by the names of its fields: kinds and fields that were added later,
/// or are not there yet, do no harm.
fn failure(error: Val, json: JsonBounds, meter: &Meter) -> Failure {
    let mut failure = Failure::new(
        ErrorKind::Internal,
        "the connector failed without saying why",
    );
    let Val::Record(fields) = error else {
        return failure;
    };
    for (name, value) in fields {
        let value = match value {
            Val::Option(Some(value)) => *value,
            value => value,
        };
        match (name.as_str(), value) {
            ("kind", Val::Enum(kind)) => {
                let known = ErrorKind::ALL
                    .into_iter()
                    .find(|known| cordon_contract::name::same(known.name(), &kind));
                failure.kind = known.unwrap_or(ErrorKind::Internal);
            }
            ("message", Val::String(message)) if !message.trim().is_empty() => {
                failure.message = message
            }
            ("status", Val::U16(status)) => failure.status = Some(status),
            ("retry-after", Val::U64(milliseconds)) => failure.retry_after_ms = Some(milliseconds),
            ("details", Val::String(text)) => {
                failure.details = json.read(&text).unwrap_or(Value::Text(text))
            }
            _ => {}
        }
    }
    match meter.refused_by() {
        Some(reached) => {
            failure.message = format!("{} ({reached})", failure.message);
            failure.with_code("action.limit")
        }
        None => match meter.failed_with() {
            Some(code) => failure.with_code(code),
            None => failure,
        },
    }
}

/// A guest that did not answer.
pub(crate) fn broken(ending: &Ending, delivery: Delivery) -> Failure {
    let (kind, code) = match ending {
        Ending::Limit(_) => (ErrorKind::Internal, "action.limit"),
        Ending::Busy => (ErrorKind::Unavailable, "action.limit"),
        Ending::Trap { .. } | Ending::Exit | Ending::Other(_) => {
            (ErrorKind::Internal, "action.broken")
        }
    };
    Failure {
        delivery,
        ..Failure::new(kind, ending.to_string()).with_code(code)
    }
}

/// A call that took too long. Never a success: the product may have acted.
pub(crate) fn timed_out(timeout: Duration, delivery: Delivery) -> Failure {
    let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let message = format!(
        "the action took longer than {} and was ended",
        units::format_duration(milliseconds)
    );
    Failure {
        delivery,
        ..Failure::new(ErrorKind::Timeout, message).with_code("action.timeout")
    }
}

/// A call whose time was over before there was a free instance.
pub(crate) fn no_instance(limits: &Limits) -> Failure {
    let reached = LimitReached {
        limit: Limit::Instances,
        allowed: limits.get(Limit::Instances),
    };
    let message = format!(
        "no connector could be entered in time: {reached}; try again, or raise it in `[limits]` of `cordon.toml`"
    );
    Failure::new(ErrorKind::Unavailable, message).with_code("action.limit")
}

/// Sends what a guest wrote to its output to the log.
pub(crate) fn log_output(scrub: &Scrub, connector: &str, action: &str, output: &Output) {
    for text in output.lines() {
        let line = scrub.line(&text);
        tracing::info!(
            connector,
            connection = scrub.connection_name(),
            action,
            "output: {line}"
        );
    }
}
