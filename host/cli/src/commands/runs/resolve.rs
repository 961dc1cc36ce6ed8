//! `cordon runs resolve`: a person says what came of a write of which nobody knows whether it happened.

use cordon_contract::StepKey;
use cordon_journal::run::Reason;
use cordon_journal::sqlite::Access;
use cordon_journal::wish::Resolution;
use cordon_journal::{State, WishKind};
use cordon_run::client;

use super::super::wish;
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// Say what came of a write whose answer was lost, so that its run goes on
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon runs resolve 1a2b3c4d 4 --not-done
  cordon runs resolve 1a2b3c4d 4 --done '{\"rule_id\": \"r-17\"}'")]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list --state in-doubt`
    run: String,

    /// The step: see `cordon runs why`
    #[arg(value_parser = super::step)]
    step: StepKey,

    #[command(flatten)]
    how: How,
}

/// What a person found out.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct How {
    /// It happened. VALUE is what the action would have returned, as JSON or text, where the script
    /// uses it
    #[arg(long, value_name = "VALUE", num_args = 0..=1, default_missing_value = "null")]
    done: Option<String>,

    /// It did not happen: the script gets a failure
    #[arg(long)]
    not_done: bool,

    /// Nobody will find out: the run ends in doubt
    #[arg(long)]
    abort: bool,
}

/// Leaves the word for whoever executes.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = super::named(&arguments.run, Access::Beside, context)?;
    wish::open(&run)?;
    let waits = client::waits(&store, &run)?;
    let doubted = waits.iter().any(|waiting| {
        matches!(waiting.reason, Reason::Resolve { .. })
            && waiting.step.as_ref() == Some(&arguments.step)
    });
    if !doubted && run.status.state != State::Going {
        let why = format!("step {} is not in doubt", arguments.step);
        return Err(wish::refused(&run, &why));
    }
    let (how, done) = match (&arguments.how.done, arguments.how.abort) {
        (Some(value), _) => (
            Resolution::Done(client::typed(value)),
            "resolved: it happened",
        ),
        (None, true) => (Resolution::Abort, "given up: it ends in doubt"),
        (None, false) => (Resolution::NotDone, "resolved: it did not happen"),
    };
    let step = arguments.step.clone();
    wish::leave(&store, &run, WishKind::Resolve { step, how }, done, context)
}
