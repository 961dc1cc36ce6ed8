//! `cargo xtask test`: builds what the tests run – programs, connectors, guests – and runs them.

use std::path::Path;
use std::process::{Command, Stdio};

use clap::ValueEnum;
use miette::{IntoDiagnostic, Result, miette};

use crate::components;
use crate::workspace::{self, Workspace, say};

/// What some tests need beyond this machine's Rust. Each is a feature of `cordon-end-to-end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tool {
    /// curl, as an independent HTTPS client of the lab
    Curl,
    /// Python 3, as an independent client with another TLS library's defaults
    Python,
    /// All of them
    All,
}

impl Tool {
    /// The program to look for and the feature that adds its tests.
    const EACH: [(Self, &'static str, &'static str); 2] = [
        (Self::Curl, "curl", "with-curl"),
        (Self::Python, "python3", "with-python"),
    ];
}

/// Builds and runs the tests.
pub fn run(workspace: &Workspace, with: &[Tool], filter: Option<&str>) -> Result<()> {
    let features = features(with)?;
    components::build_all(workspace)?;
    let outputs = workspace.target.join("suite");
    if outputs.exists() {
        std::fs::remove_dir_all(&outputs).into_diagnostic()?;
    }
    run_tests(workspace, &features, filter)?;
    if filter.is_none() {
        look_for_canaries(&outputs)
    } else {
        Ok(())
    }
}

fn run_tests(workspace: &Workspace, features: &[String], filter: Option<&str>) -> Result<()> {
    workspace.build_programs("dev")?;
    let mut command = workspace.cargo(&["test", "--workspace", "--no-fail-fast"]);
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    workspace::run(&mut command)
}

/// What the tests use as secrets begins with this; in base64 the second, whatever comes before it
/// being a multiple of three bytes.
const CANARIES: [&str; 2] = ["canary-7c1f0e93", "Y2FuYXJ5LTdjMWYwZTkz"];

/// Looks through every output that the end-to-end tests kept for a secret.
fn look_for_canaries(outputs: &Path) -> Result<()> {
    let mut count = 0;
    for entry in std::fs::read_dir(outputs).into_diagnostic()? {
        let path = entry.into_diagnostic()?.path();
        let output = std::fs::read_to_string(&path).into_diagnostic()?;
        if CANARIES.iter().any(|canary| output.contains(canary)) {
            return Err(miette!("{} shows a secret", path.display()));
        }
        count += 1;
    }
    if count == 0 {
        return Err(miette!(
            "no output was kept in {}; nothing was looked through",
            outputs.display()
        ));
    }
    say(&format!("no secret in the {count} outputs of the suite"));
    Ok(())
}

/// The cargo features for these tools, after looking whether each is there.
fn features(with: &[Tool]) -> Result<Vec<String>> {
    let mut features = Vec::new();
    for (tool, program, feature) in Tool::EACH {
        if !with.contains(&tool) && !with.contains(&Tool::All) {
            continue;
        }
        let answers = Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !answers.is_ok_and(|status| status.success()) {
            return Err(miette!(
                help = "install it by its name with the system's package manager, or leave it out of `--with`",
                "`{program}` is needed for these tests and is not here"
            ));
        }
        features.push(format!("cordon-end-to-end/{feature}"));
    }
    Ok(features)
}
