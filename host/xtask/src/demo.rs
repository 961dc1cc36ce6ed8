//! `cargo xtask demo`: from a fresh checkout to a contained host, and what to look at next.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::components;
use crate::workspace::{Workspace, say};

/// The host of the lab that is contained.
const HOST: &str = "ws-design-11";

/// Builds, starts the lab, runs the containment playbook and says where to go next.
pub fn run(workspace: &Workspace, dir: Option<PathBuf>, keep: bool) -> Result<()> {
    let programs = workspace.build_programs("dev")?;
    let connectors = components::build_connectors(workspace)?;
    let dir = dir.unwrap_or_else(|| workspace.target.join("demo"));
    let (cordon, lab) = (programs.join("cordon"), programs.join("cordon-lab"));

    let running = Lab::start(&lab, &dir, &connectors, &workspace.root.join("playbooks"))?;
    let automation = dir.join("automation");

    heading("The connection works");
    show(
        Command::new(&cordon)
            .arg("-C")
            .arg(&automation)
            .args(["connection", "test", "kata"]),
    )?;
    heading("A playbook contains a host");
    show(Command::new(&cordon).arg("-C").arg(&automation).args([
        "run",
        "contain_host",
        "--input",
        &format!("host={HOST}"),
        "--input",
        "isolate_for=2h",
        "--input",
        "command=collect.exe",
    ]))?;
    heading("The lab's own view of what was done");
    show(Command::new(&lab).arg("show").arg(&dir))?;

    heading("Where to go next");
    let (cordon, automation) = (cordon.display(), automation.display());
    println!("  {cordon} -C {automation} connector show kata");
    println!("  {cordon} -C {automation} call kata list_sensors --format table");
    println!("  {cordon} -C {automation} run release_host --input host={HOST}");
    println!("  The lab must be running for these: `cargo xtask demo --keep` leaves it on.");
    println!(
        "  playbooks/README.md teaches the language, plugins/README.md how to write a connector."
    );
    if keep {
        println!(
            "\nThe lab keeps running, with its control view at {}. Ctrl-C stops it.",
            running.control
        );
        running.wait()?;
    }
    Ok(())
}

fn heading(text: &str) {
    println!("\n━━ {text}");
}

/// Prints a command as one would type it, and runs it.
fn show(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    println!("$ {program} {}\n", arguments.join(" "));
    let status = command
        .status()
        .into_diagnostic()
        .wrap_err_with(|| format!("could not run {program}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(miette!(
            "`{program} {}` failed ({status})",
            arguments.join(" ")
        ))
    }
}

/// The lab as a process of its own; stopped when dropped.
struct Lab {
    process: Child,
    control: String,
}

impl Lab {
    fn start(program: &Path, dir: &Path, connectors: &Path, playbooks: &Path) -> Result<Self> {
        say(&format!("starting the lab in {}", dir.display()));
        let mut process = Command::new(program)
            .arg("up")
            .arg(dir)
            .arg("--connectors")
            .arg(connectors)
            .arg("--playbooks")
            .arg(playbooks)
            .stdout(Stdio::piped())
            .spawn()
            .into_diagnostic()
            .wrap_err("could not start the lab")?;
        let output = process
            .stdout
            .take()
            .ok_or_else(|| miette!("the lab has no output"))?;
        let mut ready = String::new();
        BufReader::new(output)
            .read_line(&mut ready)
            .into_diagnostic()?;
        if ready.is_empty() {
            return Err(miette!(
                "the lab ended before it was ready ({})",
                process.wait().into_diagnostic()?
            ));
        }
        say(ready.trim_end());
        let lab = std::fs::read(dir.join("lab.json"))
            .into_diagnostic()
            .wrap_err("the lab wrote no lab.json")?;
        let lab: serde_json::Value = serde_json::from_slice(&lab).into_diagnostic()?;
        let control = lab["products"]["kata"]["control_url"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(Self { process, control })
    }

    fn wait(mut self) -> Result<()> {
        self.process.wait().into_diagnostic().map(drop)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            // Asked to end, so that it can clean up; killed only where asking is impossible.
            let asked = Command::new("kill")
                .arg(self.process.id().to_string())
                .status();
            if !asked.is_ok_and(|status| status.success()) {
                let _ = self.process.kill();
            }
            let _ = self.process.wait();
        }
    }
}
