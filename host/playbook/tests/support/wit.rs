//! A connector's model from the text of its WIT: enough of WIT to hold playbooks to the names and the
//! simple types of actions without building the component.

use std::path::Path;
use std::sync::Arc;

use cordon_contract::manifest::Effect;
use cordon_contract::types::{Field, Width};
use cordon_contract::{Action, ConnectorModel, Type};

use super::{action, connector};

/// The actions that the WIT files of a folder export.
pub fn model(name: &str, folder: &Path) -> Arc<ConnectorModel> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("reconcile.wit"))
        .collect();
    files.sort();
    let actions: Vec<Action> = files
        .iter()
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().filter_map(function).collect::<Vec<_>>()
        })
        .collect();
    assert!(!actions.is_empty(), "no actions in {}", folder.display());
    connector(name, actions, &[])
}

/// `get-task: func(task-id: string, settings: option<bool>) -> …;`
fn function(line: &str) -> Option<Action> {
    let (name, rest) = line.trim().split_once(": func(")?;
    let (parameters, result) = rest.rsplit_once(") -> ")?;
    let parameters = split(parameters)
        .into_iter()
        .map(|parameter| {
            let (name, of) = parameter.split_once(": ").unwrap();
            Field {
                name: name.to_owned(),
                r#type: simple(of),
                docs: None,
            }
        })
        .collect();
    let reads = ["get-", "list-", "search-"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    let effect = if reads {
        Effect::Read
    } else {
        Effect::Irreversible
    };
    assert!(result.starts_with("result<"), "{line}");
    Some(action(name, parameters, None, effect))
}

/// Splits at the commas that stand in no angle brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, sign) in text.char_indices() {
        match sign {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn simple(text: &str) -> Type {
    let inside = |outer: &str| {
        text.strip_prefix(outer)?
            .strip_suffix('>')
            .map(|inner| Arc::new(simple(inner)))
    };
    if let Some(inner) = inside("option<") {
        return Type::Option(inner);
    }
    if let Some(inner) = inside("list<") {
        return Type::List(inner);
    }
    match text {
        "string" => Type::Text,
        "bool" => Type::Bool,
        "u16" => Type::Integer(Width::U16),
        "duration" => Type::Duration,
        "timestamp" => Type::Timestamp,
        _ => Type::Json,
    }
}
