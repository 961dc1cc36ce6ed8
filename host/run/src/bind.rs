//! Chooses the connections that the aliases of a playbook stand for.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordon_contract::ConnectorModel;
use cordon_playbook::header::Use;
use cordon_playbook::{Header, Offer};

use crate::inventory::{Inventory, LinkError};
use crate::live::Link;

/// What a person said about aliases: alias to names of connections.
pub type Chosen = BTreeMap<String, Vec<String>>;

/// The connections of a run.
pub struct Bound {
    /// What [`cordon_playbook::Playbook::bind`] takes.
    pub offers: BTreeMap<String, Vec<Offer>>,
    /// The connections by name, ready to be called.
    pub links: BTreeMap<String, Link>,
}

/// Why the aliases of a playbook cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A connection is not usable.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// No connection fits an alias.
    #[error("no connection fits the alias `{alias}`, which needs `{wants}`")]
    None {
        /// The alias.
        alias: String,
        /// What its header asks for.
        wants: String,
        /// The connections whose connector is not known, with why not.
        unusable: Vec<(String, String)>,
    },
    /// Several fit, and nobody said which.
    #[error("several connections fit the alias `{alias}`: `{}`", names.join("`, `"))]
    Several {
        /// The alias.
        alias: String,
        /// The connections.
        names: Vec<String>,
    },
}

impl BindError {
    /// The page that explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Link(error) => error.code(),
            Self::None { .. } | Self::Several { .. } => "playbook.binding",
        }
    }

    /// What to do about it, where that is not in the message.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Link(error) => error.help(),
            Self::None { unusable, .. } if !unusable.is_empty() => {
                let reasons: Vec<String> = unusable
                    .iter()
                    .map(|(name, why)| format!("`{name}`: {why}"))
                    .collect();
                Some(reasons.join("\n"))
            }
            Self::None { .. } => {
                Some("`cordon connection new NAME --connector C` makes one".to_owned())
            }
            Self::Several { alias, names } => {
                Some(format!("say which: `--connect {alias}={}`", names.first()?))
            }
        }
    }
}

/// Chooses for each alias what was said, else the one connection that fits, or for an alias of many
/// all that fit.
///
/// # Errors
/// Where nothing fits, too much does, or what fits is not usable.
pub fn choose(inventory: &Inventory, header: &Header, chosen: &Chosen) -> Result<Bound, BindError> {
    let mut bound = Bound {
        offers: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    let mut known = None;
    // What was said about an alias that the header does not have is handed on: the playbook knows
    // best how to say so.
    for (alias, names) in chosen {
        bound.add(inventory, alias, names)?;
    }
    for used in header
        .uses
        .iter()
        .filter(|used| !chosen.contains_key(&used.alias))
    {
        let known = match &known {
            Some(known) => known,
            None => known.insert(connections(inventory)?),
        };
        let names = fitting(used, known)?;
        bound.add(inventory, &used.alias, &names)?;
    }
    Ok(bound)
}

impl Bound {
    fn add(
        &mut self,
        inventory: &Inventory,
        alias: &str,
        names: &[String],
    ) -> Result<(), LinkError> {
        let mut offers = Vec::with_capacity(names.len());
        for name in names {
            if !self.links.contains_key(name) {
                self.links.insert(name.clone(), inventory.link(name)?);
            }
            let model = Arc::clone(self.links[name].connector.model());
            offers.push(Offer {
                name: name.clone(),
                model,
            });
        }
        self.offers.insert(alias.to_owned(), offers);
        Ok(())
    }
}

/// A connection of the directory: what its connector is, or why that is not known.
type Known = (String, Result<Arc<ConnectorModel>, LinkError>);

fn connections(inventory: &Inventory) -> Result<Vec<Known>, LinkError> {
    let known = inventory
        .directory()
        .connection_names()?
        .into_iter()
        .map(|name| {
            let model = inventory.connection_file(&name).and_then(|file| {
                inventory
                    .connector_of(&name, &file)
                    .map(|connector| Arc::clone(connector.model()))
            });
            (name, model)
        });
    Ok(known.collect())
}

fn fitting(used: &Use, known: &[Known]) -> Result<Vec<String>, BindError> {
    let fit: Vec<String> = known
        .iter()
        .filter(|(_, model)| {
            model
                .as_ref()
                .is_ok_and(|model| used.view_of(model).is_some())
        })
        .map(|(name, _)| name.clone())
        .collect();
    match fit.len() {
        0 => Err(BindError::None {
            alias: used.alias.clone(),
            wants: used.wants(),
            unusable: known
                .iter()
                .filter_map(|(name, model)| Some((name.clone(), model.as_ref().err()?.to_string())))
                .collect(),
        }),
        1 => Ok(fit),
        _ if used.many => Ok(fit),
        _ => Err(BindError::Several {
            alias: used.alias.clone(),
            names: fit,
        }),
    }
}
