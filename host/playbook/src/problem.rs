//! What is wrong with a playbook before anything of it runs.

use std::fmt;
use std::path::PathBuf;

use crate::place::Place;

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where in which script, where that is known.
    pub place: Option<Place>,
    /// What to do about it.
    pub help: Option<String>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ProblemKind {
    #[error("cannot read `{path}`: {reason}")]
    Unreadable { path: PathBuf, reason: String },
    #[error("`{name}` is {size} bytes long; a script has at most {max}")]
    TooLarge { name: String, size: u64, max: usize },
    #[error("{message}")]
    Syntax { message: String },
    #[error("the playbook has no header")]
    NoHeader,
    #[error("the playbook has no `run` function")]
    NoRun,
    #[error("`run` takes one parameter, the inputs, not {parameters}")]
    RunParameters { parameters: usize },
    #[error("`{function}` takes {takes}, not {parameters}")]
    HandlerParameters {
        function: String,
        takes: String,
        parameters: usize,
    },
    #[error("{message}")]
    Header { message: String },
    #[error("only constants, functions and imports stand outside of functions")]
    TopLevel,
    #[error("the import {message}")]
    Import { message: String },
    #[error("`{name}` is a function of the language; a playbook must not define its own")]
    Hides { name: String },
    #[error(
        "`{name}` is an action of the connection `{connection}`; a function of this name would be called in its place"
    )]
    HidesAction { name: String, connection: String },
    #[error("`{alias}` is no alias of this playbook")]
    NoSuchAlias { alias: String },
    #[error("`{name}` is no input of this playbook")]
    NoSuchInput { name: String },
    #[error("`{function}` works on copies: what is done to `{variable}` in its closure is lost")]
    CapturedChange { function: String, variable: String },
    #[error("the alias `{alias}` is bound to no connection; it needs {wants}")]
    NotBound { alias: String, wants: String },
    #[error("the alias `{alias}` stands for one connection, and several would do: `{connections}`")]
    BoundTwice { alias: String, connections: String },
    #[error(
        "the alias `{alias}` needs {wants}, and the connection `{connection}` is one of `{connector}`"
    )]
    WrongConnector {
        alias: String,
        wants: String,
        connection: String,
        connector: String,
    },
    #[error("{message}")]
    NoSuchAction { message: String },
    #[error("`{action}` has no argument `{argument}`")]
    NoSuchArgument { action: String, argument: String },
    #[error("`{function}` {message}")]
    Call { function: String, message: String },
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind) -> Self {
        Self {
            kind,
            place: None,
            help: None,
        }
    }

    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The page that explains it: see [`crate::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            ProblemKind::Unreadable { .. } | ProblemKind::TooLarge { .. } => "playbook.unreadable",
            ProblemKind::Syntax { .. } => "playbook.syntax",
            ProblemKind::NoHeader
            | ProblemKind::NoRun
            | ProblemKind::RunParameters { .. }
            | ProblemKind::HandlerParameters { .. }
            | ProblemKind::Header { .. }
            | ProblemKind::TopLevel => "playbook.header",
            ProblemKind::Import { .. } => "playbook.import",
            ProblemKind::Hides { .. } | ProblemKind::HidesAction { .. } => "playbook.hides",
            ProblemKind::NoSuchAlias { .. } => "playbook.alias",
            ProblemKind::NoSuchInput { .. } => "playbook.input",
            ProblemKind::CapturedChange { .. } => "playbook.captured",
            ProblemKind::NotBound { .. }
            | ProblemKind::BoundTwice { .. }
            | ProblemKind::WrongConnector { .. } => "playbook.binding",
            ProblemKind::NoSuchAction { .. } => "playbook.action",
            ProblemKind::NoSuchArgument { .. } => "action.argument",
            ProblemKind::Call { .. } => "playbook.script",
        }
    }
}

/// `contain_host.rhai:3:5: `isolat` is no action of …; did you mean `isolate`?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", self.kind)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// Why a playbook is not loaded or not bound: at least one problem.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaybookError {
    /// What is wrong, in the order of the script.
    pub problems: Vec<Problem>,
}

impl PlaybookError {
    /// The page that explains the first problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problems
            .first()
            .map_or("playbook.syntax", Problem::code)
    }
}

impl From<Problem> for PlaybookError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl From<Vec<Problem>> for PlaybookError {
    fn from(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| {
            problem
                .place
                .as_ref()
                .map(|place| (place.line, place.column))
        });
        Self { problems }
    }
}

impl fmt::Display for PlaybookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for PlaybookError {}
