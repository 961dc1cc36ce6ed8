//! What every command is given: the screen, and the automation directory with what it holds.

use std::path::PathBuf;
use std::sync::Arc;

use cordon_journal::sqlite::{self, Access, Options, STORE_FILE, SqliteStore};
use cordon_run::directory::Directory;
use cordon_run::inventory::Inventory;

use crate::exit::Exit;
use crate::output::Screen;
use crate::problem::Problem;

/// What every command is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// Where output goes.
    pub screen: Arc<Screen>,
    /// The automation directory, as it was named.
    pub path: PathBuf,
    /// How much more than usual is said.
    pub verbose: u8,
}

impl Context {
    /// The automation directory.
    pub fn directory(&self) -> Result<Directory, Problem> {
        Ok(Directory::open(&self.path)?)
    }

    /// The automation directory with its connectors loaded.
    pub async fn inventory(&self) -> Result<Inventory, Problem> {
        let directory = self.directory()?;
        if self.screen.is_live() {
            self.screen
                .status(Some("loading the connectors".to_owned()));
        }
        let inventory = Inventory::load(directory, cache()).await;
        self.screen.status(None);
        Ok(inventory?)
    }

    /// The folder of the store, made where it is not there.
    pub fn data(&self, directory: &Directory) -> Result<PathBuf, Problem> {
        let folder = directory.data();
        sqlite::create_folder(&folder)?;
        Ok(folder)
    }

    /// The store, made where it is not there.
    pub fn store(&self, directory: &Directory, access: Access) -> Result<SqliteStore, Problem> {
        let path = directory.data().join(STORE_FILE);
        Ok(SqliteStore::open(&path, Options::new(access))?)
    }

    /// The store where there is one; else no run was ever started.
    pub fn kept(&self, access: Access) -> Result<Option<SqliteStore>, Problem> {
        let directory = self.directory()?;
        let file = directory.data().join(STORE_FILE);
        // A file that this user may not see is not the same as none.
        let is_there = file.try_exists().map_err(|error| {
            Problem::new(
                Exit::Failed,
                format!("`{}` cannot be looked at: {error}", file.display()),
            )
            .hint("only the user who executes runs may read them, unless the folder's rights say otherwise")
            .code("store.disk")
        })?;
        if !is_there {
            return Ok(None);
        }
        self.store(&directory, access).map(Some)
    }

    /// Who is at the machine: the user of this process as the system names it. No variable of the
    /// environment changes it, since approvals stand on it.
    pub fn who(&self) -> Result<String, Problem> {
        whoami::username().or_else(|error| {
            uid().map(|uid| format!("uid {uid}")).ok_or_else(|| {
                Problem::new(
                    Exit::Failed,
                    format!("this machine does not say which user this is: {error}"),
                )
            })
        })
    }
}

/// The number of the user of this process, where the system has no name for it.
#[cfg(unix)]
fn uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(std::fs::metadata("/proc/self").ok()?.uid())
}

#[cfg(not(unix))]
fn uid() -> Option<u32> {
    None
}

/// Where compiled connectors are kept: in the person's own cache, outside of automation directories,
/// which others may write. None, and every start compiles, where there is no home.
fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".cache")))
        .map(|cache| cache.join("cordon"))
}
