//! One execution of a playbook: the script from its top, and what is done after it.

use std::sync::Arc;

use cordon_contract::Value;
use cordon_contract::value::Map;
use rhai::{CallFnOptions, Dynamic, Engine, Scope as Variables};

use crate::afterwards::Unwinding;
use crate::engine;
use crate::error::{RunError, limit_of};
use crate::library::Resolver;
use crate::limits::Limit;
use crate::parked;
use crate::playbook::Program;
use crate::run::Run;
use crate::scope::Scope;
use crate::stack::on_large_stack;
use crate::step::{Ending, StopReason};
use crate::thrown::{self, Error};
use crate::value;

/// Runs a playbook on a thread with the stack that it needs and gives what `run` returned.
pub(crate) fn run(program: &Arc<Program>, input: &Map, run: &Arc<Run>) -> Result<Value, RunError> {
    on_large_stack(|| execute(program, input, run))
        .unwrap_or_else(|message| Err(RunError::Defect { message }))
}

fn execute(program: &Arc<Program>, input: &Map, run: &Arc<Run>) -> Result<Value, RunError> {
    // What an earlier run on this thread left is not this one's.
    parked::take();
    run.waited();
    let (error, ending) = match script(program, input, run) {
        Ok(value) => return Ok(value),
        Err(ended) => ended,
    };
    if let Some(ending) = ending
        && run.performer().unwind(&ending)
    {
        let unwinding = Unwinding {
            program,
            input,
            before: run,
        };
        unwinding.perform(&ending)?;
    }
    Err(error)
}

/// How a script ended without a result, and where something is to be done about it, why.
type Ended = (RunError, Option<Ending>);

fn script(program: &Arc<Program>, input: &Map, run: &Arc<Run>) -> Result<Value, Ended> {
    let engine = engine(program, run);
    let result = {
        let _scope = Scope::root(Arc::clone(run)).enter();
        let input = Dynamic::from_map(value::map_to_script(input));
        call(&engine, program, "run", vec![input])
    };
    let result = result.and_then(|result| {
        value::from_script(&result)
            .map_err(|error| thrown::mistake(format!("the result of `run`: {error}"), None))
    });
    end(program, run, result)
}

/// An engine that executes this program for this run.
pub(crate) fn engine(program: &Arc<Program>, run: &Arc<Run>) -> Engine {
    let mut engine = engine::executor(run);
    engine.set_module_resolver(Resolver(Arc::clone(program)));
    engine
}

/// Calls a function of the script.
pub(crate) fn call(
    engine: &Engine,
    program: &Program,
    function: &str,
    arguments: Vec<Dynamic>,
) -> Result<Dynamic, Error> {
    engine.call_fn_with_options(
        CallFnOptions::default(),
        &mut Variables::new(),
        &program.ast,
        function,
        arguments,
    )
}

/// How the script ended. A run that was stopped or waits never counts as done or failed, whatever its
/// script made of that.
fn end(program: &Program, run: &Run, result: Result<Value, Error>) -> Result<Value, Ended> {
    let is_parked = parked::take();
    if let Some(limit) = run.exceeded() {
        return Err(at_limit(run, limit));
    }
    if let Some(error) = run.refused() {
        return Err((RunError::of(error, None), failed(error)));
    }
    if let Some(reason) = run.stopped() {
        let error = RunError::Stopped { reason };
        let ending = match reason {
            StopReason::Cancelled => Some(Ending::Cancelled),
            StopReason::Limit => Some(Ending::Limit(error.to_string())),
            _ => None,
        };
        return Err((error, ending));
    }
    if is_parked {
        return Err(match run.performer().ended() {
            Some(ending) => (RunError::of_ending(&ending), Some(ending)),
            None => {
                let reason = StopReason::Suspended;
                (RunError::Stopped { reason }, None)
            }
        });
    }
    result.map_err(|error| match limit_of(&error) {
        Some(limit) => at_limit(run, limit),
        None => {
            let place = program.place_of(&error);
            (RunError::of(&error, place), failed(&error))
        }
    })
}

fn at_limit(run: &Run, limit: Limit) -> Ended {
    let error = RunError::Limit {
        limit,
        allowed: limit.allowed(run.limits()),
    };
    let ending = Ending::Limit(error.to_string());
    (error, Some(ending))
}

/// The ending by an error, as `catch` would have seen it.
fn failed(error: &Error) -> Option<Ending> {
    thrown::to_failure(error).map(|failure| Ending::Failed(thrown::caught(&failure)))
}
