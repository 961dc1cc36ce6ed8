//! What can be wrong in a connection file, with the place.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordon_contract::name::nearest;

/// A mistake in a connection file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Its text, for showing the place; what may be a secret is blotted out.
    pub text: Arc<str>,
    /// The bytes of the text that are wrong; empty where the whole file is.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: Box<FileProblem>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum FileProblem {
    #[error("the file cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error(
        "`{name}` is no name for a connection; use lower-case letters, digits, `-` and `_`, as in kata.toml"
    )]
    Name { name: String },
    #[error("not TOML: {reason}")]
    Syntax { reason: String },
    #[error("unknown key `{key}`{}", hint(.nearest))]
    UnknownKey {
        key: String,
        nearest: Option<String>,
    },
    #[error("`{key}` is missing; {help}")]
    Missing { key: String, help: String },
    #[error("`{key}` must be {expected}, not {found}")]
    Type {
        key: String,
        expected: String,
        found: String,
    },
    #[error("`{key}`: {reason}")]
    Value { key: String, reason: String },
    #[error("`{key}` and `{other}` exclude each other; {help}")]
    Conflict {
        key: &'static str,
        other: &'static str,
        help: &'static str,
    },
    #[error(
        "`{key}` must refer to a secret, as in \"env:NAME\" or \"file:credentials/{key}\"; secrets never stand in this file"
    )]
    PlainSecret { key: String },
    #[error("`{key}` cannot be used: {reason}")]
    Credential { key: String, reason: String },
}

impl FileError {
    pub(crate) fn new(path: &Path, text: &str, span: Range<usize>, problem: FileProblem) -> Self {
        let text = match problem {
            FileProblem::PlainSecret { .. } => blotted(text, &span).into(),
            _ => text.into(),
        };
        Self {
            path: path.to_owned(),
            text,
            span,
            problem: Box::new(problem),
        }
    }

    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            path,
            "",
            0..0,
            FileProblem::Unreadable {
                reason: error.to_string(),
            },
        )
    }

    /// Line and column of the mistake, from 1; the column counts characters.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        let before = self.text.get(..self.span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        (line, column)
    }

    /// The page that explains it: one of [`crate::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match *self.problem {
            FileProblem::PlainSecret { .. } | FileProblem::Credential { .. } => {
                "connection.credential"
            }
            _ => "connection.file",
        }
    }
}

/// `connections/kata.toml:3:1: unknown key …`
impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if !self.span.is_empty() || matches!(*self.problem, FileProblem::Syntax { .. }) {
            let (line, column) = self.place();
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.problem)
    }
}

impl std::error::Error for FileError {}

impl FileProblem {
    pub(crate) fn unknown_key<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self::UnknownKey {
            key: key.to_owned(),
            nearest: nearest(key, known).map(ToOwned::to_owned),
        }
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The text with the bytes of `span` replaced, line breaks excepted, so that places stay right.
fn blotted(text: &str, span: &Range<usize>) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        if span.contains(&at) && character != '\n' {
            out.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            out.push(character);
        }
    }
    out
}
