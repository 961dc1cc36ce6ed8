//! `cargo xtask bench`: what Cordon may cost, each figure against its yardstick in the same run.

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
    /// Keeping runs: steps, replay, waiting and recovery, beside plain SQLite doing the same writes
    Journal,
    /// The containment job, journalled, against its six bare requests, and killed half-way
    Contain,
}

/// Builds and runs a benchmark.
pub fn run(workspace: &Workspace, name: Name, profile: &str) -> Result<()> {
    let name = match name {
        Name::Call => {
            components::build_measured(workspace)?;
            "call"
        }
        Name::Journal => "journal",
        Name::Contain => {
            components::build_connectors(workspace)?;
            "contain"
        }
    };
    workspace.build(&["--bin", name], profile)?;
    run_command(&mut Command::new(workspace.programs(profile).join(name)))
}
