//! Builds the WebAssembly: the connectors and the misbehaving guests of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::workspace::{Workspace, run, say};

/// The target of connectors written in Rust.
const TARGET: &str = "wasm32-wasip2";

/// The shipped connectors: crate, and file name in `connectors/`.
const CONNECTORS: [(&str, &str); 1] = [("cordon-kata", "kata")];

/// Adds the wasm target where it is missing.
pub fn ensure_target() -> Result<()> {
    let listed = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .output();
    match listed {
        Ok(output) if output.status.success() => {
            if String::from_utf8_lossy(&output.stdout)
                .lines()
                .any(|line| line.trim() == TARGET)
            {
                return Ok(());
            }
            say(&format!("the target {TARGET} is missing; adding it"));
            run(Command::new("rustup").args(["target", "add", TARGET]))
        }
        // A toolchain without rustup brings its targets itself; cargo says so if it does not.
        _ => Ok(()),
    }
}

/// Builds the connectors and returns the folder that holds them.
pub fn build_connectors(workspace: &Workspace) -> Result<PathBuf> {
    ensure_target()?;
    let mut command = workspace.cargo(&["build", "--target", TARGET, "--profile", "connector"]);
    for (package, _) in CONNECTORS {
        command.args(["--package", package]);
    }
    run(&mut command)?;
    let folder = workspace.target.join("components").join("connectors");
    for (package, name) in CONNECTORS {
        let built = workspace
            .target
            .join(TARGET)
            .join("connector")
            .join(format!("{}.wasm", package.replace('-', "_")));
        publish(&built, &folder.join(format!("{name}.wasm")))?;
    }
    Ok(folder)
}

/// Components of the benchmarks: crate and example. Built like connectors, small and optimised.
const MEASURED: [(&str, &str); 2] = [("cordon-sdk", "smallest"), ("cordon-guests", "hosts")];

/// Builds the components of the benchmarks.
pub fn build_measured(workspace: &Workspace) -> Result<()> {
    ensure_target()?;
    for (package, example) in MEASURED {
        let built = [
            "build",
            "--target",
            TARGET,
            "--profile",
            "connector",
            "--package",
            package,
            "--example",
            example,
        ];
        run(&mut workspace.cargo(&built))?;
        let from = workspace
            .target
            .join(TARGET)
            .join("connector/examples")
            .join(format!("{example}.wasm"));
        publish(
            &from,
            &workspace
                .target
                .join("components/measured")
                .join(format!("{example}.wasm")),
        )?;
    }
    Ok(())
}

/// Builds the guests of the tests, one component for each example of their crate.
pub fn build_guests(workspace: &Workspace) -> Result<PathBuf> {
    ensure_target()?;
    run(&mut workspace.cargo(&[
        "build",
        "--target",
        TARGET,
        "--package",
        "cordon-guests",
        "--examples",
    ]))?;
    let folder = workspace.target.join("components").join("guests");
    let examples = workspace.root.join("tests/guests/examples");
    for entry in std::fs::read_dir(&examples).into_diagnostic()? {
        let path = entry.into_diagnostic()?.path();
        if let (Some(name), true) = (
            path.file_stem().and_then(|stem| stem.to_str()),
            path.extension().is_some_and(|e| e == "rs"),
        ) {
            let built = workspace
                .target
                .join(TARGET)
                .join("debug/examples")
                .join(format!("{name}.wasm"));
            publish(&built, &folder.join(format!("{name}.wasm")))?;
        }
    }
    Ok(folder)
}

/// Builds both.
pub fn build_all(workspace: &Workspace) -> Result<()> {
    build_connectors(workspace)?;
    build_guests(workspace)?;
    Ok(())
}

/// Puts a built component where it is looked for, by rename, so that nobody reads half a file.
fn publish(built: &Path, to: &Path) -> Result<()> {
    let folder = to
        .parent()
        .ok_or_else(|| miette!("{} has no folder", to.display()))?;
    std::fs::create_dir_all(folder).into_diagnostic()?;
    let half = to.with_extension("wasm.part");
    std::fs::copy(built, &half)
        .into_diagnostic()
        .wrap_err_with(|| format!("{} was not built", built.display()))?;
    std::fs::rename(&half, to).into_diagnostic()
}
