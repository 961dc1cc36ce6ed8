//! Connectors as their models.

use std::sync::Arc;

use cordon_contract::manifest::{ActionManifest, Effect, Manifest, Repeat};
use cordon_contract::types::{Field, Record, Width};
use cordon_contract::{Action, ConnectorModel, Type};

fn field(name: &str, r#type: Type) -> Field {
    Field {
        name: name.to_owned(),
        r#type,
        docs: None,
    }
}

fn optional(r#type: Type) -> Type {
    Type::Option(Arc::new(r#type))
}

/// An action of the connector's own.
pub fn action(name: &str, parameters: Vec<Field>, result: Option<Type>, effect: Effect) -> Action {
    Action {
        name: name.to_owned(),
        interface: "cordon:kata/actions@0.1.0".to_owned(),
        function: name.to_owned(),
        capability: None,
        parameters,
        result,
        docs: None,
        manifest: ActionManifest {
            effect,
            repeat: Repeat::None,
            ..ActionManifest::unsaid(name)
        },
    }
}

/// The action with its inverse.
fn reversible(mut action: Action, inverse: &str) -> Action {
    action.manifest.inverse = Some(inverse.to_owned());
    action
}

fn of_capability(capability: &str, function: &str, parameters: Vec<Field>) -> Action {
    Action {
        interface: format!("cordon:capability/{capability}@0.1.0"),
        function: function.to_owned(),
        capability: Some(capability.to_owned()),
        ..action(
            &format!("{capability}-{function}"),
            parameters,
            None,
            Effect::Read,
        )
    }
}

/// A connector like KATA's, small.
pub fn kata() -> Arc<ConnectorModel> {
    connector(
        "kata",
        vec![
            action(
                "list-sensors",
                vec![field("host", optional(Type::Text))],
                None,
                Effect::Read,
            ),
            reversible(
                action(
                    "isolate",
                    vec![
                        field("sensor-id", Type::Text),
                        field("duration", optional(Type::Duration)),
                    ],
                    None,
                    Effect::Reversible,
                ),
                "release",
            ),
            action(
                "release",
                vec![field("sensor-id", Type::Text)],
                None,
                Effect::Reversible,
            ),
            Action {
                result: Some(Type::Record(Arc::new(Record {
                    name: None,
                    fields: vec![field("rule-id", Type::Text)],
                    docs: None,
                }))),
                ..reversible(
                    action(
                        "add-rule",
                        vec![
                            field("host", Type::Text),
                            field("note", optional(Type::Text)),
                        ],
                        None,
                        Effect::Reversible,
                    ),
                    "remove-rule",
                )
            },
            action(
                "remove-rule",
                vec![
                    field("rule-id", Type::Text),
                    field("host", Type::Text),
                    field("note", optional(Type::Text)),
                    field("reason", optional(Type::Text)),
                ],
                None,
                Effect::Irreversible,
            ),
            reversible(action("mute", vec![], None, Effect::Reversible), "release"),
            action(
                "get-task",
                vec![field("task-id", Type::Text)],
                None,
                Effect::Read,
            ),
            action(
                "create-run-task",
                vec![field("sensor-id", Type::Text), field("command", Type::Text)],
                None,
                Effect::Irreversible,
            ),
            action("ping", vec![], None, Effect::Read),
            action(
                "open",
                vec![field("password", Type::Secret)],
                None,
                Effect::Read,
            ),
            action(
                "odd",
                cordon_playbook::words::ORDINARY
                    .iter()
                    .map(|word| field(word, optional(Type::Text)))
                    .collect(),
                None,
                Effect::Read,
            ),
            action(
                "limit",
                vec![
                    field("ports", Type::List(Arc::new(Type::Integer(Width::U16)))),
                    field(
                        "scope",
                        optional(Type::Record(Arc::new(Record {
                            name: Some("scope".to_owned()),
                            fields: vec![field("since", Type::Timestamp)],
                            docs: None,
                        }))),
                    ),
                ],
                None,
                Effect::Reversible,
            ),
            of_capability("isolation", "isolate", vec![field("host", Type::Text)]),
            of_capability("isolation", "state", vec![field("host", Type::Text)]),
            of_capability("hosts", "find", vec![field("name", optional(Type::Text))]),
            of_capability("hosts", "state", vec![]),
        ],
        &["hosts", "isolation"],
    )
}

/// A connector with these actions.
pub fn connector(name: &str, actions: Vec<Action>, capabilities: &[&str]) -> Arc<ConnectorModel> {
    Arc::new(ConnectorModel {
        manifest: Manifest {
            title: name.to_uppercase(),
            version: "0.1.0".to_owned(),
            ..Manifest::unsaid(name)
        },
        digest: "0".repeat(64),
        actions,
        companions: Vec::new(),
        capabilities: capabilities.iter().map(ToString::to_string).collect(),
    })
}
