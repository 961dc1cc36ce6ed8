//! `cordon connection test`: one cheap request, and what the product says to it.

use std::time::Instant;

use cordon_run::inventory::Inventory;

use crate::commands::trace;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::time::took;
use crate::output::{Tone, neutral};
use crate::problem::directory::unusable;
use crate::problem::{Problem, failure};

/// Make one cheap request and say whether the connection works
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  cordon connection test kata
  cordon connection test              all that are enabled
  cordon connection test kata --trace")]
pub struct Arguments {
    /// The names of connections; without one, all that are enabled are tested
    names: Vec<String>,

    /// Show the HTTP requests and answers on standard error, without secrets
    #[arg(long)]
    trace: bool,
}

/// Tests one connection after the other.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let names = if arguments.names.is_empty() {
        enabled(&inventory)?
    } else {
        arguments.names.clone()
    };
    if names.is_empty() {
        return Err(Problem::usage("there is no enabled connection to test")
            .hint("`cordon connection new NAME --connector C` makes one"));
    }
    let mut exit = Exit::Done;
    for name in &names {
        match test(&inventory, name, arguments.trace, context).await {
            Ok(line) => context.screen.print(&line),
            Err(problem) => {
                context
                    .screen
                    .note(&problem.render(context.screen.stderr()));
                exit = exit.max(problem.exit());
            }
        }
    }
    Ok(exit)
}

fn enabled(inventory: &Inventory) -> Result<Vec<String>, Problem> {
    let mut names = inventory.directory().connection_names()?;
    // A file that cannot be read is tested too, so that its mistake is said.
    names.retain(|name| {
        inventory
            .connection_file(name)
            .map_or(true, |file| file.enabled)
    });
    Ok(names)
}

async fn test(
    inventory: &Inventory,
    name: &str,
    traced: bool,
    context: &Context,
) -> Result<String, Problem> {
    let link = inventory
        .link(name)
        .map_err(|error| unusable(error, inventory))?;
    if traced {
        trace::begin(&link.connection, &context.screen);
    }
    context.screen.status(Some(format!("testing {name}")));
    let began = Instant::now();
    let tested = link.connector.test_connection(&link.connection).await;
    context.screen.status(None);
    // Whatever the reason: a connection that fails its test is one that cannot be used.
    let summary = tested.map_err(|failed| failure::problem(&failed).ending(Exit::Connection))?;
    let ok = context.screen.stdout().paint(Tone::Good, "ok");
    Ok(format!(
        "{ok}  {name}  {}  {}",
        took(began.elapsed()),
        neutral::line(&summary)
    ))
}
