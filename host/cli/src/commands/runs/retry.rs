//! `cordon runs retry`: a new run that keeps what another one did before a step.

use cordon_contract::StepKey;
use cordon_journal::{RunId, State, Store as _};
use cordon_run::client::{self, short};
use cordon_run::executor::{self, RetryError};
use uuid::Uuid;

use super::super::run::go::Place;
use super::super::run::{Manner, Started};
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::problem::store::none_yet;

/// Start a new run that keeps what another one did before a step, and does that step and the rest anew
///
/// It has the playbook, the connectors and the inputs of the other run. A step of the script itself is
/// where it can begin: for 4.2.1, which stands inside of step 4, that is 4.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon runs retry 1a2b3c4d --from 4")]
pub struct Arguments {
    /// A run that has ended, or the beginning of its identity
    run: String,

    /// The first step that is done anew: see `cordon runs show`
    #[arg(long, value_name = "STEP", value_parser = super::step)]
    from: StepKey,

    #[command(flatten)]
    manner: Manner,
}

/// Writes the new run down, and goes on with it until it ends.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    if context
        .kept(cordon_journal::sqlite::Access::Look)?
        .is_none()
    {
        return Err(none_yet());
    }
    let place = Place::of(context, "cordon runs retry".to_owned()).await?;
    let started = Started::open(&place, arguments.manner, context)?;
    let store = &started.store;
    let of = client::find(&**store, &arguments.run)?;
    let id = short(of.id);
    if of.status.state != State::Ended {
        return Err(Problem::usage(format!("run {id} is not over"))
            .hint(format!(
                "`cordon runs resume {id}` goes on with it; `cordon runs cancel {id}` ends it"
            ))
            .code("run.unfinished"));
    }
    let from = &arguments.from;
    let first = from.path().first().copied().unwrap_or(0);
    let entries = store.journal(of.id, 0)?;
    let is_there = entries
        .iter()
        .any(|entry| entry.record.key.path().first() == Some(&first));
    if from.afterwards().is_some() || !is_there {
        return Err(
            Problem::usage(format!("run {id} has no step {from} to begin with"))
                .hint(format!("`cordon runs show {id}` shows its steps"))
                .code("run.refused"),
        );
    }
    let new = RunId(Uuid::new_v4());
    let now = client::now(&**store)?;
    let changes = executor::retry(new, &of, from, &context.who()?, now, &**store)
        .map_err(|error| refused(&id, error))?;
    started.go_on(&place, new, changes, context).await
}

fn refused(id: &str, error: RetryError) -> Problem {
    match error {
        RetryError::Store(error) => error.into(),
        RetryError::TakenBack => Problem::usage(format!("run {id}: {error}"))
            .hint("start it anew with `cordon run`")
            .code("run.refused"),
        RetryError::FourEyes { .. } => Problem::usage(format!("run {id}: {error}"))
            .hint("let somebody else start it, or begin before that step")
            .code("run.refused"),
    }
}
