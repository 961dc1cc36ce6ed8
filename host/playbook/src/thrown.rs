//! Errors as scripts throw and catch them: always a map with `kind` and `message`.
//!
//! | `kind` | thrown by |
//! | --- | --- |
//! | a kind of [`ErrorKind`] | a failed action, or `poll`, `retry` and `parallel` around one: [`Failure::to_value`] |
//! | `failed` | `fail` |
//! | `script` | a mistake in using the language: a wrong argument, a text that is no duration |
//!
//! What else a script throws travels as it is. A composite step records its outcome as a [`Failure`];
//! what is none is wrapped on the way into the record and unwrapped on the way out, so that a run that
//! is replayed throws what the first one threw.

use cordon_contract::{ErrorKind, Failure, Value};
use rhai::{Dynamic, EvalAltResult, Position};

use crate::error;
use crate::value;

/// The `kind` of what `fail` throws.
pub(crate) const FAILED: &str = "failed";
/// The `kind` of a mistake in the script.
pub(crate) const SCRIPT: &str = "script";
/// The code of a failure that wraps what a script threw.
const WRAPPED: &str = "playbook.thrown";

pub(crate) type Error = Box<EvalAltResult>;

/// The error that a script catches when an action failed.
pub(crate) fn failure(failure: &Failure) -> Error {
    if failure.code.as_deref() == Some(WRAPPED) {
        return unwrap(failure);
    }
    value(&failure.to_value(), Position::NONE)
}

/// The error of `fail`.
pub(crate) fn failed(message: String, details: Value) -> Error {
    let map = Value::map([
        ("kind", Value::text(FAILED)),
        ("message", Value::Text(message)),
        ("details", details),
        ("retryable", Value::Bool(false)),
    ]);
    value(&map, Position::NONE)
}

/// The error of a script that uses the language wrongly.
pub(crate) fn mistake(message: String, help: Option<&str>) -> Error {
    let map = Value::map([
        ("kind", Value::text(SCRIPT)),
        ("message", Value::Text(message)),
        ("help", help.map_or(Value::Null, Value::from)),
        ("retryable", Value::Bool(false)),
    ]);
    value(&map, Position::NONE)
}

/// What ends the script when its run is stopped. No `catch` sees it.
pub(crate) fn terminated() -> Error {
    Box::new(EvalAltResult::ErrorTerminated(
        Dynamic::UNIT,
        Position::NONE,
    ))
}

fn value(value: &Value, position: Position) -> Error {
    Box::new(EvalAltResult::ErrorRuntime(
        value::to_script(value),
        position,
    ))
}

/// The failure that stands for an error in the record of a composite step. None for an error that
/// has no outcome: the run was stopped.
pub(crate) fn to_failure(error: &Error) -> Option<Failure> {
    let position = innermost(error).position();
    match innermost(error) {
        EvalAltResult::ErrorTerminated(..) => None,
        EvalAltResult::ErrorRuntime(thrown, _) => {
            let thrown =
                value::from_script(thrown).unwrap_or_else(|_| Value::Text(thrown.to_string()));
            Some(Failure::from_value(&thrown).unwrap_or_else(|| wrap(thrown, position)))
        }
        other => {
            let (message, help) = error::mistake(other);
            let map = Value::map([
                ("kind", Value::text(SCRIPT)),
                ("message", Value::Text(message)),
                ("help", help.map_or(Value::Null, Value::Text)),
                ("retryable", Value::Bool(false)),
            ]);
            Some(wrap(map, position))
        }
    }
}

/// The value that a script catches for a failure of a composite step's record.
pub(crate) fn caught(failure: &Failure) -> Value {
    match failure.code.as_deref() {
        Some(WRAPPED) => failure.details.get("thrown").cloned().unwrap_or_default(),
        _ => failure.to_value(),
    }
}

/// Whether it is the failure of an action, or of a composite step around one.
pub(crate) fn is_action(failure: &Failure) -> bool {
    failure.code.as_deref() != Some(WRAPPED)
}

fn wrap(thrown: Value, position: Position) -> Failure {
    let message = match thrown.get("message").and_then(Value::as_text) {
        Some(message) => message.to_owned(),
        None => thrown
            .as_text()
            .map_or_else(|| thrown.to_json(), str::to_owned),
    };
    let count = |count: Option<usize>| {
        Value::from(
            count
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(0),
        )
    };
    let details = Value::map([
        ("thrown", thrown),
        ("line", count(position.line())),
        ("column", count(position.position())),
    ]);
    Failure {
        details,
        ..Failure::new(ErrorKind::Internal, message).with_code(WRAPPED)
    }
}

fn unwrap(failure: &Failure) -> Error {
    let count = |name: &str| match failure.details.get(name) {
        Some(Value::Integer(count)) => u16::try_from(*count).unwrap_or(0),
        _ => 0,
    };
    let (line, column) = (count("line"), count("column"));
    let position = if line == 0 {
        Position::NONE
    } else {
        Position::new(line, column)
    };
    value(&caught(failure), position)
}

/// The error inside of the calls that it went through.
pub(crate) fn innermost(error: &EvalAltResult) -> &EvalAltResult {
    error.unwrap_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thrown(error: &Error) -> Value {
        match innermost(error) {
            EvalAltResult::ErrorRuntime(thrown, _) => value::from_script(thrown).unwrap(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_a_script_threw_is_the_same_after_it_was_recorded() {
        let position = Position::new(3, 7);
        let texts = [
            Value::text("no"),
            Value::from(4_i64),
            Value::map([("kind", Value::text("mine"))]),
        ];
        let errors = texts
            .into_iter()
            .map(|thrown| value(&thrown, position))
            .chain([failed("no".to_owned(), Value::Null)]);
        for error in errors {
            let replayed = failure(&to_failure(&error).unwrap());
            assert_eq!(thrown(&replayed), thrown(&error));
            assert_eq!(replayed.position(), error.position());
        }
    }

    #[test]
    fn a_failed_action_stays_the_failure_that_it_was() {
        let original = Failure::new(ErrorKind::NotFound, "no such host").of("kata", "isolate");
        assert_eq!(to_failure(&failure(&original)), Some(original));
    }

    #[test]
    fn a_stopped_run_has_no_outcome() {
        assert_eq!(to_failure(&terminated()), None);
    }
}
