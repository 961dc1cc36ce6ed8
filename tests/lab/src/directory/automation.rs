//! The ready automation directory: a connection to each simulated product, its credentials, and
//! copies of connectors and playbooks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Lab;

use super::files::{self, error, read_if_there, write_public};
use super::{DirectoryError, broken, connection};

const COPIED: &str = "copied.json";

/// Where connectors and playbooks are copied from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A folder with `*.wasm`.
    pub connectors: Option<PathBuf>,
    /// A folder with `*.rhai`.
    pub playbooks: Option<PathBuf>,
}

pub(super) fn write(automation: &Path, lab: &Lab, sources: &Sources) -> Result<(), DirectoryError> {
    for folder in ["connections", "connectors", "playbooks", "credentials"] {
        files::make_folder(&automation.join(folder))?;
    }
    write_once(&automation.join("cordon.toml"), HEAD)?;
    for simulator in lab.simulators() {
        connection::write(automation, simulator)?;
    }
    let mut copied = Copied::read(automation)?;
    if let Some(folder) = &sources.connectors {
        copied.copy(folder, "wasm", automation, "connectors")?;
    }
    if let Some(folder) = &sources.playbooks {
        copied.copy(folder, "rhai", automation, "playbooks")?;
    }
    copied.write(automation)
}

const HEAD: &str = "# The automation directory of a lab. Everything here has its default.\n";

fn write_once(path: &Path, text: &str) -> Result<(), DirectoryError> {
    match read_if_there(path)? {
        Some(_) => Ok(()),
        None => write_public(path, text),
    }
}

/// What was copied before, by its place in the automation directory, with its digest: a copy that has another digest now was
/// changed by somebody and is left alone.
struct Copied(BTreeMap<String, String>);

impl Copied {
    fn path(automation: &Path) -> PathBuf {
        automation.with_file_name(COPIED)
    }

    fn read(automation: &Path) -> Result<Self, DirectoryError> {
        let path = Self::path(automation);
        let Some(text) = read_if_there(&path)? else {
            return Ok(Self(BTreeMap::new()));
        };
        let read = serde_json::from_str(&text);
        read.map(Self).map_err(|error| broken(&path, &error))
    }

    fn write(&self, automation: &Path) -> Result<(), DirectoryError> {
        let path = Self::path(automation);
        let text = serde_json::to_string_pretty(&self.0).map_err(|error| broken(&path, &error))?;
        write_public(&path, &format!("{text}\n"))
    }

    fn copy(
        &mut self,
        from: &Path,
        extension: &'static str,
        automation: &Path,
        to: &str,
    ) -> Result<(), DirectoryError> {
        let mut found = false;
        for entry in fs::read_dir(from).map_err(error("read", from))? {
            let source = entry.map_err(error("read", from))?.path();
            if source.extension().is_none_or(|known| known != extension) {
                continue;
            }
            found = true;
            if let Some(name) = source.file_name() {
                let place = format!("{to}/{}", name.to_string_lossy());
                self.copy_one(&source, &automation.join(to).join(name), place)?;
            }
        }
        if found {
            return Ok(());
        }
        Err(DirectoryError::NothingToCopy {
            folder: from.to_owned(),
            extension,
        })
    }

    fn copy_one(
        &mut self,
        source: &Path,
        target: &Path,
        place: String,
    ) -> Result<(), DirectoryError> {
        let bytes = fs::read(source).map_err(error("read", source))?;
        let before = self.0.get(&place);
        if let Ok(present) = fs::read(target)
            && before.is_none_or(|before| before != &digest(&present))
        {
            tracing::warn!(file = %place, "kept, because it was changed in the lab's folder");
            return Ok(());
        }
        files::write(target, &bytes, false)?;
        self.0.insert(place, digest(&bytes));
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
