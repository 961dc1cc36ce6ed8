//! Going through a composite step, or taking its outcome from the record.

use std::sync::Arc;

use cordon_contract::StepKey;
use rhai::Dynamic;

use super::world::{given, scope};
use crate::run::Run;
use crate::scope::{Scope, Surroundings};
use crate::step::{Answer, Composite, Entry};
use crate::thrown::{self, Error};
use crate::value;

/// Inside of a composite step.
pub(super) struct Within {
    pub run: Arc<Run>,
    pub key: StepKey,
    /// The iteration of `poll` and `retry` to begin with.
    pub begin: u32,
    surroundings: Surroundings,
}

impl Within {
    /// A branch or try.
    pub fn scope(&self, branch: u32) -> Scope {
        Scope::inside(Arc::clone(&self.run), &self.key, branch, self.surroundings)
    }

    /// A look of `poll`. A finished poll is not gone through again, so that nothing that its looks do
    /// could be taken back.
    pub fn look(&self, iteration: u32) -> Scope {
        let surroundings = Surroundings {
            undoable: false,
            undo_refused: Some("a look of `poll` is only looked at"),
        };
        Scope::inside(Arc::clone(&self.run), &self.key, iteration, surroundings)
    }
}

/// Runs `inside` as a composite step, unless it is finished already. Its result becomes a value on the
/// way into the record and a fresh one on the way out, the same in the first run and in a replay.
pub(super) fn composite(
    what: &'static str,
    composite: Composite,
    inside: impl FnOnce(&Within) -> Result<Dynamic, Error>,
) -> Result<Dynamic, Error> {
    let scope = scope()?;
    let run = scope.run().clone();
    let (key, entry) = run.enter(&scope, what, composite)?;
    let begin = match entry {
        Entry::Finished(answer) => {
            return run.outcome(answer).map(|value| value::to_script(&value));
        }
        Entry::Begin { iteration } => iteration,
    };
    let within = Within {
        run,
        key,
        begin,
        surroundings: scope.surroundings(),
    };
    let result =
        inside(&within).and_then(|result| given(&format!("the result of `{what}`"), &result));
    let Within { run, key, .. } = within;
    match result {
        Ok(value) => run
            .leave(&key, Answer::Done(value))
            .map(|value| value::to_script(&value)),
        Err(error) => {
            let recorded = run.recorded(&error);
            run.check_stopped()?;
            let Some(failure) = recorded else {
                return Err(error);
            };
            let replayed = run.leave(&key, Answer::Failed(Box::new(failure)));
            match replayed {
                // The error as it came tells the place inside; the script sees the same either way.
                Err(recorded) => Err(in_place_of(error, recorded)),
                Ok(_) => Err(error),
            }
        }
    }
}

/// The error to go on with: what a replay would throw, at the place where it was thrown first.
fn in_place_of(error: Error, recorded: Error) -> Error {
    match (thrown::innermost(&error), &*recorded) {
        (rhai::EvalAltResult::ErrorRuntime(..), rhai::EvalAltResult::ErrorRuntime(..)) => error,
        _ => recorded,
    }
}
