//! `cordon connection`: the configured products.

mod list;
mod new;
mod show;
mod test;
mod trust;

use crate::context::Context;
use crate::exit::Exit;
use crate::problem::Problem;

/// Make, look at, test and trust connections
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    New(new::Arguments),
    /// List the connections and whether they are ready
    List,
    Show(show::Arguments),
    Test(test::Arguments),
    Trust(trust::Arguments),
}

/// Does what the command says.
pub async fn run(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::New(arguments) => new::run(&arguments, context).await,
        Command::List => list::run(context).await,
        Command::Show(arguments) => show::run(&arguments, context).await,
        Command::Test(arguments) => test::run(&arguments, context).await,
        Command::Trust(arguments) => trust::run(&arguments, context).await,
    }
}
