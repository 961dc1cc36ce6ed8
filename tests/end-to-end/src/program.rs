//! The built programs, run as processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::CANARY;

/// What is under cargo's target directory, beside the test that is running.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // target/debug/deps/test
    test.ancestors()
        .nth(3)
        .expect("tests run in target/PROFILE/deps")
        .to_owned()
}

/// A built component: `connectors/kata`, `guests/loop`.
///
/// # Panics
/// Where it was not built.
#[must_use]
pub fn built(component: &str) -> PathBuf {
    let path = target()
        .join("components")
        .join(format!("{component}.wasm"));
    assert!(
        path.is_file(),
        "{} is missing; run the tests by `cargo xtask test`",
        path.display()
    );
    path
}

/// A command line of one of the built programs.
pub struct Program {
    command: Command,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Both outputs, for looking something up in either.
    #[must_use]
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails the test with the whole output unless the exit code is this.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails the test with the whole output unless it says this somewhere. Line breaks of wrapped
    /// messages count as spaces.
    #[track_caller]
    pub fn expect(&self, text: &str) -> &Self {
        let plain = |text: &str| {
            let kept = text.replace(['│', '╰', '─', '▶', '×', '·'], " ");
            kept.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert!(
            plain(&self.all()).contains(&plain(text)),
            "`{text}` is not said in\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }
}

impl Program {
    /// A program of the build under test: `cordon`, `cordon-lab`.
    ///
    /// # Panics
    /// Where it was not built.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let path = target()
            .join("debug")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        assert!(
            path.is_file(),
            "{} is missing; run the tests by `cargo xtask test`",
            path.display()
        );
        let mut command = Command::new(path);
        // What the person at the machine has set must not decide a test.
        command
            .env_remove("NO_COLOR")
            .env_remove("RUST_LOG")
            .env_remove("CORDON_LOG");
        Self { command }
    }

    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// With more arguments.
    #[must_use]
    pub fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    /// With an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// In this folder.
    #[must_use]
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The command itself, to start and follow it.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// Where it cannot be run, or shows the [`CANARY`].
    #[must_use]
    pub fn run(mut self) -> Output {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .expect("a built program runs");
        let output = Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        keep(&output);
        for (stream, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            assert!(!text.contains(CANARY), "{stream} shows a secret:\n{text}");
        }
        output
    }
}

/// Keeps an output for the look over the whole suite.
fn keep(output: &Output) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = target().join("suite");
    std::fs::create_dir_all(&folder).unwrap();
    let name = format!(
        "{}-{}.txt",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    std::fs::write(folder.join(name), output.all()).unwrap();
}
