//! What all connectors share: the engine, the linker, the limits, and the two queues that bound how
//! much is compiled and how much runs at a time.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::component::Linker;

use crate::connector::Connector;
use crate::engine::{EngineError, engine};
use crate::limits::{Limit, Limits};
use crate::load::{Contract, LoadError, compile, describe};
use crate::sandbox::{Sandbox, linker};

/// Components compiled at a time. Each takes a core, and memory in proportion to its size.
const COMPILATIONS_AT_ONCE: usize = 2;

/// How a runtime is made.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// Where compiled code is kept between starts: a folder that only Cordon's user may write, outside
    /// of the automation directory. None compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// The limits of every call.
    pub limits: Limits,
}

/// Loads connectors. Cheap to clone; all clones are the same runtime.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    linker: Linker<Sandbox>,
    contract: Contract,
    limits: Arc<Limits>,
    compilations: Semaphore,
    instances: Arc<Semaphore>,
}

/// A connector of a folder, or why it is none.
#[derive(Debug)]
pub struct FolderEntry {
    /// The file.
    pub path: PathBuf,
    /// The connector.
    pub result: Result<Arc<Connector>, LoadError>,
}

impl Runtime {
    /// A runtime with no connectors.
    ///
    /// # Errors
    /// Where the cache's folder cannot be used, or this system cannot run WebAssembly.
    pub fn new(options: RuntimeOptions) -> Result<Self, EngineError> {
        let engine = engine(options.cache_dir.as_deref(), &options.limits)?;
        let contract = Contract::embedded().map_err(EngineError::System)?;
        let linker = linker(&engine).map_err(|error| EngineError::System(format!("{error:#}")))?;
        let instances =
            usize::try_from(options.limits.get(Limit::Instances)).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            shared: Arc::new(Shared {
                linker,
                contract,
                limits: Arc::new(options.limits),
                compilations: Semaphore::new(COMPILATIONS_AT_ONCE),
                instances: Arc::new(Semaphore::new(instances)),
            }),
        })
    }

    /// The limits that hold.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Loads a connector from a file.
    ///
    /// # Errors
    /// Where the file cannot be read or is no connector.
    pub async fn load(&self, path: &Path) -> Result<Arc<Connector>, LoadError> {
        let size_max = self.shared.limits.get(Limit::ComponentSize);
        let unreadable = |problem: String| LoadError::Unreadable {
            path: path.to_owned(),
            problem,
        };
        let owned = path.to_owned();
        // One byte more than allowed is enough to tell that there are too many.
        let read = tokio::task::spawn_blocking(move || -> std::io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            std::fs::File::open(owned)?
                .take(size_max.saturating_add(1))
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let bytes = read
            .await
            .map_err(|error| unreadable(error.to_string()))?
            .map_err(|error| unreadable(error.to_string()))?;
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        self.load_bytes(&name, bytes).await
    }

    /// Loads a connector from the bytes of a component; `name` is what messages call it.
    ///
    /// # Errors
    /// Where they are no connector.
    pub async fn load_bytes(
        &self,
        name: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<Arc<Connector>, LoadError> {
        let bytes = bytes.into();
        let size_max = self.shared.limits.get(Limit::ComponentSize);
        if bytes.len() as u64 > size_max {
            let allowed = Limit::ComponentSize.row().show(size_max);
            return Err(LoadError::TooLarge {
                name: name.to_owned(),
                allowed,
            });
        }
        let broken = |problem: String| LoadError::Compile {
            name: name.to_owned(),
            problem,
        };
        let _turn = self
            .shared
            .compilations
            .acquire()
            .await
            .map_err(|error| broken(error.to_string()))?;
        let (shared, owned_name) = (self.shared.clone(), name.to_owned());
        // A panic over hostile bytes ends the task, not Cordon.
        let compiled = tokio::task::spawn_blocking(move || compile(&owned_name, &bytes, &shared.contract, &shared.linker))
            .await
            .map_err(|_| broken("it makes the compiler fail in a way that is a defect of Cordon's; please report it".to_owned()))??;
        let loaded = describe(name, compiled, &self.shared.limits).await?;
        Ok(Arc::new(Connector::new(
            loaded,
            self.shared.limits.clone(),
            self.shared.instances.clone(),
        )))
    }

    /// Loads every `*.wasm` of a folder, in the order of the file names. Of two connectors with one
    /// name neither is given: which of them is meant, nobody can know.
    ///
    /// # Errors
    /// Where the folder itself cannot be read. A folder that is not there has no connectors.
    pub async fn load_folder(&self, folder: &Path) -> Result<Vec<FolderEntry>, LoadError> {
        let unreadable = |error: std::io::Error| LoadError::Unreadable {
            path: folder.to_owned(),
            problem: error.to_string(),
        };
        let mut paths = Vec::new();
        match tokio::fs::read_dir(folder).await {
            Ok(mut entries) => {
                while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
                    if entry
                        .path()
                        .extension()
                        .is_some_and(|extension| extension == "wasm")
                    {
                        paths.push(entry.path());
                    }
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(error)),
        }
        paths.sort();
        let loads = paths.into_iter().map(|path| async move {
            let result = self.load(&path).await;
            FolderEntry { path, result }
        });
        let mut entries = futures::future::join_all(loads).await;
        refuse_shared_names(&mut entries);
        Ok(entries)
    }
}

fn refuse_shared_names(entries: &mut [FolderEntry]) {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Ok(connector) = &entry.result {
            by_name
                .entry(connector.model().manifest.name.clone())
                .or_default()
                .push(index);
        }
    }
    let file = |entry: &FolderEntry| {
        entry
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let files: Vec<String> = entries.iter().map(file).collect();
    for (connector, same) in by_name.into_iter().filter(|(_, same)| same.len() > 1) {
        for &index in &same {
            let others = same
                .iter()
                .filter(|other| **other != index)
                .map(|other| files[*other].clone());
            let other = others.collect::<Vec<_>>().join("` and `");
            entries[index].result = Err(LoadError::NameTaken {
                name: files[index].clone(),
                connector: connector.clone(),
                other,
            });
        }
    }
}
