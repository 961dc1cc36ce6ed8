//! The built `cordon` as a process, in an automation directory of its own.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what goes wrong here is a failed test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command left behind.
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A folder that is removed at the end.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// An automation directory with nothing in it.
    pub fn automation() -> Self {
        let place = Self::empty();
        for folder in ["connections", "connectors", "playbooks", "credentials"] {
            std::fs::create_dir_all(place.path().join(folder)).unwrap();
        }
        place.with("cordon.toml", "")
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("automation")
    }

    /// With a file in it.
    pub fn with(self, path: &str, content: &str) -> Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Runs `cordon -C` this place.
    pub fn cordon(&self, arguments: &[&str]) -> Output {
        let path = self.path();
        let path = if path.exists() {
            path
        } else {
            self.folder.path().to_owned()
        };
        let mut all = vec!["-C", path.to_str().unwrap()];
        all.extend(arguments);
        run(cordon().args(all))
    }

    /// The text with the name of this place replaced by `DIR`.
    pub fn plain(&self, text: &str) -> String {
        text.replace(self.path().to_str().unwrap(), "DIR")
            .replace(self.folder.path().to_str().unwrap(), "DIR")
    }
}

/// `cordon`, with nothing of the person at the machine in its environment.
pub fn cordon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordon"));
    for name in [
        "NO_COLOR",
        "CORDON_LOG",
        "TERM",
        "COLUMNS",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(name);
    }
    // Compiled code goes into a folder of the build, not of the person.
    command.env(
        "XDG_CACHE_HOME",
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
    );
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Output {
        code: output.status.code().expect("no signal ended it"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
