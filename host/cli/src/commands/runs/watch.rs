//! `cordon runs watch`: looks on while somebody else executes.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_journal::sqlite::Access;

use super::super::run::go::{self, Reached};
use super::super::run::report::Ended;
use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// Look on until a run ends; Ctrl-C leaves it alone
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run, or the beginning of its identity: see `cordon runs list`
    run: String,

    /// Print one JSON document at the end: outcome, result, notes, what was changed
    #[arg(long)]
    json: bool,
}

/// Shows the steps as they come, and how the run ended.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let (store, run) = super::named(&arguments.run, Access::Look, context)?;
    let (store, folder) = (Arc::new(store), context.directory()?.data());
    let reached = go::watch(folder, Arc::clone(&store), run.id, context).await?;
    if reached == Reached::Left {
        return Ok(Exit::Unfinished);
    }
    let run = go::known(&*store, run.id)?;
    let ended = Ended::read(&*store, run, &BTreeMap::new())?;
    ended.show(arguments.json, &context.screen);
    Ok(ended.exit())
}
