//! What an automation directory holds, loaded: its connectors, and its connections when they are
//! asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cordon_connection::{Connection, ConnectionFile, FileError, OpenError};
use cordon_connector::{Connector, EngineError, LoadError, Runtime, RuntimeOptions};
use cordon_contract::name;

use crate::directory::{Directory, DirectoryError, nearest_hint};
use crate::live::Link;

/// The loaded connectors of an automation directory, and its connections by name.
pub struct Inventory {
    directory: Directory,
    connectors: BTreeMap<String, Arc<Connector>>,
    refused: Vec<Refused>,
}

/// A file in `connectors/` that is no connector.
#[derive(Debug)]
pub struct Refused {
    /// The file.
    pub path: PathBuf,
    /// Why it is none.
    pub error: LoadError,
}

/// Why an automation directory could not be loaded at all. A single bad file is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// WebAssembly cannot be run here.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The folder of connectors cannot be read.
    #[error(transparent)]
    Connectors(#[from] Box<LoadError>),
}

/// Why a connection is not usable.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no file of that name.
    #[error("there is no connection `{name}`{}", nearest_hint(nearest.as_deref()))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// The folder of connections cannot be read.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Its file is wrong.
    #[error(transparent)]
    File(#[from] Box<FileError>),
    /// Its file says `enabled = false`.
    #[error("the connection `{name}` is disabled by `enabled = false` in its file")]
    Disabled {
        /// The connection.
        name: String,
    },
    /// Its connector is not there.
    #[error("the connection `{name}` needs the connector `{connector}`, which is not in `connectors/`{}", nearest_hint(nearest.as_deref()))]
    NoConnector {
        /// The connection.
        name: String,
        /// The connector.
        connector: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// Its settings or credentials are not what the connector asks for.
    #[error(transparent)]
    Open(#[from] Box<OpenError>),
}

impl LinkError {
    /// The page that explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "connection.unknown",
            Self::Disabled { .. } => "connection.disabled",
            Self::NoConnector { .. } => "connection.connector",
            Self::Directory(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Open(error) => error.code(),
        }
    }

    /// What to do about it, where that is not in the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { name, .. } => Some(format!(
                "`cordon connection list` shows them; `cordon connection new {name} --connector C` makes one"
            )),
            Self::Disabled { name } => Some(format!("set `enabled = true` in `connections/{name}.toml`")),
            Self::NoConnector { .. } => Some(
                "put its `.wasm` file into `connectors/`; `cordon connector list` shows what is there and what was \
                 refused"
                    .to_owned(),
            ),
            Self::Directory(error) => error.help(),
            Self::File(_) | Self::Open(_) => None,
        }
    }
}

impl Inventory {
    /// Loads the connectors of a directory. Files that are no connectors are kept as
    /// [`Inventory::refused`]; the others work. `cache` is where compiled code is kept: a folder
    /// that only Cordon may write.
    ///
    /// # Errors
    /// Where WebAssembly cannot be run, or `connectors/` cannot be read.
    pub async fn load(
        directory: Directory,
        cache: Option<PathBuf>,
    ) -> Result<Self, InventoryError> {
        let limits = directory.settings().connector_limits.clone();
        let runtime = Runtime::new(RuntimeOptions {
            cache_dir: cache,
            limits,
        })?;
        let mut connectors = BTreeMap::new();
        let mut refused = Vec::new();
        for entry in runtime
            .load_folder(&directory.connectors())
            .await
            .map_err(Box::new)?
        {
            match entry.result {
                Ok(connector) => {
                    connectors.insert(connector.model().manifest.name.clone(), connector);
                }
                Err(error) => refused.push(Refused {
                    path: entry.path,
                    error,
                }),
            }
        }
        Ok(Self {
            directory,
            connectors,
            refused,
        })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The connectors by name.
    #[must_use]
    pub fn connectors(&self) -> &BTreeMap<String, Arc<Connector>> {
        &self.connectors
    }

    /// The files that are no connectors.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The file of a connection.
    ///
    /// # Errors
    /// Where there is none of that name, or it is wrong.
    pub fn connection_file(&self, name: &str) -> Result<ConnectionFile, LinkError> {
        let names = self.directory.connection_names()?;
        if !names.iter().any(|known| known == name) {
            let nearest = name::nearest(name, names.iter().map(String::as_str));
            return Err(LinkError::Unknown {
                name: name.to_owned(),
                nearest: nearest.map(str::to_owned),
            });
        }
        let path = self.directory.connection_path(name);
        Ok(ConnectionFile::read(&path).map_err(Box::new)?)
    }

    /// The connector that a connection's file names.
    ///
    /// # Errors
    /// Where the connection is disabled, or its connector is not there.
    pub fn connector_of(
        &self,
        name: &str,
        file: &ConnectionFile,
    ) -> Result<&Arc<Connector>, LinkError> {
        if !file.enabled {
            return Err(LinkError::Disabled {
                name: name.to_owned(),
            });
        }
        self.connectors.get(&file.connector.value).ok_or_else(|| {
            let nearest = name::nearest(
                &file.connector.value,
                self.connectors.keys().map(String::as_str),
            );
            LinkError::NoConnector {
                name: name.to_owned(),
                connector: file.connector.value.clone(),
                nearest: nearest.map(str::to_owned),
            }
        })
    }

    /// A connection, ready to be called.
    ///
    /// # Errors
    /// Where it is not usable.
    pub fn link(&self, name: &str) -> Result<Link, LinkError> {
        let file = self.connection_file(name)?;
        let connector = Arc::clone(self.connector_of(name, &file)?);
        let connection =
            Connection::open(&file, &connector.model().manifest, self.directory.root())
                .map_err(Box::new)?;
        Ok(Link {
            connection,
            connector,
        })
    }
}
