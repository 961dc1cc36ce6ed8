//! The workspace as cargo sees it, and commands run in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

/// Where the source and what is built from it are.
pub struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target directory, wherever the environment put it.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let output = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .into_diagnostic()
            .wrap_err("could not run cargo")?;
        if !output.status.success() {
            return Err(miette!(
                "cargo metadata failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).into_diagnostic()?;
        let path = |name: &str| {
            metadata[name]
                .as_str()
                .map(PathBuf::from)
                .ok_or_else(|| miette!("cargo metadata has no {name}"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
        })
    }

    /// A cargo command in the workspace.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.current_dir(&self.root).args(arguments);
        command
    }

    /// The folder that cargo puts the programs of a profile into.
    pub fn programs(&self, profile: &str) -> PathBuf {
        self.target
            .join(if profile == "dev" { "debug" } else { profile })
    }

    /// Builds these targets for this machine.
    ///
    /// The whole workspace is named whatever the targets: cargo chooses the features of dependencies
    /// by the packages that are built together, and naming single packages would compile wasmtime
    /// once for each choice.
    pub fn build(&self, targets: &[&str], profile: &str) -> Result<()> {
        run(self
            .cargo(&["build", "--workspace", "--profile", profile])
            .args(targets))
    }

    /// Builds the programs `cordon` and `cordon-lab` and says where they are.
    pub fn build_programs(&self, profile: &str) -> Result<PathBuf> {
        self.build(&["--bin", "cordon", "--bin", "cordon-lab"], profile)?;
        Ok(self.programs(profile))
    }
}

/// Says what is being run, runs it, and fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    say(&describe(command));
    let status = command
        .status()
        .into_diagnostic()
        .wrap_err_with(|| format!("could not run {}", describe(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(miette!("`{}` failed ({status})", describe(command)))
    }
}

/// A line about what is going on, apart from what the programs print.
pub fn say(line: &str) {
    eprintln!("› {line}");
}

/// Copies every file of `from` with this extension into `to`, and says how many there were.
pub fn copy_all(from: &Path, extension: &str, to: &Path) -> Result<usize> {
    std::fs::create_dir_all(to)
        .into_diagnostic()
        .wrap_err_with(|| format!("could not make {}", to.display()))?;
    let mut count = 0;
    for entry in std::fs::read_dir(from)
        .into_diagnostic()
        .wrap_err_with(|| format!("could not read {}", from.display()))?
    {
        let path = entry.into_diagnostic()?.path();
        if let (Some(name), true) = (
            path.file_name(),
            path.extension().is_some_and(|found| found == extension),
        ) {
            std::fs::copy(&path, to.join(name))
                .into_diagnostic()
                .wrap_err_with(|| format!("could not copy {}", path.display()))?;
            count += 1;
        }
    }
    Ok(count)
}

fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    format!("{program} {}", arguments.join(" "))
}
