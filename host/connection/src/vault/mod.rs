//! What connections keep between calls: encrypted, durable, shared by all processes on one folder.
//!
//! ```text
//! FOLDER/state.db     SQLite; every commit is on the disk when it returns
//! FOLDER/state.key    the key, 32 bytes, readable by its owner only
//! FOLDER/locks/       held by the calls that have acquired a name
//! ```
//!
//! A value is bound to its connection, its name and its version: one that was moved or put back from
//! an older copy of its row does not decrypt. Versions come from one counter and are never used
//! twice, so that "unchanged" can be told from "removed and made anew".
//!
//! Nothing is made before the first use, so that commands that keep nothing work on a folder that
//! cannot be written.

mod cipher;
mod database;
mod error;
mod keep;
mod lock;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cipher::Cipher;
use database::Database;
use lock::Locks;

pub use error::VaultError;
pub(crate) use keep::Pending;
pub use keep::{Keep, SealedValue, StateEntry};
pub use lock::Held;

/// The state of all connections of an automation directory.
pub struct Vault {
    folder: PathBuf,
    opened: Mutex<Option<Arc<Opened>>>,
    locks: Locks,
}

/// What the first use opens.
struct Opened {
    cipher: Cipher,
    database: Mutex<Database>,
}

impl Vault {
    /// The vault of this folder, which is made when it is first used.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            opened: Mutex::new(None),
            locks: Locks::at(&folder.join("locks")),
        }
    }

    fn opened(&self) -> Result<Arc<Opened>, VaultError> {
        let mut slot = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = slot.as_ref() {
            return Ok(Arc::clone(opened));
        }
        database::create_folder(&self.folder)?;
        let database = Database::open(&self.folder.join("state.db"))?;
        let cipher = Cipher::read_or_make(&self.folder.join("state.key"), database.is_empty()?)?;
        let opened = Arc::new(Opened {
            cipher,
            database: Mutex::new(database),
        });
        *slot = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
