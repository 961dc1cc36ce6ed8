//! `cargo xtask bench`: the budgets of the design, each against its yardstick in the same run.

use std::process::Command;

use clap::ValueEnum;
use miette::Result;

use crate::components;
use crate::workspace::{Workspace, run as run_command};

/// The benchmarks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Name {
    /// An action through the sandbox against the same request by plain reqwest
    Call,
}

/// Builds and runs a benchmark.
pub fn run(workspace: &Workspace, name: Name, profile: &str) -> Result<()> {
    components::build_measured(workspace)?;
    let name = match name {
        Name::Call => "call",
    };
    workspace.build(&["--bin", name], profile)?;
    run_command(&mut Command::new(workspace.programs(profile).join(name)))
}
