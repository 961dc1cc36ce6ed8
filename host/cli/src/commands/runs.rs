//! `cordon runs`: the runs that are kept – which there are, what they did, what they wait for, and what
//! people can do about them.

pub mod wait;

pub mod artifact;
mod cancel;
mod export;
mod list;
mod resolve;
mod resume;
mod retry;
mod show;
mod steps;
mod watch;
mod why;

use cordon_contract::StepKey;
use cordon_journal::Run;
use cordon_journal::sqlite::{Access, SqliteStore};
use cordon_run::client;

use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::problem::store::none_yet;

/// Look at runs, go on with them, and say what they need to know
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    List(list::Arguments),
    Show(show::Arguments),
    Watch(watch::Arguments),
    Why(why::Arguments),
    Resume(resume::Arguments),
    Cancel(cancel::Arguments),
    Retry(retry::Arguments),
    Resolve(resolve::Arguments),
    Artifact(artifact::Arguments),
    Export(export::Arguments),
}

/// Does what the command says.
pub async fn run(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::List(arguments) => list::run(&arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Watch(arguments) => watch::run(&arguments, context).await,
        Command::Why(arguments) => why::run(&arguments, context),
        Command::Resume(arguments) => resume::run(arguments, context).await,
        Command::Cancel(arguments) => cancel::run(&arguments, context),
        Command::Retry(arguments) => retry::run(&arguments, context).await,
        Command::Resolve(arguments) => resolve::run(&arguments, context),
        Command::Artifact(arguments) => artifact::run(&arguments, context),
        Command::Export(arguments) => export::run(&arguments, context),
    }
}

/// The store and the run that is meant.
pub fn named(
    typed: &str,
    access: Access,
    context: &Context,
) -> Result<(SqliteStore, Run), Problem> {
    let store = context.kept(access)?.ok_or_else(none_yet)?;
    let run = client::find(&store, typed)?;
    Ok((store, run))
}

/// A step as it is typed.
pub fn step(text: &str) -> Result<StepKey, cordon_contract::step::StepKeyError> {
    text.parse()
}
