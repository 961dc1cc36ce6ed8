//! The playbooks of a simulation, bound to the simulated product.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cordon_contract::value::exact;
use cordon_contract::{ErrorKind, Failure, Value};
use cordon_journal::run::{Binding, Order, Slot};
use cordon_journal::{Moment, Store};
use cordon_playbook::{
    Bindings, Bundle, Given, Library, Limits, Offer, OnConflict, Playbook, PlaybookError,
};
use cordon_run::engine::{Facts, digest};
use cordon_run::executor::{Catalogue, Ordered, Prepared, Unprepared, Wanted};

use crate::product::{SimProducts, connector};
use crate::world::{World, lock};

/// How long a run may take that says nothing about it.
pub const DEADLINE: Duration = Duration::from_secs(1_000 * 24 * 3600);

/// The playbooks by name, as they are now.
pub struct SimCatalogue {
    world: Arc<World>,
    playbooks: BTreeMap<String, Playbook>,
    by_version: Mutex<BTreeMap<String, (Playbook, Arc<Bindings>)>>,
}

/// Reads the texts of playbooks.
///
/// # Errors
/// What is wrong with one of them.
pub fn compile(
    texts: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Playbook>, PlaybookError> {
    let compiled = texts.iter().map(|(name, text)| {
        let playbook = Playbook::compile(name, text, &Library::none())?;
        Ok((name.clone(), playbook))
    });
    compiled.collect()
}

impl SimCatalogue {
    /// A catalogue of these playbooks.
    #[must_use]
    pub fn new(world: &Arc<World>, playbooks: BTreeMap<String, Playbook>) -> Self {
        Self {
            world: Arc::clone(world),
            playbooks,
            by_version: Mutex::default(),
        }
    }
}

fn offers(playbook: &Playbook) -> BTreeMap<String, Vec<Offer>> {
    let uses = playbook.header().uses.iter();
    uses.map(|used| {
        let offer = Offer {
            name: format!("box-{}", used.alias),
            model: connector::model(),
        };
        (used.alias.clone(), vec![offer])
    })
    .collect()
}

impl Catalogue for SimCatalogue {
    fn prepare(&self, order: &Order, store: &dyn Store) -> Result<Prepared, Unprepared> {
        if self.world.permille(self.world.profile().blocked) {
            self.world
                .tally
                .add("connections not usable for a while", 1);
            return Err(Unprepared::Blocked {
                message: "the credential is not there".to_owned(),
            });
        }
        let lost = |message: String| Unprepared::Lost { message };
        let bytes = store.blob(&order.version)?;
        let bytes = bytes.ok_or_else(|| lost("the playbook is not in the store".to_owned()))?;
        let mut known = lock(&self.by_version);
        if !known.contains_key(&order.version) {
            let bundle: Bundle =
                serde_json::from_slice(&bytes).map_err(|error| lost(error.to_string()))?;
            let playbook =
                Playbook::from_bundle(&bundle).map_err(|error| lost(error.to_string()))?;
            let bindings = playbook.bind(&offers(&playbook));
            let bindings = bindings.map_err(|error| lost(error.to_string()))?;
            known.insert(order.version.clone(), (playbook, Arc::new(bindings)));
        }
        let (playbook, bindings) = known[&order.version].clone();
        let connections = order.bindings.values().flatten();
        let facts = connections.map(|bound| (bound.connection.clone(), connector::model()));
        Ok(Prepared {
            playbook,
            bindings,
            facts: Facts(facts.collect()),
            products: Arc::new(SimProducts(Arc::clone(&self.world))),
            limits: Limits {
                // All on one thread, and an endless script ends soon.
                threads: 0,
                operations: 50_000,
                ..Limits::default()
            },
        })
    }

    fn order(&self, wanted: Wanted<'_>, _: &dyn Store) -> Result<Ordered, Box<Failure>> {
        let refused = |message: String| {
            Box::new(Failure::new(ErrorKind::InvalidInput, message).with_code("run.child"))
        };
        let playbook = self.playbooks.get(wanted.playbook);
        let playbook = playbook.ok_or_else(|| refused(format!("no {}", wanted.playbook)))?;
        let header = playbook.header();
        let given = wanted.input.iter();
        let given = given.map(|(name, value)| (name.clone(), Given::Value(value.clone())));
        let input = header
            .convert_input(&given.collect())
            .map_err(|_| refused("the input does not fit".to_owned()))?;
        let bundle = serde_json::to_vec(&playbook.bundle()).unwrap();
        let version = digest(&bundle);
        let bindings = offers(playbook).into_iter().map(|(alias, offers)| {
            let bound = offers.into_iter().map(|offer| Binding {
                connection: offer.name,
                connector: connector::NAME.to_owned(),
                digest: offer.model.digest.clone(),
            });
            (alias, bound.collect())
        });
        let slot = header.concurrency.as_ref().map(|concurrency| Slot {
            key: concurrency
                .key
                .iter()
                .fold(wanted.playbook.to_owned(), |key, name| {
                    let value = input.get(name).unwrap_or(&Value::Null);
                    format!("{key} {name}={}", exact::to_json(value))
                }),
            max: concurrency.max,
            skip: concurrency.on_conflict == OnConflict::Skip,
        });
        let deadline: Moment = wanted.now.plus(header.deadline.unwrap_or(DEADLINE));
        let order = Order {
            playbook: wanted.playbook.to_owned(),
            version: version.clone(),
            bindings: bindings.collect(),
            input,
            started_by: wanted.by.to_owned(),
            created: wanted.now,
            deadline: deadline.min(wanted.deadline),
            tags: header.tags.clone(),
            parent: None,
            depth: 0,
            retry_of: None,
            slot,
            journal_bytes_max: 4 << 20,
            journal_records_max: 20_000,
        };
        Ok(Ordered {
            order,
            needs: vec![(version, Some(bundle))],
        })
    }
}
