//! `cordon approve`: a person agrees to what a run asks approval for, or refuses.

use cordon_contract::StepKey;
use cordon_journal::WishKind;
use cordon_journal::run::{Reason, Waiting};
use cordon_journal::sqlite::Access;
use cordon_run::client;

use super::{runs, wish};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// Agree to what a run asks approval for, or refuse it
///
/// Who approves is the user who runs this command. Who may is for the playbook to say; roles are lists
/// of users in cordon.toml.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon approve 1a2b3c4d
  cordon approve 1a2b3c4d --deny --comment 'not during the audit'")]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list --state waiting`
    run: String,

    /// The step, where the run asks in several places: see `cordon runs why`
    #[arg(long, value_name = "STEP", value_parser = runs::step)]
    step: Option<StepKey>,

    /// Refuse instead
    #[arg(long)]
    deny: bool,

    /// Why, for those who read about it later
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Leaves the decision for whoever executes.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = runs::named(&arguments.run, Access::Beside, context)?;
    wish::open(&run)?;
    let waits = client::waits(&store, &run)?;
    let asks = |waiting: &Waiting| matches!(waiting.reason, Reason::Approval { .. });
    let step = asked(&waits, arguments.step.as_ref(), asks, "approval")
        .map_err(|why| wish::refused(&run, &why))?;
    let kind = WishKind::Approve {
        step,
        allow: !arguments.deny,
        comment: arguments.comment.clone(),
    };
    let done = match arguments.deny {
        true => "refused",
        false => "approved",
    };
    wish::leave(&store, &run, kind, done, context)
}

/// The step that asks for this, where one is named or only one asks.
pub fn asked(
    waits: &[Waiting],
    named: Option<&StepKey>,
    asks: impl Fn(&Waiting) -> bool,
    what: &str,
) -> Result<Option<StepKey>, String> {
    let steps: Vec<&StepKey> = waits
        .iter()
        .filter(|waiting| asks(waiting))
        .filter_map(|waiting| waiting.step.as_ref())
        .collect();
    // Only so many of what a run waits for are told; the executor knows all.
    const TOLD_MAX: usize = 20;
    let told = waits.len() < TOLD_MAX;
    match (named, steps.as_slice()) {
        (Some(step), steps) if told && !steps.contains(&step) => {
            Err(format!("the run asks for no {what} at step {step}"))
        }
        (Some(step), _) => Ok(Some(step.clone())),
        (None, []) if told => Err(format!("the run asks for no {what}")),
        (None, [] | [_]) => Ok(steps.first().map(|step| (*step).clone())),
        (None, several) => {
            let several: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(format!(
                "the run asks in several places: name one by `--step`: {}",
                several.join(", ")
            ))
        }
    }
}
