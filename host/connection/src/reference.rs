//! References to what stands elsewhere: `env:NAME` and `file:PATH`. Secrets never stand in a
//! connection file, so that it can be shown, copied and kept under version control.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a credential or a certificate is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The value of an environment variable.
    Environment(String),
    /// The content of a file; a relative path starts at the automation directory.
    File(PathBuf),
}

impl Reference {
    /// Reads `env:NAME` or `file:PATH`; none for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            _ if rest.is_empty() => None,
            "env" if !rest.contains(['=', '\0']) => Some(Self::Environment(rest.to_owned())),
            "file" => Some(Self::File(PathBuf::from(rest))),
            _ => None,
        }
    }

    /// The path of a file reference, made absolute.
    #[must_use]
    pub fn path(&self, automation_directory: &Path) -> Option<PathBuf> {
        match self {
            Self::Environment(_) => None,
            Self::File(path) => Some(automation_directory.join(path)),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}
