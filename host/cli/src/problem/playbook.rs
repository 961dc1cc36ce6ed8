//! What is wrong with a script, shown at its place in the script.

use cordon_contract::{Failure, Value};
use cordon_playbook::place::Place;
use cordon_playbook::{InputError, PlaybookError, RunError};

use super::{Problem, failure};
use crate::exit::Exit;
use crate::output::value;

impl Problem {
    /// Shows a place in a script.
    #[must_use]
    fn in_script(self, place: Option<&Place>, label: &str) -> Self {
        match place {
            Some(place) => self.at(
                &place.source.name,
                &place.source.text,
                place.span.start,
                place.span.len(),
                label,
            ),
            None => self,
        }
    }
}

/// Everything that is wrong with a script that does not compile or does not fit its connections.
pub fn unfit(error: &PlaybookError) -> Vec<Problem> {
    error
        .problems
        .iter()
        .map(|problem| {
            Problem::usage(problem.kind.to_string())
                .in_script(problem.place.as_ref(), "")
                .hint_if(problem.help.clone())
                .code(problem.code())
        })
        .collect()
}

/// What is wrong with an input.
pub fn input(error: &InputError) -> Problem {
    Problem::usage(error.to_string()).code(error.code())
}

/// How a run ended that gave no result.
pub fn ended(error: &RunError) -> Problem {
    let place = error.place();
    let problem = match error {
        RunError::Failed { failure, .. } => {
            failure::problem(failure).in_script(place, "called here")
        }
        RunError::Fail {
            message, details, ..
        } => {
            let problem = Problem::new(Exit::Failed, message.clone())
                .in_script(place, "the playbook gives up here");
            with_details(problem, details)
        }
        RunError::Thrown { thrown, .. } => {
            let message = thrown.get("message").and_then(Value::as_text).map_or_else(
                || format!("the playbook threw {}", value::short(thrown)),
                |message| format!("the playbook threw: {message}"),
            );
            Problem::new(Exit::Failed, message).in_script(place, "thrown here")
        }
        RunError::Script { message, .. } => {
            Problem::new(Exit::Failed, message.clone()).in_script(place, "here")
        }
        RunError::Limit { .. } => {
            Problem::new(Exit::Failed, error.to_string()).in_script(place, "the script was here")
        }
        RunError::Stopped { .. } => Problem::new(Exit::Failed, error.to_string()),
        RunError::Defect { .. } => Problem::new(Exit::Defect, error.to_string()),
    };
    problem.hint_if(error.help()).code(error.code())
}

/// The action's failure behind the end of a run.
pub fn failure_of(error: &RunError) -> Option<&Failure> {
    match error {
        RunError::Failed { failure, .. } => Some(failure),
        _ => None,
    }
}

fn with_details(problem: Problem, details: &Value) -> Problem {
    if details.is_null() {
        problem
    } else {
        problem.hint(value::short(details))
    }
}
