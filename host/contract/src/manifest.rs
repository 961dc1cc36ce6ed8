//! What a connector says about itself: the contract's `lifecycle.manifest`, once checked.

use serde::{Deserialize, Serialize};

use crate::name;
use crate::value::Value;

/// What a connector says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Identity: lower-case letters, digits and hyphens.
    pub name: String,
    /// The product's name for people.
    pub title: String,
    /// Who makes the product.
    pub vendor: String,
    /// Version of the connector.
    pub version: String,
    /// One paragraph for people.
    pub description: String,
    /// What the connection's file may or must say.
    pub settings: Vec<Setting>,
    /// What the connection's file refers to as credentials.
    pub credentials: Vec<Credential>,
    /// Requests a second that the product takes from one caller.
    pub rate_per_second: Option<f64>,
    /// Requests in flight that the product takes from one caller.
    pub concurrency: Option<u32>,
    /// What is said about actions.
    pub actions: Vec<ActionManifest>,
}

impl Manifest {
    /// A manifest that says nothing but a name.
    pub fn unsaid(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: String::new(),
            vendor: String::new(),
            version: String::new(),
            description: String::new(),
            settings: Vec::new(),
            credentials: Vec::new(),
            rate_per_second: None,
            concurrency: None,
            actions: Vec::new(),
        }
    }
}

/// A setting of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// As written in the connection's file.
    pub name: String,
    /// What it takes.
    pub r#type: SettingType,
    /// The default, as it would be written in the file without quotes.
    pub default: Option<String>,
    /// The file must name it.
    pub required: bool,
    /// For the person who fills in the file.
    pub help: String,
}

/// What a setting takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingType {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of texts.
    Texts,
    /// `"90s"`.
    Duration,
    /// `"10MB"`.
    Size,
    /// One of these words.
    Choice(Vec<String>),
}

/// A credential of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// As written in the connection's file.
    pub name: String,
    /// What it is.
    pub kind: CredentialKind,
    /// The connection is not usable without it.
    pub required: bool,
    /// The product accepts a certificate that the caller made himself.
    pub self_made: bool,
    /// For the person who fills in the file.
    pub help: String,
}

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// Text that goes into slots of requests.
    Secret,
    /// A client certificate and its key, used by TLS.
    ClientCertificate,
}

/// What an action does to the product, from the mildest to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Can be taken back by the inverse that the action names.
    Reversible,
    /// Cannot be taken back, but destroys nothing.
    Irreversible,
    /// Destroys something.
    Destructive,
}

impl Effect {
    /// The word for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Reversible => "reversible",
            Self::Irreversible => "irreversible",
            Self::Destructive => "destructive",
        }
    }
}

/// Another effect for certain values of an argument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectOverride {
    /// Path of the argument: kebab-case names joined by dots.
    pub argument: String,
    /// What its value must be.
    pub when: Condition,
    /// The effect then.
    pub effect: Effect,
}

/// What the value at an argument path must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Equal to this value.
    Equals(Value),
    /// There.
    Present,
    /// Not there.
    Absent,
    /// There, and an empty list or text.
    Empty,
}

/// What an action acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Path of the argument that names it; a list names several.
    pub argument: String,
    /// What it is.
    pub kind: TargetKind,
    /// The value that means every one there is.
    pub all: Option<String>,
    /// For hosts: the read that turns the id into a name.
    pub resolve: Option<String>,
}

/// Kinds of things that actions act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum TargetKind {
    Host,
    File,
    Indicator,
    Tenant,
    Task,
    Group,
    Account,
    Other,
}

/// Whether an action may be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Twice is the same as once.
    Natural,
    /// Twice with the same idempotency key is the same as once.
    Keyed,
    /// Never.
    None,
}

/// What a manifest says about one action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionManifest {
    /// Kebab-case; a capability's function has the capability's name before it.
    pub name: String,
    /// What it does to the product, unless an override matches.
    pub effect: Effect,
    /// Other effects by argument value; the first that matches holds.
    pub overrides: Vec<EffectOverride>,
    /// What it acts on.
    pub targets: Vec<Target>,
    /// The action that takes it back.
    pub inverse: Option<String>,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// The function that says whether it has happened.
    pub reconcile: Option<String>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: Option<u64>,
}

impl ActionManifest {
    /// What holds for an action that its manifest says nothing about: the worst.
    pub fn unsaid(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            effect: Effect::Destructive,
            overrides: Vec::new(),
            targets: Vec::new(),
            inverse: None,
            repeat: Repeat::None,
            reconcile: None,
            timeout_ms: None,
        }
    }

    /// The effect with these arguments (a map).
    #[must_use]
    pub fn effect_with(&self, arguments: &Value) -> Effect {
        self.overrides
            .iter()
            .find(|other| other.when.holds(at_path(arguments, &other.argument)))
            .map_or(self.effect, |other| other.effect)
    }

    /// The worst that the action can do, for when the arguments are not known.
    #[must_use]
    pub fn worst_effect(&self) -> Effect {
        self.overrides
            .iter()
            .map(|other| other.effect)
            .fold(self.effect, Effect::max)
    }
}

impl Condition {
    /// Whether it holds for what was found at the argument's path.
    #[must_use]
    pub fn holds(&self, value: Option<&Value>) -> bool {
        let value = value.filter(|value| !value.is_null());
        match self {
            Self::Equals(expected) => {
                value == Some(expected) || (expected.is_null() && value.is_none())
            }
            Self::Present => value.is_some(),
            Self::Absent => value.is_none(),
            Self::Empty => match value {
                Some(Value::List(list)) => list.is_empty(),
                Some(Value::Text(text)) => text.is_empty(),
                Some(Value::Map(map)) => map.is_empty(),
                _ => false,
            },
        }
    }
}

/// The value at a path of names joined by dots, in either spelling of the names.
#[must_use]
pub fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, part| {
        value
            .as_map()?
            .iter()
            .find(|(name, _)| name::same(name, part))
            .map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delete_group() -> ActionManifest {
        ActionManifest {
            effect: Effect::Irreversible,
            overrides: vec![EffectOverride {
                argument: "options.with-hosts".to_owned(),
                when: Condition::Equals(Value::Bool(true)),
                effect: Effect::Destructive,
            }],
            ..ActionManifest::unsaid("delete-group")
        }
    }

    #[test]
    fn an_override_holds_for_its_value_only_and_the_worst_counts_while_it_is_unknown() {
        let with_hosts =
            |yes| Value::map([("options", Value::map([("with_hosts", Value::Bool(yes))]))]);
        assert_eq!(
            delete_group().effect_with(&with_hosts(true)),
            Effect::Destructive
        );
        assert_eq!(
            delete_group().effect_with(&with_hosts(false)),
            Effect::Irreversible
        );
        assert_eq!(
            delete_group().effect_with(&Value::Map(Default::default())),
            Effect::Irreversible
        );
        assert_eq!(delete_group().worst_effect(), Effect::Destructive);
    }

    #[test]
    fn what_is_not_said_about_an_action_counts_as_the_worst() {
        let unsaid = ActionManifest::unsaid("wipe");
        assert_eq!(
            (unsaid.effect, unsaid.repeat),
            (Effect::Destructive, Repeat::None)
        );
    }
}
