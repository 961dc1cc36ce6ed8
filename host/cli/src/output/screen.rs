//! The only place that writes: standard output for what was asked for, standard error for what is
//! said about it, and on a terminal one line at the bottom that changes.
//!
//! A reader who goes away (`cordon … | head`) ends nothing: a containment must not stop half-way
//! because nobody looks any more. What cannot be written is dropped, and an error that is not the
//! reader's leaving is reported at the end.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::paint::{self, Look};

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always, also into files and pipes.
    Always,
    /// Never.
    Never,
}

/// Standard output and standard error of this process.
#[derive(Debug)]
pub struct Screen {
    stdout: Look,
    stderr: Look,
    live: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    status: Option<String>,
    lost: Option<io::Error>,
}

impl Screen {
    /// The screen of this process.
    #[must_use]
    pub fn new(colour: Colour) -> Self {
        let stdout = io::stdout().is_terminal();
        let stderr = io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let plain = dumb || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        let look = |terminal: bool| Look {
            colour: match colour {
                Colour::Auto => terminal && !plain,
                Colour::Always => true,
                Colour::Never => false,
            },
            width: terminal.then_some(width.max(20)),
        };
        Self {
            stdout: look(stdout),
            stderr: look(stderr),
            live: stderr && !dumb,
            state: Mutex::default(),
        }
    }

    /// What standard output can show.
    #[must_use]
    pub fn stdout(&self) -> Look {
        self.stdout
    }

    /// What standard error can show.
    #[must_use]
    pub fn stderr(&self) -> Look {
        self.stderr
    }

    /// Whether standard error is a terminal on which a line can change in place.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Writes what was asked for to standard output, with a line end after it.
    pub fn print(&self, text: &str) {
        let mut state = self.state();
        self.clear(&state);
        let mut stdout = io::stdout().lock();
        let written = write_line(&mut stdout, text).and_then(|()| stdout.flush());
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
            && state.lost.is_none()
        {
            state.lost = Some(error);
        }
        self.draw(&state);
    }

    /// Writes something about it to standard error, with a line end after it.
    pub fn note(&self, text: &str) {
        let state = self.state();
        self.clear(&state);
        let _ = write_line(&mut io::stderr().lock(), text);
        self.draw(&state);
    }

    /// Sets or removes the line that changes. Nothing happens where there is no terminal.
    pub fn status(&self, text: Option<String>) {
        if !self.live {
            return;
        }
        let mut state = self.state();
        self.clear(&state);
        state.status = text;
        self.draw(&state);
    }

    /// Asks a person at the terminal; none where nobody is there to answer.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() {
            return None;
        }
        {
            let _state = self.state();
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
        }
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Why output was lost, unless its reader went away.
    #[must_use]
    pub fn lost_output(&self) -> Option<io::Error> {
        self.state().lost.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self, state: &State) {
        if self.live && state.status.is_some() {
            let _ = io::stderr().lock().write_all(b"\r\x1b[2K");
        }
    }

    fn draw(&self, state: &State) {
        if let (true, Some(status)) = (self.live, &state.status) {
            let columns = self.stderr.width.unwrap_or(80).saturating_sub(1);
            let mut stderr = io::stderr().lock();
            let _ =
                write!(stderr, "\r{}", paint::cut(status, columns)).and_then(|()| stderr.flush());
        }
    }
}

fn write_line(to: &mut impl io::Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    if text.ends_with('\n') || text.is_empty() {
        Ok(())
    } else {
        to.write_all(b"\n")
    }
}
