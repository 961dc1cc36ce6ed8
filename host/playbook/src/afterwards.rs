//! What a run does after its script has failed, reached a limit or was cancelled: it takes back what
//! was registered, the last first, and then calls `on_error` or `on_cancel`.
//!
//! Each of these is like a branch of `parallel`: the performer knows which are finished, so that a run
//! that waits or breaks off in the middle of one goes on there. Each has the limits of a run for
//! itself: what ended the script must not end what cleans up after it.

use std::sync::Arc;

use cordon_contract::value::Map;
use cordon_contract::{Afterwards, ErrorKind, Failure, Value};
use rhai::{Dynamic, Engine};

use crate::error::{RunError, limit_of};
use crate::execution;
use crate::limits::Limit;
use crate::parked;
use crate::playbook::Program;
use crate::run::Run;
use crate::scope::{Scope, Surroundings};
use crate::step::{Answer, Branch, Ending, StopReason};
use crate::thrown::{self, Error};
use crate::value;

/// The functions of a playbook that are called after its script, with the number of their parameters.
pub(crate) const HANDLERS: [(&str, usize); 2] = [("on_error", 2), ("on_cancel", 1)];

/// The `kind` of what `on_error` gets for a limit.
const LIMIT: &str = "limit";

/// What is done after the script of one run.
pub(crate) struct Unwinding<'a> {
    pub program: &'a Arc<Program>,
    pub input: &'a Map,
    /// The run whose script has ended.
    pub before: &'a Run,
}

impl Unwinding<'_> {
    /// Does it all, what is finished already excepted.
    ///
    /// # Errors
    /// Where the run waits or is stopped in the middle of it. That something fails is no error.
    pub fn perform(&self, ending: &Ending) -> Result<(), RunError> {
        let registered = self.before.take_registered();
        for (number, undo) in (0..).zip(registered.into_values().rev()) {
            self.one(Afterwards::Undo, number, |engine| undo.perform(engine))?;
        }
        match ending {
            Ending::Cancelled => self.call(Afterwards::OnCancel, None),
            Ending::Failed(error) => self.call(Afterwards::OnError, Some(error.clone())),
            Ending::Limit(message) => {
                let error = Value::map([
                    ("kind", Value::text(LIMIT)),
                    ("message", Value::text(message.clone())),
                    ("retryable", Value::Bool(false)),
                ]);
                self.call(Afterwards::OnError, Some(error))
            }
        }
    }

    /// Calls the script's function for it, if there is one.
    fn call(&self, which: Afterwards, error: Option<Value>) -> Result<(), RunError> {
        let function = match which {
            Afterwards::OnCancel => "on_cancel",
            Afterwards::OnError | Afterwards::Undo => "on_error",
        };
        let mut functions = self.program.ast.iter_functions();
        if !functions.any(|defined| defined.name == function) {
            return Ok(());
        }
        let input = Dynamic::from_map(value::map_to_script(self.input));
        let error = error.map(|error| value::to_script(&error));
        let arguments: Vec<Dynamic> = std::iter::once(input).chain(error).collect();
        self.one(which, 0, |engine| {
            execution::call(engine, self.program, function, arguments)
        })
    }

    /// Does one thing, unless it is finished.
    fn one(
        &self,
        which: Afterwards,
        branch: u32,
        act: impl FnOnce(&Engine) -> Result<Dynamic, Error>,
    ) -> Result<(), RunError> {
        let key = which.key();
        let performer = self.before.performer();
        if let Branch::Finished(_) | Branch::Skipped = performer.branch(&key, branch) {
            return Ok(());
        }
        let run = Arc::new(self.before.afresh());
        let engine = execution::engine(self.program, &run);
        let surroundings = Surroundings {
            undoable: false,
            undo_refused: Some("what is done after the script is not taken back"),
        };
        let result = {
            let _inside = Scope::inside(Arc::clone(&run), &key, branch, surroundings).enter();
            act(&engine)
        };
        let outcome = outcome(&run, result)?;
        performer.leave_branch(&key, branch, &outcome);
        Ok(())
    }
}

/// What came of one thing; an error where the run waits or was stopped in it.
fn outcome(run: &Run, result: Result<Dynamic, Error>) -> Result<Answer, RunError> {
    let is_parked = parked::take();
    let stopped = run.stopped();
    let own_limit = match run.exceeded() {
        Some(limit) => Some(over(run, limit)),
        None => run.refused().and_then(thrown::to_failure),
    };
    if let (Some(failure), Some(StopReason::Limit) | None) = (own_limit, stopped) {
        run.performer().stop_flag().clear();
        return Ok(Answer::Failed(Box::new(failure)));
    }
    if let Some(reason) = stopped {
        return Err(RunError::Stopped { reason });
    }
    let error = match result {
        _ if is_parked => {
            let reason = StopReason::Suspended;
            return Err(RunError::Stopped { reason });
        }
        Ok(result) => {
            return Ok(Answer::Done(
                value::from_script(&result).unwrap_or_default(),
            ));
        }
        Err(error) => error,
    };
    let failure = match limit_of(&error) {
        Some(limit) => over(run, limit),
        None => thrown::to_failure(&error)
            .unwrap_or_else(|| Failure::new(ErrorKind::Internal, error.to_string())),
    };
    Ok(Answer::Failed(Box::new(failure)))
}

fn over(run: &Run, limit: Limit) -> Failure {
    let error = RunError::Limit {
        limit,
        allowed: limit.allowed(run.limits()),
    };
    Failure::new(ErrorKind::Internal, error.to_string()).with_code(error.code())
}
