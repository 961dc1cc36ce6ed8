//! What an executor must be given to execute a run: its playbook, its connections, its products.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_contract::Failure;
use cordon_contract::value::Map;
use cordon_journal::run::Order;
use cordon_journal::{Moment, Store, StoreError};
use cordon_playbook::{Bindings, Limits, Playbook};

use crate::engine::Facts;
use crate::world::Products;

/// Playbooks, connectors and connections.
pub trait Catalogue: Send + Sync {
    /// Everything that executing this run needs, in the versions that it began with.
    ///
    /// # Errors
    /// Where something of it is not usable.
    fn prepare(&self, order: &Order, store: &dyn Store) -> Result<Prepared, Unprepared>;

    /// A run of a playbook as it is now, for a run that starts it.
    ///
    /// # Errors
    /// Where there is no such playbook, or it does not fit: the failure that the script gets.
    fn order(&self, wanted: Wanted<'_>, store: &dyn Store) -> Result<Ordered, Box<Failure>>;
}

/// What executing a run needs.
pub struct Prepared {
    /// The playbook, in the version that the run began with.
    pub playbook: Playbook,
    /// Its aliases, bound.
    pub bindings: Arc<Bindings>,
    /// The connectors of its connections.
    pub facts: Facts,
    /// The products behind them.
    pub products: Arc<dyn Products>,
    /// What it may use.
    pub limits: Limits,
}

/// Why a run cannot be executed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unprepared {
    /// Something is not usable that may be later: a connection is disabled, its credential is not there.
    #[error("{message}")]
    Blocked {
        /// What, and why not.
        message: String,
    },
    /// It never can be: what the run began with is not to be had any more.
    #[error("{message}")]
    Lost {
        /// What.
        message: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A run that is wanted.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The playbook's name.
    pub playbook: &'a str,
    /// Its inputs, as they were given.
    pub input: &'a Map,
    /// Which connections its aliases stand for, where that was said.
    pub connect: &'a BTreeMap<String, Vec<String>>,
    /// Who wants it.
    pub by: &'a str,
    /// When.
    pub now: Moment,
    /// When it must have ended.
    pub deadline: Moment,
}

/// A run that is ready to be started.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// What it is a run of.
    pub order: Order,
    /// What it needs as long as it is there, by digest: the bundle of its playbook, the components of its
    /// connectors. Without the bytes, where the store has them.
    pub needs: Vec<(String, Option<Vec<u8>>)>,
}
