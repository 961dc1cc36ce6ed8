//! What an automation directory holds, loaded: its connectors, and its connections when they are
//! asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cordon_connection::{Connection, ConnectionFile, FileError, OpenError, Vault};
use cordon_connector::{Connector, EngineError, LoadError, Runtime, RuntimeOptions};
use cordon_contract::name;

use crate::directory::{Directory, DirectoryError, nearest_hint};
use crate::live::{Link, NamedSecrets};

/// The loaded connectors of an automation directory, and its connections by name.
pub struct Inventory {
    directory: Directory,
    /// What connections keep between calls.
    vault: Arc<Vault>,
    /// What playbooks may pass as arguments.
    secrets: Arc<NamedSecrets>,
    runtime: Runtime,
    connectors: BTreeMap<String, Arc<Connector>>,
    paths: BTreeMap<String, PathBuf>,
    refused: Vec<Refused>,
    /// By the connection's name and the digest of its connector.
    opened: Mutex<HashMap<(String, String), Opened>>,
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

/// Why the bytes of a connector are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// Its file cannot be read.
    #[error("cannot read `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// Its file was changed since it was loaded.
    #[error("the connector `{name}` was changed while it was being used; start again")]
    Changed {
        /// The connector.
        name: String,
    },
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
        let mut paths = BTreeMap::new();
        let mut refused = Vec::new();
        for entry in runtime
            .load_folder(&directory.connectors())
            .await
            .map_err(Box::new)?
        {
            match entry.result {
                Ok(connector) => {
                    let name = connector.model().manifest.name.clone();
                    paths.insert(name.clone(), entry.path);
                    connectors.insert(name, connector);
                }
                Err(error) => refused.push(Refused {
                    path: entry.path,
                    error,
                }),
            }
        }
        let vault = Arc::new(Vault::at(&directory.data().join("state")));
        let secrets = NamedSecrets::new(
            directory.settings().secrets.clone(),
            directory.root().to_owned(),
        );
        Ok(Self {
            directory,
            vault,
            secrets: Arc::new(secrets),
            runtime,
            connectors,
            paths,
            refused,
            opened: Mutex::default(),
        })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What loads connectors.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The bytes of a connector's component, as they were loaded.
    ///
    /// # Errors
    /// Where its file is not any more what was loaded.
    pub fn component(&self, name: &str) -> Result<Vec<u8>, ComponentError> {
        let (Some(connector), Some(path)) = (self.connectors.get(name), self.paths.get(name))
        else {
            return Err(ComponentError::Changed {
                name: name.to_owned(),
            });
        };
        let bytes = std::fs::read(path).map_err(|error| ComponentError::Unreadable {
            path: path.clone(),
            error,
        })?;
        if crate::engine::digest(&bytes) != connector.model().digest {
            return Err(ComponentError::Changed {
                name: name.to_owned(),
            });
        }
        Ok(bytes)
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
        self.open(&file, connector)
    }

    /// A connection with a version of its connector that a run began with.
    ///
    /// # Errors
    /// Where it is not usable.
    pub fn link_with(&self, name: &str, connector: Arc<Connector>) -> Result<Link, LinkError> {
        if let Some(link) = self.opened_just_now(name, &connector) {
            return Ok(link);
        }
        let file = self.connection_file(name)?;
        if !file.enabled {
            return Err(LinkError::Disabled {
                name: name.to_owned(),
            });
        }
        self.open(&file, connector)
    }

    /// A connection whose file was looked at a moment ago: many runs that begin together look once.
    fn opened_just_now(&self, name: &str, connector: &Connector) -> Option<Link> {
        let key = (name.to_owned(), connector.model().digest.clone());
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.get(&key)?;
        let is_fresh =
            known.looked_at.elapsed() < LOOKED_AT_AFTER && known.since.elapsed() < REOPENED_AFTER;
        is_fresh.then(|| known.link.clone())
    }

    fn open(&self, file: &ConnectionFile, connector: Arc<Connector>) -> Result<Link, LinkError> {
        let key = (file.name.clone(), connector.model().digest.clone());
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = opened().get_mut(&key)
            && known.text == file.text
            && known.since.elapsed() < REOPENED_AFTER
        {
            known.looked_at = Instant::now();
            return Ok(known.link.clone());
        }
        let connection = Connection::open(file, &connector.model().manifest, self.directory.root())
            .map_err(Box::new)?;
        connection.keep_in(Arc::clone(&self.vault));
        connection.keep_blobs_in(self.directory.blobs());
        let link = Link {
            connection,
            connector,
            secrets: Arc::clone(&self.secrets),
        };
        let known = Opened {
            text: Arc::clone(&file.text),
            since: Instant::now(),
            looked_at: Instant::now(),
            link: link.clone(),
        };
        opened().insert(key, known);
        Ok(link)
    }
}

/// A connection that is open, with the file that it was opened by.
struct Opened {
    text: Arc<str>,
    since: Instant,
    looked_at: Instant,
    link: Link,
}

/// How long a change of a connection's file may go unseen by runs that begin.
const LOOKED_AT_AFTER: Duration = Duration::from_millis(300);

/// Runs share an open connection, and with it what it keeps open to the product. It is opened anew when
/// its file has changed, and after this time also when only what that refers to may have: credentials,
/// certificates.
const REOPENED_AFTER: Duration = Duration::from_secs(60);
