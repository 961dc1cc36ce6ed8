//! `cargo xtask simulate`: runs under everything that can happen to them, from seeds.

use std::process::Command;

use miette::Result;

use crate::workspace::{Workspace, run as run_command};

/// Builds the simulation and runs so many seeds. The dev profile is optimised enough, and has the
/// checks of debug builds.
pub fn run(workspace: &Workspace, seeds: u64, from: u64, all: bool) -> Result<()> {
    workspace.build(&["--bin", "cordon-simulate"], "dev")?;
    let mut command = Command::new(workspace.programs("dev").join("cordon-simulate"));
    command.args(["--seeds", &seeds.to_string(), "--from", &from.to_string()]);
    if all {
        command.arg("--all");
    }
    run_command(&mut command)
}
