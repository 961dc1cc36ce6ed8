//! An automation directory to write into, break, and run `cordon` in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Program, built};

/// An automation directory.
pub struct Automation {
    root: PathBuf,
    _folder: Option<tempfile::TempDir>,
}

impl Automation {
    /// One that exists.
    #[must_use]
    pub fn at(root: PathBuf) -> Self {
        Self {
            root,
            _folder: None,
        }
    }

    /// A new one without anything in it.
    #[must_use]
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("automation");
        for name in ["connections", "connectors", "playbooks", "credentials"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        fs::write(root.join("cordon.toml"), "").unwrap();
        Self {
            root,
            _folder: Some(folder),
        }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file below it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.root.join(path), content).unwrap();
        self
    }

    /// The content of a file below it.
    #[must_use]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Writes a file below it anew, with one text replaced.
    pub fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let content = self.read(path);
        assert!(content.contains(from), "{path} has no `{from}`:\n{content}");
        self.write(path, content.replacen(from, to, 1))
    }

    /// Puts a built component into `connectors/`.
    pub fn with_connector(&self, component: &str) -> &Self {
        let from = built(component);
        fs::copy(
            &from,
            self.root.join("connectors").join(from.file_name().unwrap()),
        )
        .unwrap();
        self
    }

    /// A `cordon` command in this directory.
    #[must_use]
    pub fn cordon<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Program {
        Program::new("cordon")
            .arg("-C")
            .arg(&self.root)
            .args(arguments)
    }
}
