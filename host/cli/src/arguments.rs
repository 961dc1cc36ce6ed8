//! The command line: global options and the commands. What a command takes stands in its own module.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    answer, approve, call, connection, connector, explain, init, playbook, run, runs, store,
};
use crate::exit;
use crate::output::screen::Colour;

/// Runs playbooks over security products.
///
/// Each product is a connector: a sandboxed WebAssembly component. A connection is a connector with an
/// address and credentials. A playbook is a Rhai script that calls actions of connections.
#[derive(Debug, Parser)]
#[command(
    name = "cordon",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = exit::help(),
    after_long_help = format!("{FIRST_STEPS}\n\n{}", exit::help()),
    disable_help_subcommand = true
)]
pub struct Cordon {
    /// The automation directory: where cordon.toml, connections/ and playbooks/ are
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        global = true,
        help_heading = EVERYWHERE,
        default_value = ".",
        hide_default_value = true
    )]
    pub directory: PathBuf,

    /// When to use colour: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        help_heading = EVERYWHERE,
        value_enum,
        default_value_t = Colour::Auto,
        hide_possible_values = true
    )]
    pub color: Colour,

    /// Say more about what happens (-v, -vv, -vvv)
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The options that every command takes stand apart from its own.
const EVERYWHERE: &str = "Options of all commands";

const FIRST_STEPS: &str = "\
First steps:
  cordon init soc --with kata                    make an automation directory
  cd soc
  cordon connection new kata --connector kata    write its file, then fill it in
  cordon connection trust kata                   look at the server's certificate and pin it
  cordon connection test kata                    one cheap request
  cordon call kata list_sensors                  one action
  cordon run contain_host --input host=srv-01    a playbook
  cordon runs list --open                        what is not over, and what it waits for";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Arguments),
    #[command(subcommand)]
    Connection(connection::Command),
    #[command(subcommand)]
    Connector(connector::Command),
    Call(call::Arguments),
    Run(run::Arguments),
    #[command(subcommand)]
    Runs(runs::Command),
    Approve(approve::Arguments),
    Answer(answer::Arguments),
    #[command(subcommand)]
    Playbook(playbook::Command),
    #[command(subcommand)]
    Store(store::Command),
    Explain(explain::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_in_itself() {
        Cordon::command().debug_assert();
    }

    #[test]
    fn the_help_says_what_every_exit_code_means() {
        let help = Cordon::command().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for (exit, meaning) in exit::TABLE {
            assert!(
                help.contains(&format!("{} {meaning}", exit.code())),
                "{meaning}\n{help}"
            );
        }
    }
}
