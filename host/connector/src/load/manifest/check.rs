//! The manifest held against the exports and itself.

use std::collections::BTreeSet;

use cordon_contract::manifest::{ActionManifest, Effect, Manifest, Repeat, SettingType};
use cordon_contract::types::Type;
use cordon_contract::{Action, name, units};

use crate::load::difference::difference;

/// Splits the exported functions into actions and companions, with what the manifest says about
/// each. What is wrong is added to `problems`.
pub(in crate::load) fn apply(
    manifest: &Manifest,
    functions: Vec<Action>,
    problems: &mut Vec<String>,
) -> (Vec<Action>, Vec<Action>) {
    check_identity(manifest, problems);
    check_settings(manifest, problems);
    let companions: BTreeSet<&str> = manifest
        .actions
        .iter()
        .filter_map(|action| action.reconcile.as_deref())
        .collect();
    let known: Vec<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    let mut said = BTreeSet::new();
    for action in &manifest.actions {
        let mut problem =
            |problem: String| problems.push(format!("action `{}`: {problem}", action.name));
        if !said.insert(&action.name) {
            problem("it is described twice".to_owned());
        }
        let Some(function) = functions
            .iter()
            .find(|function| function.name == action.name)
        else {
            problem(format!(
                "the component exports no such function{}",
                did_you_mean(&action.name, &known)
            ));
            continue;
        };
        if companions.contains(action.name.as_str()) {
            problem(
                "it is the reconcile companion of another action, and so no action itself"
                    .to_owned(),
            );
        }
        check_action(action, function, &functions, &companions, &mut problem);
    }
    let (mut actions, companions): (Vec<Action>, Vec<Action>) = functions
        .into_iter()
        .partition(|function| !companions.contains(function.name.as_str()));
    for action in &mut actions {
        if let Some(said) = manifest
            .actions
            .iter()
            .find(|said| said.name == action.name)
        {
            action.manifest = said.clone();
        }
    }
    (actions, companions.into_iter().map(as_read).collect())
}

/// A companion only asks.
fn as_read(mut companion: Action) -> Action {
    companion.manifest.effect = Effect::Read;
    companion.manifest.repeat = Repeat::Natural;
    companion
}

fn check_identity(manifest: &Manifest, problems: &mut Vec<String>) {
    let is_name = !manifest.name.is_empty()
        && manifest.name.len() <= 64
        && manifest
            .name
            .starts_with(|first: char| first.is_ascii_lowercase())
        && !manifest.name.ends_with('-')
        && manifest
            .name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_name {
        problems.push(format!(
            "the name `{}` is none; names are at most 64 lower-case letters, digits and hyphens, beginning with a letter",
            manifest.name.escape_default()
        ));
    }
    if semver::Version::parse(&manifest.version).is_err() {
        problems.push(format!(
            "the version `{}` is no semantic version such as `1.2.0`",
            manifest.version.escape_default()
        ));
    }
    if manifest.title.trim().is_empty() {
        problems.push("it has no title".to_owned());
    }
    if manifest
        .rate_per_second
        .is_some_and(|rate| !rate.is_finite() || rate <= 0.0)
    {
        problems.push("`rate-per-second` is not a number above 0".to_owned());
    }
    if manifest.concurrency == Some(0) {
        problems.push("`concurrency` is 0, with which no request could be made".to_owned());
    }
}

fn check_settings(manifest: &Manifest, problems: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    let all = manifest.settings.iter().map(|setting| &setting.name).chain(
        manifest
            .credentials
            .iter()
            .map(|credential| &credential.name),
    );
    for setting in all {
        if !is_snake(setting) {
            problems.push(format!(
                "the setting or credential `{}` is not named in snake_case",
                setting.escape_default()
            ));
        }
        if !names.insert(setting) {
            problems.push(format!("there are two settings or credentials `{setting}`"));
        }
    }
    for setting in &manifest.settings {
        match &setting.default {
            Some(_) if setting.required => {
                problems.push(format!(
                    "setting `{}`: it is required, and so its default never holds",
                    setting.name
                ));
            }
            Some(default) => {
                if let Some(wanted) = misfit(default, &setting.r#type) {
                    problems.push(format!(
                        "setting `{}`: its default `{default}` is not {wanted}",
                        setting.name
                    ));
                }
            }
            None => {}
        }
        if matches!(&setting.r#type, SettingType::Choice(words) if words.is_empty()) {
            problems.push(format!(
                "setting `{}`: it is a choice of no words",
                setting.name
            ));
        }
    }
}

fn is_snake(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What a default should be, where it is not that. A list of texts is written as in the file:
/// `["a", "b"]`, which for texts is JSON too.
fn misfit(default: &str, r#type: &SettingType) -> Option<String> {
    let (fits, wanted) = match r#type {
        SettingType::Text => (true, String::new()),
        SettingType::Integer => (default.parse::<i64>().is_ok(), "a whole number".to_owned()),
        SettingType::Number => (
            default.parse::<f64>().is_ok_and(f64::is_finite),
            "a number".to_owned(),
        ),
        SettingType::Boolean => (
            matches!(default, "true" | "false"),
            "`true` or `false`".to_owned(),
        ),
        SettingType::Texts => (
            serde_json::from_str::<Vec<String>>(default).is_ok(),
            "a list such as `[\"a\", \"b\"]`".to_owned(),
        ),
        SettingType::Duration => (
            units::parse_duration(default).is_ok(),
            "a duration such as `90s`".to_owned(),
        ),
        SettingType::Size => (
            units::parse_size(default).is_ok(),
            "a size such as `10MB`".to_owned(),
        ),
        SettingType::Choice(words) => (
            words.iter().any(|word| word == default),
            format!("one of `{}`", words.join("`, `")),
        ),
    };
    (!fits).then_some(wanted)
}

fn check_action(
    action: &ActionManifest,
    function: &Action,
    functions: &[Action],
    companions: &BTreeSet<&str>,
    problem: &mut impl FnMut(String),
) {
    let known: Vec<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    let find = |name: &str| functions.iter().find(|function| function.name == name);
    let arguments = action
        .overrides
        .iter()
        .map(|other| &other.argument)
        .chain(action.targets.iter().map(|target| &target.argument));
    for path in arguments {
        if let Err(wrong) = check_path(function, path) {
            problem(wrong);
        }
    }
    for target in &action.targets {
        if let Some(resolve) = &target.resolve
            && find(resolve).is_none()
        {
            problem(format!(
                "its target is resolved by `{resolve}`, which is not exported{}",
                did_you_mean(resolve, &known)
            ));
        }
    }
    match (&action.inverse, action.effect) {
        (Some(inverse), _) => match find(inverse) {
            None => problem(format!(
                "its inverse `{inverse}` is not exported{}",
                did_you_mean(inverse, &known)
            )),
            Some(_) if companions.contains(inverse.as_str()) => {
                problem(format!(
                    "its inverse `{inverse}` is a reconcile companion, which changes nothing"
                ));
            }
            Some(inverse) => check_inverse(function, inverse, problem),
        },
        (None, Effect::Reversible) => problem("it is reversible, but names no inverse".to_owned()),
        (None, _) => {}
    }
    if let Some(reconcile) = &action.reconcile {
        match find(reconcile) {
            None => problem(format!(
                "its companion `{reconcile}` is not exported{}",
                did_you_mean(reconcile, &known)
            )),
            Some(companion) => check_companion(function, companion, problem),
        }
    }
    if action.timeout_ms == Some(0) {
        problem("its timeout is 0".to_owned());
    }
}

fn check_path(function: &Action, path: &str) -> Result<(), String> {
    let mut place = function.arguments_type();
    for part in path.split('.') {
        let Some(record) = place.record() else {
            return Err(format!(
                "there is no argument `{path}`: what stands before `{part}` has no fields"
            ));
        };
        let Some(field) = record.fields.iter().find(|field| field.name == part) else {
            let names: Vec<&str> = record
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            return Err(format!(
                "there is no argument `{path}`{}",
                did_you_mean(part, &names)
            ));
        };
        place = field.r#type.clone();
    }
    Ok(())
}

/// The inverse gets arguments of the same name, else fields of the result.
fn check_inverse(function: &Action, inverse: &Action, problem: &mut impl FnMut(String)) {
    let result = function.result.as_ref().and_then(Type::record);
    for parameter in &inverse.parameters {
        let argument = function
            .parameters
            .iter()
            .find(|other| other.name == parameter.name);
        let field = result.and_then(|record| {
            record
                .fields
                .iter()
                .find(|field| field.name == parameter.name)
        });
        if argument.or(field).is_none() && !matches!(parameter.r#type, Type::Option(_)) {
            problem(format!(
                "its inverse `{}` needs `{}`, which is neither an argument nor a field of the result of the same name",
                inverse.name, parameter.name
            ));
        }
    }
}

fn check_companion(function: &Action, companion: &Action, problem: &mut impl FnMut(String)) {
    if companion.capability.is_some() {
        problem(format!(
            "its companion `{}` is a function of a capability; put one into an interface of your own",
            companion.name
        ));
    }
    let same_parameters = function.parameters.len() == companion.parameters.len()
        && function
            .parameters
            .iter()
            .zip(&companion.parameters)
            .all(|(left, right)| {
                left.name == right.name && difference(&left.r#type, &right.r#type).is_none()
            });
    if !same_parameters {
        problem(format!(
            "its companion `{}` has other parameters than the action",
            companion.name
        ));
    }
    let same_result = match (&function.result, &companion.result) {
        (Some(result), Some(Type::Option(inner))) => difference(result, inner).is_none(),
        // There is no option of nothing: what the companion tells of such an action is its own affair.
        (None, Some(Type::Option(_))) => true,
        _ => false,
    };
    if !same_result {
        problem(format!(
            "its companion `{}` does not return `result<option<T>, error>` where the action returns `result<T, error>`",
            companion.name
        ));
    }
}

fn did_you_mean(wrong: &str, known: &[&str]) -> String {
    name::nearest(wrong, known.iter().copied())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}
