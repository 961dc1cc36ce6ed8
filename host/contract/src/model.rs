//! A connector as its component's WIT and its manifest describe it: the actions that a playbook,
//! a checker or an editor can know about.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::manifest::{ActionManifest, Manifest};
use crate::name;
use crate::types::{Record, Type};

/// Everything that is known about a connector without calling it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectorModel {
    /// What it says about itself.
    pub manifest: Manifest,
    /// SHA-256 of the component's bytes: 64 lower-case hex digits.
    pub digest: String,
    /// The actions, ordered by name.
    pub actions: Vec<Action>,
    /// The reconcile companions that the manifest names; no actions for playbooks.
    pub companions: Vec<Action>,
    /// The capabilities it exports whole: `hosts`, `isolation`, …
    pub capabilities: Vec<String>,
}

impl ConnectorModel {
    /// The action of this name, in either spelling.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions
            .iter()
            .find(|action| name::same(&action.name, name))
    }

    /// The action that `name` means to a playbook that sees the connector through these
    /// capabilities only: `isolate` and `isolation_isolate` both name the function of `isolation`,
    /// as long as no second capability of the view has a function of that name.
    #[must_use]
    pub fn action_of_capabilities(&self, capabilities: &[String], name: &str) -> Option<&Action> {
        let in_view = |action: &&Action| {
            action
                .capability
                .as_ref()
                .is_some_and(|capability| capabilities.contains(capability))
        };
        if let Some(action) = self.action(name).filter(in_view) {
            return Some(action);
        }
        let mut found = self
            .actions
            .iter()
            .filter(in_view)
            .filter(|action| name::same(&action.function, name));
        match (found.next(), found.next()) {
            (Some(action), None) => Some(action),
            _ => None,
        }
    }

    /// Whether it exports all of these capabilities.
    #[must_use]
    pub fn has_capabilities(&self, capabilities: &[String]) -> bool {
        capabilities
            .iter()
            .all(|capability| self.capabilities.contains(capability))
    }
}

/// An exported function that playbooks can call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Action {
    /// Kebab-case, unique in the connector; a capability's function has the capability's name
    /// before it.
    pub name: String,
    /// The exported interface with package and version: `cordon:kata/sensors@0.1.0`.
    pub interface: String,
    /// The function in that interface.
    pub function: String,
    /// The capability whose function this is.
    pub capability: Option<String>,
    /// The parameters in order.
    pub parameters: Vec<Parameter>,
    /// What it returns when it succeeds; none for nothing.
    pub result: Option<Type>,
    /// The doc comment.
    pub docs: Option<String>,
    /// What the manifest says about it, else the worst.
    pub manifest: ActionManifest,
}

impl Action {
    /// The name as playbooks write it.
    #[must_use]
    pub fn script_name(&self) -> String {
        name::snake(&self.name)
    }

    /// The parameter of this name, in either spelling.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| name::same(&parameter.name, name))
    }

    /// The parameters as the record that a playbook passes, for checking arguments.
    #[must_use]
    pub fn arguments_type(&self) -> Type {
        Type::Record(Arc::new(Record {
            name: None,
            fields: self.parameters.clone(),
            docs: None,
        }))
    }
}

/// A parameter of an action; the same shape as a field of a record.
pub type Parameter = crate::types::Field;
