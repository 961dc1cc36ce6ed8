//! What a run is a run of, put together when it is started: the versions of playbook and connectors, the
//! connections, the input, the time that it has.

use std::time::Duration;

use cordon_contract::Value;
use cordon_contract::value::{Map, exact};
use cordon_journal::run::{Binding, Order, Slot};
use cordon_journal::{Moment, Store, StoreError};
use cordon_playbook::Playbook;
use cordon_playbook::header::OnConflict;

use crate::bind::Bound;
use crate::engine::digest;
use crate::executor::Ordered;
use crate::inventory::{ComponentError, Inventory};

/// The terms of a run.
pub struct Terms<'a> {
    /// The playbook's name.
    pub name: &'a str,
    /// The playbook.
    pub playbook: &'a Playbook,
    /// Its inputs, converted.
    pub input: Map,
    /// Its connections.
    pub bound: &'a Bound,
    /// Where their connectors come from.
    pub inventory: &'a Inventory,
    /// What will keep the run; what it keeps already is not read once more.
    pub store: &'a dyn Store,
    /// Who starts it.
    pub by: &'a str,
    /// When.
    pub now: Moment,
    /// When it must have ended, if that is earlier than the playbook says.
    pub deadline: Option<Moment>,
    /// Words to find it by, beside those of the playbook.
    pub tags: Vec<String>,
}

/// Why a run cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// A connector's bytes are not to be had.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts the order of a run together.
///
/// # Errors
/// Where a connector's file is not any more what was loaded from it, or the store cannot be read.
pub fn place(terms: Terms<'_>) -> Result<Ordered, OrderError> {
    let header = terms.playbook.header();
    let settings = terms.inventory.directory().settings();
    let bundle = serde_json::to_vec(&terms.playbook.bundle()).unwrap_or_default();
    let version = digest(&bundle);
    let mut needs = vec![(version.clone(), Some(bundle))];
    let mut bindings = std::collections::BTreeMap::new();
    for (alias, offers) in &terms.bound.offers {
        let mut bound = Vec::with_capacity(offers.len());
        for offer in offers {
            let connector = &offer.model.manifest.name;
            let digest = &offer.model.digest;
            if !needs.iter().any(|(known, _)| known == digest) {
                let bytes = match terms.store.has_blob(digest)? {
                    true => None,
                    false => Some(terms.inventory.component(connector)?),
                };
                needs.push((digest.clone(), bytes));
            }
            bound.push(Binding {
                connection: offer.name.clone(),
                connector: connector.clone(),
                digest: offer.model.digest.clone(),
            });
        }
        bindings.insert(alias.clone(), bound);
    }
    let time: Duration = header.deadline.unwrap_or(settings.playbook_limits.time);
    let deadline = terms.now.plus(time);
    let mut tags = header.tags.clone();
    tags.extend(terms.tags);
    tags.sort();
    tags.dedup();
    let slot = header.concurrency.as_ref().map(|concurrency| Slot {
        key: slot_key(terms.name, &concurrency.key, &terms.input),
        max: concurrency.max,
        skip: concurrency.on_conflict == OnConflict::Skip,
    });
    let order = Order {
        playbook: terms.name.to_owned(),
        version,
        input: terms.input,
        bindings,
        started_by: terms.by.to_owned(),
        created: terms.now,
        deadline: terms.deadline.map_or(deadline, |other| deadline.min(other)),
        tags,
        parent: None,
        depth: 0,
        retry_of: None,
        slot,
        journal_bytes_max: settings.journal_size,
        journal_records_max: settings.journal_records,
    };
    Ok(Ordered { order, needs })
}

/// What runs that share a place have in common: `contain_host host="ws-17"`.
fn slot_key(playbook: &str, names: &[String], input: &Map) -> String {
    let mut key = playbook.to_owned();
    for name in names {
        let value = input.get(name).unwrap_or(&Value::Null);
        key.push_str(&format!(" {name}={}", exact::to_json(value)));
    }
    key
}
