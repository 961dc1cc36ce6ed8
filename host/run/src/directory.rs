//! The automation directory: what is where, and its settings. Nothing here is loaded yet; see
//! [`crate::inventory`].

use std::io;
use std::path::{Path, PathBuf};

use cordon_connection::Blobs;
use cordon_contract::name;

use crate::settings::{Settings, SettingsError};

/// The file that makes a folder an automation directory.
pub const SETTINGS_FILE: &str = "cordon.toml";

/// An automation directory.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
    settings: Settings,
}

/// Why a folder, or something in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is no `cordon.toml`.
    #[error("`{}` is no automation directory: it has no `{SETTINGS_FILE}`", path.display())]
    NotOne {
        /// The folder.
        path: PathBuf,
    },
    /// `cordon.toml` is wrong.
    #[error(transparent)]
    Settings(#[from] Box<SettingsError>),
    /// Something cannot be read.
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A playbook that is not there.
    #[error("there is no playbook `{name}` in `{}`{}", folder.display(), nearest_hint(nearest.as_deref()))]
    NoPlaybook {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The nearest that there is.
        nearest: Option<String>,
    },
}

impl DirectoryError {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOne { .. } => "directory.missing",
            Self::Settings(_) => "directory.settings",
            Self::Unreadable { .. } => "directory.unreadable",
            Self::NoPlaybook { .. } => "playbook.unknown",
        }
    }

    /// What to do about it, where that is not in the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotOne { path } => Some(format!(
                "make one with `cordon init {}`, or name another with `-C DIR`",
                path.display()
            )),
            Self::NoPlaybook { .. } => Some("`cordon playbook list` shows them".to_owned()),
            Self::Settings(_) | Self::Unreadable { .. } => None,
        }
    }
}

pub(crate) fn nearest_hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl Directory {
    /// The automation directory at this path.
    ///
    /// # Errors
    /// Where it is none, or its settings are wrong.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, DirectoryError> {
        let root = root.into();
        let path = root.join(SETTINGS_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(DirectoryError::NotOne { path: root });
            }
            Err(error) => return Err(DirectoryError::Unreadable { path, error }),
        };
        let settings = Settings::parse(&path, &text).map_err(Box::new)?;
        Ok(Self { root, settings })
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What `cordon.toml` says.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where runs are kept, and nothing that a person writes.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Bytes that are too many for a value of a run.
    #[must_use]
    pub fn blobs(&self) -> Blobs {
        Blobs::at(&self.data().join("blobs"))
    }

    /// Where connectors are.
    #[must_use]
    pub fn connectors(&self) -> PathBuf {
        self.root.join("connectors")
    }

    /// Where playbooks are.
    #[must_use]
    pub fn playbooks(&self) -> PathBuf {
        self.root.join("playbooks")
    }

    /// The file of a connection, whether or not it is there.
    #[must_use]
    pub fn connection_path(&self, name: &str) -> PathBuf {
        self.root.join("connections").join(format!("{name}.toml"))
    }

    /// The names of the connections that have a file, in order.
    ///
    /// # Errors
    /// Where the folder cannot be read; one that is not there has none.
    pub fn connection_names(&self) -> Result<Vec<String>, DirectoryError> {
        names(&self.root.join("connections"), "toml")
    }

    /// The names of the playbooks, in order. Files of tests (`*_test.rhai`) are none.
    ///
    /// # Errors
    /// Where the folder cannot be read; one that is not there has none.
    pub fn playbook_names(&self) -> Result<Vec<String>, DirectoryError> {
        let mut found = names(&self.playbooks(), "rhai")?;
        found.retain(|name| !name.ends_with("_test"));
        Ok(found)
    }

    /// The file of a playbook by its name, in either spelling and with or without `.rhai`, or by a
    /// path to a file.
    ///
    /// # Errors
    /// Where there is none.
    pub fn playbook_path(&self, wanted: &str) -> Result<PathBuf, DirectoryError> {
        let known = self.playbook_names()?;
        let plain = wanted.strip_suffix(".rhai").unwrap_or(wanted);
        if let Some(found) = known.iter().find(|known| name::same(known, plain)) {
            return Ok(self.playbooks().join(format!("{found}.rhai")));
        }
        let path = Path::new(wanted);
        if path.is_file() {
            return Ok(path.to_owned());
        }
        Err(DirectoryError::NoPlaybook {
            name: wanted.to_owned(),
            folder: self.playbooks(),
            nearest: name::nearest(plain, known.iter().map(String::as_str)).map(str::to_owned),
        })
    }
}

/// The names of the files of a folder with this extension, in order.
fn names(folder: &Path, extension: &str) -> Result<Vec<String>, DirectoryError> {
    let unreadable = |error| DirectoryError::Unreadable {
        path: folder.to_owned(),
        error,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some(stem), true) = (
            stem,
            path.extension().is_some_and(|found| found == extension),
        ) {
            found.push(stem.to_owned());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, Directory) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("playbooks")).unwrap();
        std::fs::write(folder.path().join(SETTINGS_FILE), "").unwrap();
        for name in ["contain_host.rhai", "contain_host_test.rhai", "notes.txt"] {
            std::fs::write(folder.path().join("playbooks").join(name), "").unwrap();
        }
        let directory = Directory::open(folder.path()).unwrap();
        (folder, directory)
    }

    #[test]
    fn a_folder_without_settings_is_no_automation_directory() {
        let folder = tempfile::tempdir().unwrap();
        let error = Directory::open(folder.path()).unwrap_err();
        assert!(matches!(error, DirectoryError::NotOne { .. }));
        assert!(error.help().unwrap().contains("cordon init"));
    }

    #[test]
    fn a_playbook_is_found_by_its_name_in_either_spelling_and_tests_are_none() {
        let (_folder, directory) = directory();
        assert_eq!(directory.playbook_names().unwrap(), ["contain_host"]);
        for wanted in ["contain_host", "contain-host", "contain_host.rhai"] {
            let path = directory.playbook_path(wanted).unwrap();
            assert!(path.ends_with("playbooks/contain_host.rhai"));
        }
        let error = directory.playbook_path("contain_hots").unwrap_err();
        assert!(
            error.to_string().ends_with("did you mean `contain_host`?"),
            "{error}"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing() {
        let (_folder, directory) = directory();
        assert_eq!(directory.connection_names().unwrap(), Vec::<String>::new());
    }
}
