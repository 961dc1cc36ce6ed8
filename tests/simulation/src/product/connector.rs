//! The connector of the simulated product: an action of every kind.

use std::sync::{Arc, OnceLock};

use cordon_contract::manifest::{ActionManifest, Effect, Manifest, Repeat};
use cordon_contract::types::{Field, Record, Width};
use cordon_contract::{Action, ConnectorModel, Type};

/// The connector's name.
pub const NAME: &str = "box";

/// An action that changes something.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub effect: Effect,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// What takes it back.
    pub inverse: Option<&'static str>,
    /// What says whether it has happened.
    pub companion: Option<&'static str>,
    /// How long it may take.
    pub timeout_ms: Option<u64>,
    /// Whether it gives something.
    pub gives: bool,
}

const fn kind(name: &'static str, effect: Effect, repeat: Repeat) -> Kind {
    Kind {
        name,
        effect,
        repeat,
        inverse: None,
        companion: None,
        timeout_ms: None,
        gives: true,
    }
}

/// The actions that change something.
pub const KINDS: [Kind; 10] = [
    Kind {
        inverse: Some("switch-off"),
        timeout_ms: Some(10_000),
        gives: false,
        ..kind("switch-on", Effect::Reversible, Repeat::Natural)
    },
    Kind {
        timeout_ms: Some(10_000),
        gives: false,
        ..kind("switch-off", Effect::Reversible, Repeat::Natural)
    },
    Kind {
        inverse: Some("drop-it"),
        ..kind("add", Effect::Reversible, Repeat::Keyed)
    },
    kind("drop-it", Effect::Reversible, Repeat::Keyed),
    Kind {
        inverse: Some("close"),
        companion: Some("was-opened"),
        timeout_ms: Some(20_000),
        ..kind("open", Effect::Reversible, Repeat::None)
    },
    Kind {
        companion: Some("was-closed"),
        timeout_ms: Some(20_000),
        ..kind("close", Effect::Irreversible, Repeat::None)
    },
    Kind {
        timeout_ms: Some(5_000),
        ..kind("send", Effect::Irreversible, Repeat::None)
    },
    Kind {
        companion: Some("was-ordered"),
        gives: false,
        ..kind("order", Effect::Irreversible, Repeat::None)
    },
    Kind {
        companion: Some("was-wiped"),
        timeout_ms: Some(60_000),
        ..kind("wipe", Effect::Destructive, Repeat::None)
    },
    Kind {
        timeout_ms: Some(100),
        ..kind("purge", Effect::Destructive, Repeat::Keyed)
    },
];

/// An action that changes something, by its name.
#[must_use]
pub fn writes(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// An action that changes something, by the name of its companion.
#[must_use]
pub fn asked_by(companion: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.companion == Some(companion))
}

fn field(name: &str, r#type: Type) -> Field {
    Field {
        name: name.to_owned(),
        r#type,
        docs: None,
    }
}

fn record(fields: Vec<Field>) -> Type {
    Type::Record(Arc::new(Record {
        name: None,
        fields,
        docs: None,
    }))
}

fn action(name: &str, parameters: Vec<Field>, result: Option<Type>) -> Action {
    Action {
        name: name.to_owned(),
        interface: format!("cordon:{NAME}/actions@0.1.0"),
        function: name.to_owned(),
        capability: None,
        parameters,
        result,
        docs: None,
        manifest: ActionManifest {
            effect: Effect::Read,
            ..ActionManifest::unsaid(name)
        },
    }
}

fn of_kind(kind: &Kind) -> Action {
    let optional = |of: Type| Type::Option(Arc::new(of));
    let parameters = vec![
        field("run", Type::Text),
        field("at", Type::Text),
        field("note", optional(Type::Text)),
    ];
    let result = kind.gives.then(|| record(vec![field("done", Type::Text)]));
    let mut action = action(kind.name, parameters, result);
    action.manifest = ActionManifest {
        effect: kind.effect,
        repeat: kind.repeat,
        inverse: kind.inverse.map(str::to_owned),
        reconcile: kind.companion.map(str::to_owned),
        timeout_ms: kind.timeout_ms,
        ..action.manifest
    };
    action
}

/// The connector.
#[must_use]
pub fn model() -> Arc<ConnectorModel> {
    static MODEL: OnceLock<Arc<ConnectorModel>> = OnceLock::new();
    Arc::clone(MODEL.get_or_init(|| {
        let mut actions = vec![
            action(
                "get",
                vec![field("key", Type::Text)],
                Some(record(vec![field("value", Type::Text)])),
            ),
            action(
                "look",
                vec![
                    field("key", Type::Text),
                    field("after", Type::Integer(Width::U32)),
                ],
                Some(record(vec![
                    field("key", Type::Text),
                    field("finished", Type::Bool),
                ])),
            ),
        ];
        actions.extend(KINDS.iter().map(of_kind));
        actions.sort_by(|one, other| one.name.cmp(&other.name));
        let companions = KINDS.iter().filter_map(|kind| kind.companion);
        Arc::new(ConnectorModel {
            manifest: Manifest {
                title: "Box".to_owned(),
                version: "0.1.0".to_owned(),
                ..Manifest::unsaid(NAME)
            },
            digest: "b".repeat(64),
            actions,
            companions: companions
                .map(|name| action(name, Vec::new(), None))
                .collect(),
            capabilities: Vec::new(),
        })
    }))
}
