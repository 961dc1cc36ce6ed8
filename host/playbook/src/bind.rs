//! The aliases of a playbook bound to connections, and what a script may call on them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cordon_contract::name;
use cordon_contract::{Action, ConnectorModel};
use rhai::{Module, Shared};

use crate::action;
use crate::header::{Header, Use};
use crate::problem::{Problem, ProblemKind};

/// What a playbook sees of a connection's connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// All actions by their unique names.
    Connector,
    /// The actions of these capabilities, by the short name where that is unambiguous.
    Capabilities(Vec<String>),
}

/// A connection as a script holds it: a name to call actions on, and nothing that is secret.
#[derive(Clone)]
pub struct Connection(Arc<Bound>);

struct Bound {
    name: String,
    model: Arc<ConnectorModel>,
    view: View,
}

impl Connection {
    /// A connection seen in this way.
    #[must_use]
    pub fn new(name: impl Into<String>, model: Arc<ConnectorModel>, view: View) -> Self {
        Self(Arc::new(Bound {
            name: name.into(),
            model,
            view,
        }))
    }

    /// The name of the connection.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What its connector is.
    #[must_use]
    pub fn model(&self) -> &ConnectorModel {
        &self.0.model
    }

    /// The action that `name` means here.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        match &self.0.view {
            View::Connector => self.0.model.action(name),
            View::Capabilities(capabilities) => {
                self.0.model.action_of_capabilities(capabilities, name)
            }
        }
    }

    /// The names that a script can call here, in its spelling: for capabilities the short ones, then
    /// the long ones.
    #[must_use]
    pub fn action_names(&self) -> Vec<String> {
        match &self.0.view {
            View::Connector => self
                .0
                .model
                .actions
                .iter()
                .map(Action::script_name)
                .collect(),
            View::Capabilities(capabilities) => {
                let in_view = |action: &&Action| {
                    action
                        .capability
                        .as_ref()
                        .is_some_and(|capability| capabilities.contains(capability))
                };
                let actions = || self.0.model.actions.iter().filter(in_view);
                actions()
                    .map(|action| name::snake(&action.function))
                    .filter(|short| self.action(short).is_some())
                    .chain(actions().map(Action::script_name))
                    .collect()
            }
        }
    }
}

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.view == other.0.view
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.name())
    }
}

/// A connection that an alias is to be bound to.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The name of the connection.
    pub name: String,
    /// What its connector is.
    pub model: Arc<ConnectorModel>,
}

/// The aliases of a playbook with their connections. Made by [`crate::Playbook::bind`], so that it
/// exists for a playbook that was checked against the actions of these connections only.
pub struct Bindings {
    aliases: BTreeMap<String, Vec<Connection>>,
    actions: Shared<Module>,
}

impl fmt::Debug for Bindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.aliases).finish()
    }
}

impl Bindings {
    pub(crate) fn new(
        header: &Header,
        offers: &BTreeMap<String, Vec<Offer>>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for alias in offers
            .keys()
            .filter(|alias| !header.uses.iter().any(|used| used.alias == **alias))
        {
            let near = name::nearest(alias, header.uses.iter().map(|used| used.alias.as_str()));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            problems.push(
                Problem::new(ProblemKind::NoSuchAlias {
                    alias: alias.clone(),
                })
                .with_help(help),
            );
        }
        let mut aliases = BTreeMap::new();
        for used in &header.uses {
            match bind(used, offers.get(&used.alias).map_or(&[], Vec::as_slice)) {
                Ok(connections) => {
                    aliases.insert(used.alias.clone(), connections);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let names = aliases
            .values()
            .flatten()
            .flat_map(Connection::action_names);
        let actions = action::module(names);
        Ok(Self { aliases, actions })
    }

    /// The connections of an alias; none for an alias that the header does not have.
    #[must_use]
    pub fn connections(&self, alias: &str) -> Option<&[Connection]> {
        self.aliases.get(alias).map(Vec::as_slice)
    }

    /// All aliases.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().map(String::as_str)
    }

    /// The action of a connection by its name in the connector's model.
    #[must_use]
    pub fn action(&self, connection: &str, action: &str) -> Option<&Action> {
        let mut all = self.aliases.values().flatten();
        all.find(|bound| bound.name() == connection)?
            .model()
            .action(action)
    }

    /// The actions as methods, for the engine.
    pub(crate) fn module(&self) -> Shared<Module> {
        Shared::clone(&self.actions)
    }
}

fn bind(used: &Use, offers: &[Offer]) -> Result<Vec<Connection>, Problem> {
    let problem = |kind| Problem::new(kind).at(used.place.clone());
    if offers.is_empty() {
        return Err(problem(ProblemKind::NotBound {
            alias: used.alias.clone(),
            wants: used.wants(),
        }));
    }
    if !used.many && offers.len() > 1 {
        let names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
        return Err(problem(ProblemKind::BoundTwice {
            alias: used.alias.clone(),
            connections: names.join("`, `"),
        })
        .with_help(Some(format!(
            "name one connection for `{}`, or write `[\"{}\"]` in `uses` to take them all",
            used.alias,
            used.wants()
        ))));
    }
    offers
        .iter()
        .map(|offer| match used.view_of(&offer.model) {
            Some(view) => Ok(Connection::new(&offer.name, Arc::clone(&offer.model), view)),
            None => Err(problem(ProblemKind::WrongConnector {
                alias: used.alias.clone(),
                wants: used.wants(),
                connection: offer.name.clone(),
                connector: offer.model.manifest.name.clone(),
            })),
        })
        .collect()
}
