//! Whether a manifest and the WIT beside it say the same. Cordon checks it again when it loads the
//! connector; a test says it sooner.

use std::collections::BTreeSet;

use super::Settings;
use crate::connector::{Connector, Function};
use crate::manifest::{Effect, SettingType, contract};
use crate::settings::Value;

/// Fails the test, with all that is wrong, unless the manifest says something about every action,
/// and everything that it names exists.
///
/// # Panics
/// When something is wrong.
pub fn check_manifest<C: Connector>() {
    let problems = problems(C::manifest().contract(), C::FUNCTIONS);
    assert!(
        problems.is_empty(),
        "the manifest of `{}` is wrong:\n  {}",
        C::NAME,
        problems.join("\n  ")
    );
}

fn problems(manifest: &contract::Manifest, functions: &[Function]) -> Vec<String> {
    let mut problems = Vec::new();
    let function = |name: &str| functions.iter().find(|function| function.action == name);
    let action = |name: &str| manifest.actions.iter().find(|action| action.name == name);
    let companions: BTreeSet<&str> = manifest
        .actions
        .iter()
        .filter_map(|action| action.reconcile.as_deref())
        .collect();

    for (index, one) in functions.iter().enumerate() {
        if functions[..index]
            .iter()
            .any(|other| other.action == one.action)
        {
            problems.push(format!("two interfaces export a function `{}`", one.action));
        }
        if action(one.action).is_none() && !companions.contains(one.action) {
            problems.push(format!(
                "nothing is said about `{}` of `{}`",
                one.action, one.interface
            ));
        }
    }
    for action in &manifest.actions {
        let Some(known) = function(&action.name) else {
            problems.push(format!("`{}` is no exported function", action.name));
            continue;
        };
        let mut has_parameter = |what: &str, path: &str| {
            let first = path.split('.').next().unwrap_or_default();
            if !known.parameters.contains(&first) {
                problems.push(format!(
                    "{what} of `{}` names `{path}`, which is no parameter",
                    action.name
                ));
            }
        };
        action
            .targets
            .iter()
            .for_each(|target| has_parameter("a target", &target.argument));
        action
            .overrides
            .iter()
            .for_each(|other| has_parameter("an override", &other.argument));
        if let Some(inverse) = &action.inverse
            && self::action(manifest, inverse).is_none()
        {
            problems.push(format!(
                "the inverse of `{}`, `{inverse}`, is no action",
                action.name
            ));
        }
        if let Some(companion) = &action.reconcile {
            match function(companion) {
                None => problems.push(format!(
                    "the companion of `{}`, `{companion}`, is no function",
                    action.name
                )),
                Some(companion) if companion.parameters != known.parameters => {
                    problems.push(format!(
                        "`{}` and its companion `{}` have other parameters",
                        action.name, companion.action
                    ))
                }
                Some(_) => {}
            }
            if self::action(manifest, companion).is_some() {
                problems.push(format!("the companion `{companion}` is an action too"));
            }
        }
        for resolve in action
            .targets
            .iter()
            .filter_map(|target| target.resolve.as_deref())
        {
            if self::action(manifest, resolve).is_none_or(|read| read.effect != Effect::Read) {
                problems.push(format!(
                    "`{resolve}`, which names the targets of `{}`, is no read",
                    action.name
                ));
            }
        }
    }
    for setting in &manifest.settings {
        if setting.required && setting.default.is_some() {
            problems.push(format!(
                "the setting `{}` is required and has a default",
                setting.name
            ));
        }
        if setting
            .default
            .as_ref()
            .is_some_and(|default| parse(&setting.type_, default).is_none())
        {
            problems.push(format!(
                "the default of the setting `{}` is not of its type",
                setting.name
            ));
        }
    }
    problems
}

fn action<'a>(manifest: &'a contract::Manifest, name: &str) -> Option<&'a contract::Action> {
    manifest.actions.iter().find(|action| action.name == name)
}

/// The settings of a connection whose file names none.
pub(super) fn default_settings(manifest: &contract::Manifest) -> Settings {
    let with_default = |setting: &contract::Setting| {
        let value = parse(&setting.type_, setting.default.as_ref()?)?;
        Some((setting.name.clone(), value))
    };
    manifest.settings.iter().filter_map(with_default).collect()
}

/// A default as the connection's file would have it without quotes.
fn parse(r#type: &SettingType, text: &str) -> Option<Value> {
    Some(match r#type {
        SettingType::Text => Value::Text(text.to_owned()),
        SettingType::Choice(words) => Value::Text(words.iter().find(|word| *word == text)?.clone()),
        SettingType::Integer => Value::Integer(text.parse().ok()?),
        SettingType::Number => Value::Number(text.parse().ok()?),
        SettingType::Boolean => Value::Boolean(text.parse().ok()?),
        SettingType::Texts => Value::Texts(serde_json::from_str(text).ok()?),
        SettingType::Duration => Value::Duration(in_units(
            text,
            &[
                ("ms", 1),
                ("s", 1000),
                ("m", 60_000),
                ("h", 3_600_000),
                ("d", 86_400_000),
            ],
        )?),
        SettingType::Size => Value::Size(in_units(
            text,
            &[
                ("KiB", 1 << 10),
                ("MiB", 1 << 20),
                ("GiB", 1 << 30),
                ("KB", 1000),
                ("MB", 1_000_000),
                ("GB", 1_000_000_000),
                ("B", 1),
            ],
        )?),
    })
}

/// A number and one of the units.
fn in_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    units.iter().find_map(|(unit, size)| {
        text.strip_suffix(unit)?
            .parse::<u64>()
            .ok()?
            .checked_mul(*size)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Action, Condition, Manifest, Setting};
    use crate::{Connector, Identity};

    struct Product;

    impl Identity for Product {
        const NAME: &'static str = "product";
        const VERSION: &'static str = "0.1.0";
        const DESCRIPTION: &'static str = "";
        const FUNCTIONS: &'static [Function] = &[
            Function {
                action: "block",
                interface: "rules",
                parameters: &["hash"],
            },
            Function {
                action: "blocked",
                interface: "reconcile",
                parameters: &["hash"],
            },
            Function {
                action: "list",
                interface: "rules",
                parameters: &[],
            },
        ];
    }

    impl Connector for Product {}

    fn problems_of(manifest: Manifest) -> Vec<String> {
        problems(manifest.contract(), Product::FUNCTIONS)
    }

    #[test]
    fn a_manifest_that_says_all_has_no_problems() {
        let manifest = Manifest::of::<Product>()
            .action(Action::read("list"))
            .action(Action::irreversible("block").reconciled_by("blocked"))
            .setting(Setting::duration("pause").default("90s"))
            .setting(Setting::texts("states").default(r#"["done"]"#));
        assert_eq!(problems_of(manifest), Vec::<String>::new());
    }

    #[test]
    fn whatever_a_manifest_names_must_exist() {
        let manifest = Manifest::of::<Product>()
            .action(
                Action::reversible("block", "unblock")
                    .when("files", Condition::Empty, Effect::Read)
                    .on_host("host", "show"),
            )
            .action(Action::read("lst"))
            .setting(Setting::integer("size").default("many").required());
        assert_eq!(
            problems_of(manifest),
            [
                "nothing is said about `blocked` of `reconcile`",
                "nothing is said about `list` of `rules`",
                "a target of `block` names `host`, which is no parameter",
                "an override of `block` names `files`, which is no parameter",
                "the inverse of `block`, `unblock`, is no action",
                "`show`, which names the targets of `block`, is no read",
                "`lst` is no exported function",
                "the setting `size` is required and has a default",
                "the default of the setting `size` is not of its type",
            ]
        );
    }
}
