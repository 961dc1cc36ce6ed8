//! What every command is given: the screen, and the automation directory with what it holds.

use std::path::PathBuf;
use std::sync::Arc;

use cordon_run::directory::Directory;
use cordon_run::inventory::Inventory;

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
