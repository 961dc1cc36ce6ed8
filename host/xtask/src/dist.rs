//! `cargo xtask dist`: one folder with the programs, the connectors and the playbooks.

use std::path::PathBuf;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::components;
use crate::workspace::{Workspace, copy_all, say};

/// Marks a folder as made here, so that the next `dist` may replace it.
const MARK: &str = ".cordon-dist";

/// Builds and packs; returns the folder.
pub fn run(workspace: &Workspace, dir: Option<PathBuf>, profile: &str) -> Result<PathBuf> {
    let dir = dir.unwrap_or_else(|| workspace.target.join("dist"));
    if dir.exists() && !dir.join(MARK).is_file() {
        let empty = std::fs::read_dir(&dir).into_diagnostic()?.next().is_none();
        if !empty {
            return Err(miette!(
                help = "name a new folder with `--dir`",
                "{} was not made by `cargo xtask dist`; it is left alone",
                dir.display()
            ));
        }
    }
    let programs = workspace.build_programs(profile)?;
    let connectors = components::build_connectors(workspace)?;

    if dir.exists() {
        std::fs::remove_dir_all(&dir)
            .into_diagnostic()
            .wrap_err_with(|| format!("could not replace {}", dir.display()))?;
    }
    std::fs::create_dir_all(&dir).into_diagnostic()?;
    std::fs::write(
        dir.join(MARK),
        "made by `cargo xtask dist`; the next one may replace this folder\n",
    )
    .into_diagnostic()?;
    for program in ["cordon", "cordon-lab"] {
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        std::fs::copy(programs.join(&name), dir.join(&name))
            .into_diagnostic()
            .wrap_err_with(|| format!("{name} was not built"))?;
    }
    let connectors = copy_all(&connectors, "wasm", &dir.join("connectors"))?;
    let playbooks = copy_all(
        &workspace.root.join("playbooks"),
        "rhai",
        &dir.join("playbooks"),
    )?;
    std::fs::copy(workspace.root.join("LICENSE"), dir.join("LICENSE")).into_diagnostic()?;
    say(&format!(
        "{}: cordon, cordon-lab, {connectors} connector(s), {playbooks} playbooks. Try `{}/cordon-lab up LAB` there.",
        dir.display(),
        dir.display()
    ));
    Ok(dir)
}
