//! The commands: one module each, with what it takes and what it shows.

pub mod answer;
pub mod approve;
pub mod assignment;
pub mod call;
pub mod connection;
pub mod connector;
pub mod explain;
pub mod init;
pub mod lost;
pub mod playbook;
pub mod run;
pub mod runs;
pub mod store;
pub mod trace;
pub mod wish;

use std::sync::Arc;

use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _};

use crate::arguments::{Command, Cordon};
use crate::context::Context;
use crate::exit::Exit;
use crate::log;
use crate::output::Screen;
use crate::problem::Problem;

/// Reads the command line and does what it says.
pub fn main() -> Exit {
    let command = Cordon::command().color(help_colour(
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()),
    ));
    let cordon = match command
        .try_get_matches()
        .and_then(|matches| Cordon::from_arg_matches(&matches))
    {
        Ok(cordon) => cordon,
        Err(error) => {
            let _ = error.print();
            return if error.exit_code() == 0 {
                Exit::Done
            } else {
                Exit::Usage
            };
        }
    };
    let screen = Arc::new(Screen::new(cordon.color));
    log::start(Arc::clone(&screen), cordon.verbose);
    let context = Context {
        screen: Arc::clone(&screen),
        path: cordon.directory,
        verbose: cordon.verbose,
    };
    let exit = dispatch(cordon.command, &context).unwrap_or_else(|problem| {
        screen.note(&problem.render(screen.stderr()));
        problem.exit()
    });
    match screen.lost_output() {
        Some(error) if exit == Exit::Done => {
            let problem = Problem::new(
                Exit::Failed,
                format!("the output could not be written: {error}"),
            )
            .hint("what the command was asked to do is done; only its output is not whole");
            screen.note(&problem.render(screen.stderr()));
            problem.exit()
        }
        _ => exit,
    }
}

fn dispatch(command: Command, context: &Context) -> Result<Exit, Problem> {
    match command {
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Init(arguments) => init::run(&arguments, context),
        Command::Connection(command) => wait_for(connection::run(command, context)),
        Command::Connector(command) => wait_for(connector::run(command, context)),
        Command::Call(arguments) => wait_for(call::run(arguments, context)),
        Command::Run(arguments) => wait_for(run::run(arguments, context)),
        Command::Runs(command) => wait_for(runs::run(command, context)),
        Command::Approve(arguments) => approve::run(&arguments, context),
        Command::Answer(arguments) => answer::run(&arguments, context),
        Command::Store(command) => store::run(&command, context),
        Command::Playbook(command) => wait_for(playbook::run(command, context)),
    }
}

/// Runs a command that talks to products.
fn wait_for(command: impl Future<Output = Result<Exit, Problem>>) -> Result<Exit, Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Problem::new(
                Exit::Failed,
                format!("this machine gives no threads or sockets: {error}"),
            )
        })?;
    let outcome = runtime.block_on(command);
    // A script that does not end by itself must not keep the process alive.
    runtime.shutdown_background();
    outcome
}

/// The colour of clap's own help and errors, which it must know before it has read the arguments.
fn help_colour(arguments: impl Iterator<Item = String>) -> ColorChoice {
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let choice = match argument.strip_prefix("--color") {
            Some("") => arguments.peek().cloned(),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        match choice.as_deref() {
            Some("always") => return ColorChoice::Always,
            Some("never") => return ColorChoice::Never,
            _ => {}
        }
    }
    ColorChoice::Auto
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colour_of_the_help_follows_the_option_wherever_it_stands() {
        let choice = |line: &str| help_colour(line.split(' ').map(str::to_owned));
        assert_eq!(choice("cordon --color never run"), ColorChoice::Never);
        assert_eq!(choice("cordon run x --color=always"), ColorChoice::Always);
        assert_eq!(choice("cordon run --color"), ColorChoice::Auto);
        assert_eq!(choice("cordon --colorful=never"), ColorChoice::Auto);
    }
}
