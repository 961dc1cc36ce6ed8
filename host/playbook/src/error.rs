//! How a run of a playbook ends when it does not end with a result.

use cordon_contract::value::exact;
use cordon_contract::{Failure, Value};
use rhai::EvalAltResult;
use serde::{Deserialize, Serialize};

use crate::functions;
use crate::limits::Limit;
use crate::place::Place;
use crate::step::{Ending, StopReason};
use crate::thrown;
use crate::value;

/// Why a run gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunError {
    /// An action failed, or `poll`, `retry` or `parallel` around one, and nothing caught it.
    #[error("{failure}")]
    Failed {
        /// The whole failure.
        failure: Box<Failure>,
        /// Where the script called it.
        place: Option<Place>,
    },
    /// The author's own words: `fail("…")`.
    #[error("{message}")]
    Fail {
        /// What went wrong.
        message: String,
        /// What the author added.
        #[serde(with = "exact")]
        details: Value,
        /// Where.
        place: Option<Place>,
    },
    /// The script threw a value of its own.
    #[error("the script threw {thrown}")]
    Thrown {
        /// The value.
        #[serde(with = "exact")]
        thrown: Value,
        /// Where.
        place: Option<Place>,
    },
    /// A mistake in the script.
    #[error("{message}")]
    Script {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
        /// Where.
        place: Option<Place>,
    },
    /// A limit of the run was reached.
    #[error("the run reached its limit `{limit}`: {allowed}")]
    Limit {
        /// Which.
        limit: Limit,
        /// How much was allowed.
        allowed: String,
    },
    /// The run does not go on here.
    #[error("the run was {}", said(*reason))]
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// A defect of Cordon or of the script engine.
    #[error("the script engine broke: {message}")]
    Defect {
        /// What it said.
        message: String,
    },
}

const fn said(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Suspended => "suspended",
        StopReason::Cancelled => "cancelled",
        StopReason::Limit => "stopped at a limit",
        StopReason::InDoubt => "stopped in doubt: nobody can know whether a write has happened",
        StopReason::Interrupted => "interrupted, and will be taken up again",
        StopReason::Diverged => "stopped: its script asked for another step than its journal holds",
    }
}

impl RunError {
    /// The page that explains it: see [`crate::CODES`] and, for an action's failure, its own code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Failed { failure, .. } => {
                failure.code.as_deref().unwrap_or("playbook.action-failed")
            }
            Self::Fail { .. } => "playbook.fail",
            Self::Thrown { .. } => "playbook.thrown",
            Self::Script { .. } => "playbook.script",
            Self::Limit { .. } => "playbook.limit",
            Self::Stopped { .. } => "playbook.stopped",
            Self::Defect { .. } => "playbook.defect",
        }
    }

    /// Where in which script it happened.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Failed { place, .. }
            | Self::Fail { place, .. }
            | Self::Thrown { place, .. }
            | Self::Script { place, .. } => place.as_ref(),
            // The engine forgets where it was when it ends a script for good.
            Self::Limit { .. } | Self::Stopped { .. } | Self::Defect { .. } => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Script { help, .. } => help.clone(),
            Self::Limit { limit, .. } => Some(match limit {
                Limit::Operations => "look for a loop that does not end".to_owned(),
                Limit::CallDepth => "look for a function that calls itself without end".to_owned(),
                other => format!(
                    "if the playbook needs more, raise `{other}` under `[limits]` in `cordon.toml`"
                ),
            }),
            _ => None,
        }
    }

    /// What the error of the engine means, once the run is over.
    pub(crate) fn of(error: &EvalAltResult, place: Option<Place>) -> Self {
        match thrown::innermost(error) {
            EvalAltResult::ErrorRuntime(thrown, _) => {
                // Rhai's own functions throw text at times; what is no value at all is shown as text too.
                let shown = |_| Value::Text(thrown.to_string());
                Self::of_thrown(value::from_script(thrown).unwrap_or_else(shown), place)
            }
            other => Self::of_engine(other, place),
        }
    }

    /// What the ending of an earlier execution means, once what belongs to it is done.
    pub(crate) fn of_ending(ending: &Ending) -> Self {
        match ending {
            Ending::Failed(thrown) => Self::of_thrown(thrown.clone(), None),
            Ending::Cancelled => Self::Stopped {
                reason: StopReason::Cancelled,
            },
            Ending::Limit(_) => Self::Stopped {
                reason: StopReason::Limit,
            },
        }
    }

    fn of_thrown(thrown: Value, place: Option<Place>) -> Self {
        if let Some(failure) = Failure::from_value(&thrown) {
            return Self::Failed {
                failure: Box::new(failure),
                place,
            };
        }
        let text = |name: &str| thrown.get(name).and_then(Value::as_text).map(str::to_owned);
        match (text("kind").as_deref(), text("message")) {
            (Some(thrown::FAILED), Some(message)) => Self::Fail {
                message,
                details: thrown.get("details").cloned().unwrap_or_default(),
                place,
            },
            (Some(thrown::SCRIPT), Some(message)) => Self::Script {
                message,
                help: text("help"),
                place,
            },
            _ => Self::Thrown { thrown, place },
        }
    }

    fn of_engine(error: &EvalAltResult, place: Option<Place>) -> Self {
        let (message, help) = mistake(error);
        Self::Script {
            message,
            help,
            place,
        }
    }
}

/// What a mistake that the engine found means: message and help.
pub(crate) fn mistake(error: &EvalAltResult) -> (String, Option<String>) {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, _) => no_function(signature),
        EvalAltResult::ErrorPropertyNotFound(name, _) => {
            let help = "for a field that may be missing, write `map.get(\"name\")` or `map.get(\"name\", default)`";
            (format!("there is no field `{name}`"), Some(help.to_owned()))
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            let help = format!("a constant outside of functions is read as `global::{name}`");
            (format!("there is no variable `{name}`"), Some(help))
        }
        EvalAltResult::ErrorDataRace(name, _) => (
            format!("`{name}` is used by a closure and changed at the same time"),
            None,
        ),
        other => {
            // Rhai's text ends with the place, which is told apart from it.
            let text = other.to_string();
            (
                text.split(" (line ").next().unwrap_or_default().to_owned(),
                None,
            )
        }
    }
}

/// The limit that an error of the engine speaks of.
pub(crate) fn limit_of(error: &EvalAltResult) -> Option<Limit> {
    match thrown::innermost(error) {
        EvalAltResult::ErrorTooManyOperations(_) => Some(Limit::Operations),
        EvalAltResult::ErrorStackOverflow(_) => Some(Limit::CallDepth),
        EvalAltResult::ErrorTooManyModules(_) => Some(Limit::Modules),
        EvalAltResult::ErrorTooManyVariables(_) => Some(Limit::Variables),
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("string") => {
            Some(Limit::TextSize)
        }
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("map") => Some(Limit::MapSize),
        EvalAltResult::ErrorDataTooLarge(..) => Some(Limit::ListSize),
        _ => None,
    }
}

/// What to say of a call that fits no function: message and help. Rhai's signature looks like
/// `isolat (connection, map)`.
fn no_function(signature: &str) -> (String, Option<String>) {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let types = types.trim_end_matches(')');
    if name.starts_with("anon$") || name.is_empty() {
        let message = format!(
            "a closure was called with {} arguments, and takes another number",
            count(types)
        );
        return (message, None);
    }
    if let Some(function) = functions::find(name) {
        let message = format!("`{name}` does not take ({})", types);
        return (
            message,
            Some(format!("write it as {}", function.signature())),
        );
    }
    let known: Vec<&str> = functions::all().map(|function| function.name).collect();
    let near =
        cordon_contract::name::nearest(name, known).map(|near| format!("did you mean `{near}`?"));
    if let Some(rest) = types.strip_prefix("connection") {
        let arguments = count(rest.trim_start_matches(','));
        let message = match arguments {
            0 | 1 => format!("`{name}` is no action of this connection"),
            _ => format!(
                "`{name}` was given {arguments} arguments; an action takes one map of named arguments"
            ),
        };
        return (message, near);
    }
    (
        format!("there is no function `{name}` that takes ({types})"),
        near,
    )
}

fn count(types: &str) -> usize {
    if types.trim().is_empty() {
        0
    } else {
        types.split(',').count()
    }
}
