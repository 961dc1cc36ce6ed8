//! The automation directory as the executor wants it: playbooks and connectors in the versions that a
//! run began with, connections as they are now.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use cordon_connector::Connector;
use cordon_contract::{ErrorKind, Failure};
use cordon_journal::Store;
use cordon_journal::run::{Binding, Order};
use cordon_playbook::{Bindings, Bundle, Given, Offer, Playbook};
use tokio::runtime::Handle;

use super::{Link, LiveProducts};
use crate::bind;
use crate::engine::Facts;
use crate::executor::{Catalogue, Ordered, Prepared, Unprepared, Wanted};
use crate::inventory::Inventory;
use crate::order::{self, Terms};

/// How many compiled playbooks and connectors are kept beside those of the directory.
const KEPT: usize = 32;

/// What an automation directory holds.
pub struct LiveCatalogue {
    inventory: Arc<Inventory>,
    runtime: Handle,
    playbooks: Kept<Playbook>,
    bindings: Kept<Arc<Bindings>>,
    connectors: Kept<Arc<Connector>>,
}

/// The latest that were used, by digest.
struct Kept<T>(Mutex<VecDeque<(String, T)>>);

impl<T: Clone> Kept<T> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn get<E>(&self, digest: &str, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let find = |kept: &mut VecDeque<(String, T)>| {
            let index = kept.iter().position(|(known, _)| known == digest)?;
            let found = kept.remove(index)?;
            kept.push_back(found.clone());
            Some(found.1)
        };
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&mut lock()) {
            return Ok(found);
        }
        let made = make()?;
        let mut kept = lock();
        kept.push_back((digest.to_owned(), made.clone()));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(made)
    }
}

impl LiveCatalogue {
    /// A catalogue of this inventory. `runtime` is where calls are driven.
    #[must_use]
    pub fn new(inventory: Arc<Inventory>, runtime: Handle) -> Self {
        Self {
            inventory,
            runtime,
            playbooks: Kept::new(),
            bindings: Kept::new(),
            connectors: Kept::new(),
        }
    }

    fn playbook(&self, version: &str, store: &dyn Store) -> Result<Playbook, Unprepared> {
        self.playbooks.get(version, || {
            let lost = |problem: String| Unprepared::Lost {
                message: format!("its playbook cannot be read: {problem}"),
            };
            let bytes = store
                .blob(version)?
                .ok_or_else(|| lost("it is not in the store".to_owned()))?;
            let bundle: Bundle =
                serde_json::from_slice(&bytes).map_err(|error| lost(error.to_string()))?;
            Playbook::from_bundle(&bundle).map_err(|error| lost(error.to_string()))
        })
    }

    /// The connector in the version that the run began with.
    fn connector(
        &self,
        binding: &Binding,
        store: &dyn Store,
    ) -> Result<Arc<Connector>, Unprepared> {
        let current = self.inventory.connectors().get(&binding.connector);
        if let Some(current) = current.filter(|current| current.model().digest == binding.digest) {
            return Ok(Arc::clone(current));
        }
        self.connectors.get(&binding.digest, || {
            let lost = |problem: String| Unprepared::Lost {
                message: format!(
                    "the connector `{}` that it began with cannot be loaded: {problem}",
                    binding.connector
                ),
            };
            let bytes = store
                .blob(&binding.digest)?
                .ok_or_else(|| lost("it is not in the store".to_owned()))?;
            let loaded = self
                .inventory
                .runtime()
                .load_bytes(&binding.connector, bytes);
            self.runtime
                .block_on(loaded)
                .map_err(|error| lost(error.to_string()))
        })
    }

    fn link(&self, binding: &Binding, store: &dyn Store) -> Result<Link, Unprepared> {
        let connector = self.connector(binding, store)?;
        self.inventory
            .link_with(&binding.connection, connector)
            .map_err(|error| Unprepared::Blocked {
                message: error.to_string(),
            })
    }
}

impl Catalogue for LiveCatalogue {
    fn prepare(&self, order: &Order, store: &dyn Store) -> Result<Prepared, Unprepared> {
        let playbook = self.playbook(&order.version, store)?;
        let mut links = BTreeMap::new();
        let mut offers = BTreeMap::new();
        for (alias, bindings) in &order.bindings {
            let mut offered = Vec::with_capacity(bindings.len());
            for binding in bindings {
                let link = match links.get(&binding.connection) {
                    Some(link) => link,
                    None => {
                        let link = self.link(binding, store)?;
                        links.entry(binding.connection.clone()).or_insert(link)
                    }
                };
                offered.push(Offer {
                    name: binding.connection.clone(),
                    model: Arc::clone(link.connector.model()),
                });
            }
            offers.insert(alias.clone(), offered);
        }
        // The playbook and the connectors are named by their digests: what fitted once fits again.
        let key = format!("{} {:?}", order.version, order.bindings);
        let bindings = self.bindings.get(&key, || {
            let bound = playbook.bind(&offers).map(Arc::new);
            bound.map_err(|error| Unprepared::Lost {
                message: format!("its playbook does not fit its connections: {error}"),
            })
        })?;
        let models = links
            .iter()
            .map(|(name, link)| (name.clone(), Arc::clone(link.connector.model())));
        let facts = Facts(models.collect());
        let runtime = self.runtime.clone();
        Ok(Prepared {
            playbook,
            bindings,
            facts,
            products: Arc::new(LiveProducts { links, runtime }),
            limits: self
                .inventory
                .directory()
                .settings()
                .playbook_limits
                .clone(),
        })
    }

    fn order(&self, wanted: Wanted<'_>, store: &dyn Store) -> Result<Ordered, Box<Failure>> {
        let refused = |message: String| {
            let message = format!("`{}` cannot be started: {message}", wanted.playbook);
            Box::new(Failure::new(ErrorKind::InvalidInput, message).with_code("run.child"))
        };
        let directory = self.inventory.directory();
        let path = directory
            .playbook_path(wanted.playbook)
            .map_err(|error| refused(error.to_string()))?;
        let library = cordon_playbook::Library::folder(directory.playbooks());
        let playbook =
            Playbook::load(&path, &library).map_err(|error| refused(error.to_string()))?;
        let given = wanted
            .input
            .iter()
            .map(|(name, value)| (name.clone(), Given::Value(value.clone())));
        let input = playbook
            .header()
            .convert_input(&given.collect())
            .map_err(|errors| {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                refused(errors.join("; "))
            })?;
        let bound = bind::choose(&self.inventory, playbook.header(), wanted.connect)
            .map_err(|error| refused(error.to_string()))?;
        playbook
            .bind(&bound.offers)
            .map_err(|error| refused(error.to_string()))?;
        order::place(Terms {
            name: wanted.playbook,
            playbook: &playbook,
            input,
            bound: &bound,
            inventory: &self.inventory,
            store,
            by: wanted.by,
            now: wanted.now,
            deadline: Some(wanted.deadline),
            tags: Vec::new(),
        })
        .map_err(|error| refused(error.to_string()))
    }
}
