//! Actions and types as somebody reads them who wants to call one.

use cordon_contract::manifest::{ActionManifest, Condition};
use cordon_contract::types::{Field, Word};
use cordon_contract::{Action, Effect, Repeat, Type, name, units};

use super::paint::{self, Look, Tone};
use super::{markdown, neutral};

/// `isolate(sensor_id: text, duration: duration?) -> task`.
#[must_use]
pub fn line(action: &Action) -> String {
    let parameters: Vec<String> = action
        .parameters
        .iter()
        .map(|parameter| format!("{}: {}", name::snake(&parameter.name), parameter.r#type))
        .collect();
    let result = action
        .result
        .as_ref()
        .map_or(String::new(), |result| format!(" -> {result}"));
    neutral::line(&format!(
        "{}({}){result}",
        action.script_name(),
        parameters.join(", ")
    ))
}

/// The effect in the colour of its danger.
#[must_use]
pub fn effect(effect: Effect, look: Look) -> String {
    let tone = match effect {
        Effect::Read => Tone::Good,
        Effect::Reversible => Tone::Careful,
        Effect::Irreversible | Effect::Destructive => Tone::Bad,
    };
    look.paint(tone, effect.name())
}

/// Everything that is known about an action.
#[must_use]
pub fn page(action: &Action, look: Look) -> String {
    let mut parts = vec![look.paint(Tone::Strong, &line(action))];
    if let Some(docs) = &action.docs {
        parts.push(markdown::render(docs, look));
    }
    let facts: Vec<String> = facts(&action.manifest, look)
        .into_iter()
        .map(|(label, text)| format!("{}{text}", look.paint(Tone::Faint, &paint::pad(label, 12))))
        .collect();
    parts.push(facts.join("\n"));
    if !action.parameters.is_empty() {
        parts.push(fields("Arguments", &action.parameters, look));
    }
    if let Some(record) = action.result.as_ref().and_then(result_record) {
        parts.push(fields(
            &format!(
                "Result: {}",
                action
                    .result
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            ),
            &record.fields,
            look,
        ));
    }
    parts.extend(
        named_types(action)
            .iter()
            .map(|r#type| definition(r#type, look)),
    );
    parts.join("\n\n")
}

fn facts(manifest: &ActionManifest, look: Look) -> Vec<(&'static str, String)> {
    let own = |text: &str| neutral::line(&name::snake(text));
    let mut facts = vec![("effect", effect(manifest.effect, look))];
    for other in &manifest.overrides {
        let argument = own(&other.argument);
        let condition = match &other.when {
            Condition::Equals(value) => {
                format!("`{argument}` is {}", neutral::line(&value.to_json()))
            }
            Condition::Present => format!("`{argument}` is given"),
            Condition::Absent => format!("`{argument}` is not given"),
            Condition::Empty => format!("`{argument}` is empty"),
        };
        facts.push((
            "",
            format!("{} when {condition}", effect(other.effect, look)),
        ));
    }
    for target in &manifest.targets {
        let all = target.all.as_ref().map_or(String::new(), |all| {
            format!("; \"{}\" means all", neutral::line(all))
        });
        facts.push((
            "acts on",
            format!(
                "the {} in `{}`{all}",
                kind(target.kind),
                own(&target.argument)
            ),
        ));
    }
    if let Some(inverse) = &manifest.inverse {
        facts.push(("undone by", own(inverse)));
    }
    if manifest.effect != Effect::Read {
        let repeat = match manifest.repeat {
            Repeat::Natural => "safe: twice is the same as once",
            Repeat::Keyed => "safe with the same key: twice is the same as once",
            Repeat::None => "never",
        };
        facts.push(("repeating", repeat.to_owned()));
    }
    if let Some(timeout) = manifest.timeout_ms {
        facts.push(("may take", units::format_duration(timeout)));
    }
    facts
}

fn kind(kind: cordon_contract::manifest::TargetKind) -> &'static str {
    use cordon_contract::manifest::TargetKind;
    match kind {
        TargetKind::Host => "host",
        TargetKind::File => "file",
        TargetKind::Indicator => "indicator",
        TargetKind::Tenant => "tenant",
        TargetKind::Task => "task",
        TargetKind::Group => "group",
        TargetKind::Account => "account",
        TargetKind::Other => "thing",
    }
}

fn fields(title: &str, fields: &[Field], look: Look) -> String {
    let rows: Vec<(String, String, Option<&str>)> = fields
        .iter()
        .map(|field| {
            (
                name::snake(&field.name),
                field.r#type.to_string(),
                field.docs.as_deref(),
            )
        })
        .collect();
    entries(title, &rows, look)
}

fn words(title: &str, words: &[Word], look: Look) -> String {
    let rows: Vec<(String, String, Option<&str>)> = words
        .iter()
        .map(|word| (name::snake(&word.name), String::new(), word.docs.as_deref()))
        .collect();
    entries(title, &rows, look)
}

fn entries(title: &str, rows: &[(String, String, Option<&str>)], look: Look) -> String {
    let width = rows
        .iter()
        .map(|(name, ..)| paint::width(name))
        .max()
        .unwrap_or(0);
    let mut text = look.paint(Tone::Strong, &neutral::line(title));
    for (name, r#type, docs) in rows {
        let label = look.paint(Tone::Name, &paint::pad(&neutral::line(name), width));
        text.push_str(format!("\n  {label}  {}", neutral::line(r#type)).trim_end());
        for line in docs.unwrap_or_default().lines() {
            text.push_str(&format!("\n      {}", neutral::line(line.trim())));
        }
    }
    text
}

fn definition(r#type: &Type, look: Look) -> String {
    match r#type {
        Type::Record(record) => fields(&r#type.to_string(), &record.fields, look),
        Type::Enum(list) | Type::Flags(list) => words(
            &name::snake(list.name.as_deref().unwrap_or("one of")),
            &list.words,
            look,
        ),
        Type::Variant(variant) => {
            let rows: Vec<(String, String, Option<&str>)> = variant
                .cases
                .iter()
                .map(|case| {
                    let carried = case
                        .r#type
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    (name::snake(&case.name), carried, case.docs.as_deref())
                })
                .collect();
            entries(&format!("{}, one of", r#type), &rows, look)
        }
        other => other.to_string(),
    }
}

fn result_record(r#type: &Type) -> Option<&cordon_contract::types::Record> {
    match r#type {
        Type::List(inner) => inner.record(),
        other => other.record(),
    }
}

/// The named types that an action's arguments and result are made of, each once, in order of
/// appearance; the result's own record is not among them, since its fields are shown as the result.
fn named_types(action: &Action) -> Vec<Type> {
    let mut found = Vec::new();
    for parameter in &action.parameters {
        collect(&parameter.r#type, &mut found);
    }
    if let Some(result) = &action.result {
        match result_record(result) {
            Some(record) => record
                .fields
                .iter()
                .for_each(|field| collect(&field.r#type, &mut found)),
            None => collect(result, &mut found),
        }
    }
    found
}

fn collect(r#type: &Type, found: &mut Vec<Type>) {
    let mut add = |r#type: &Type| {
        let new = !found.contains(r#type);
        if new {
            found.push(r#type.clone());
        }
        new
    };
    match r#type {
        Type::List(inner) | Type::FixedList(inner, _) | Type::Option(inner) => {
            collect(inner, found)
        }
        Type::Map(key, value) => {
            collect(key, found);
            collect(value, found);
        }
        Type::Result(ok, err) => ok.iter().chain(err).for_each(|side| collect(side, found)),
        Type::Tuple(parts) => parts.iter().for_each(|part| collect(part, found)),
        Type::Record(record) => {
            if add(r#type) {
                record
                    .fields
                    .iter()
                    .for_each(|field| collect(&field.r#type, found));
            }
        }
        Type::Variant(variant) => {
            if add(r#type) {
                variant
                    .cases
                    .iter()
                    .filter_map(|case| case.r#type.as_ref())
                    .for_each(|carried| collect(carried, found));
            }
        }
        Type::Enum(words) | Type::Flags(words) => {
            if words.words.iter().any(|word| word.docs.is_some()) {
                add(r#type);
            }
        }
        _ => {}
    }
}
