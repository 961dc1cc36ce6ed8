//! The developers' commands: `cargo xtask demo`, `test`, `dist`, `bench`, `simulate`. They know how the pieces
//! are built and put together, and nothing of what the pieces do.

mod bench;
mod components;
mod demo;
mod dist;
mod simulate;
mod test;
mod workspace;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, shows, tests and packs Cordon",
    version
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, start the lab and contain a host in it, step by step
    Demo {
        /// Where to put the lab's files and the automation directory [default: target/demo]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Leave the lab running afterwards, until Ctrl-C, to try things by hand
        #[arg(long)]
        keep: bool,
    },
    /// Run every test that needs only this machine
    Test {
        /// Also run what needs these tools, and fail when one is absent
        #[arg(long, value_delimiter = ',', value_name = "TOOLS")]
        with: Vec<test::Tool>,
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    /// Put the programs, connectors and playbooks into one folder that works without the source
    Dist {
        /// The folder; must not exist, or be one that this command made [default: target/dist]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// The cargo profile of the programs
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Measure against the budgets
    Bench {
        /// Which benchmark
        name: bench::Name,
        /// The cargo profile; budgets are meant for `release`
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Simulate runs over a store, clocks, products and people that go wrong as seeds say
    Simulate {
        /// How many seeds
        #[arg(long, default_value_t = 3000)]
        seeds: u64,
        /// The first seed; with `--seeds 1`, the one to look at
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Go on after a seed that fails, and tell only its first line
        #[arg(long)]
        all: bool,
    },
    /// Build the connectors and the test guests into target/components
    Components,
}

fn main() -> miette::Result<()> {
    let arguments = Arguments::parse();
    let workspace = Workspace::find()?;
    match arguments.command {
        Command::Demo { dir, keep } => demo::run(&workspace, dir, keep),
        Command::Test { with, filter } => test::run(&workspace, &with, filter.as_deref()),
        Command::Dist { dir, profile } => dist::run(&workspace, dir, &profile).map(drop),
        Command::Bench { name, profile } => bench::run(&workspace, name, &profile),
        Command::Simulate { seeds, from, all } => simulate::run(&workspace, seeds, from, all),
        Command::Components => components::build_all(&workspace).map(drop),
    }
}
