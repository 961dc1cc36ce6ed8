//! `cordon answer`: a person answers what a run asks.

use cordon_contract::{StepKey, Value};
use cordon_journal::run::{Reason, Waiting};
use cordon_journal::sqlite::Access;
use cordon_journal::{Store as _, WishKind};
use cordon_run::client;

use super::approve::asked;
use super::{runs, wish};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// Answer what a run asks
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon answer 1a2b3c4d yes
  cordon answer 1a2b3c4d 2h --step 4")]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list --state waiting`
    run: String,

    /// The answer, read by the type that the question has
    value: String,

    /// The step, where the run asks in several places: see `cordon runs why`
    #[arg(long, value_name = "STEP", value_parser = runs::step)]
    step: Option<StepKey>,
}

/// Leaves the answer for whoever executes.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = runs::named(&arguments.run, Access::Beside, context)?;
    wish::open(&run)?;
    let waits = client::waits(&store, &run)?;
    let asks = |waiting: &Waiting| matches!(waiting.reason, Reason::Answer { .. });
    let step = asked(&waits, arguments.step.as_ref(), asks, "answer")
        .map_err(|why| wish::refused(&run, &why))?;
    if let Some(step) = &step
        && let Some(why) = client::unfit(&store.journal(run.id, 0)?, step, &arguments.value)
    {
        return Err(wish::refused(
            &run,
            &format!("the answer does not fit: {why}"),
        ));
    }
    let kind = WishKind::Answer {
        step,
        text: true,
        value: Value::text(arguments.value.clone()),
    };
    wish::leave(&store, &run, kind, "answered", context)
}
