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
    let of_interest = match r#type {
        Type::Record(_) | Type::Variant(_) => true,
        // The words are in the signature; they are repeated only where something is said about them.
        Type::Enum(words) | Type::Flags(words) => {
            words.words.iter().any(|word| word.docs.is_some())
        }
        _ => false,
    };
    if of_interest {
        if found.contains(r#type) {
            return;
        }
        found.push(r#type.clone());
    }
    parts(r#type)
        .into_iter()
        .for_each(|part| collect(part, found));
}

/// The types that a type is made of.
fn parts(r#type: &Type) -> Vec<&Type> {
    match r#type {
        Type::List(inner) | Type::FixedList(inner, _) | Type::Option(inner) => vec![inner],
        Type::Map(key, value) => vec![key, value],
        Type::Result(ok, err) => ok.iter().chain(err).map(|side| &**side).collect(),
        Type::Tuple(parts) => parts.iter().collect(),
        Type::Record(record) => record.fields.iter().map(|field| &field.r#type).collect(),
        Type::Variant(variant) => variant
            .cases
            .iter()
            .filter_map(|case| case.r#type.as_ref())
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cordon_contract::manifest::{EffectOverride, Target, TargetKind};
    use cordon_contract::types::{Record, Width, Words};
    use cordon_contract::{Parameter, Value};

    use super::*;

    fn field(name: &str, r#type: Type, docs: Option<&str>) -> Field {
        Field {
            name: name.to_owned(),
            r#type,
            docs: docs.map(str::to_owned),
        }
    }

    fn record(name: &str, fields: Vec<Field>) -> Type {
        Type::Record(Arc::new(Record {
            name: Some(name.to_owned()),
            fields,
            docs: None,
        }))
    }

    /// An action with something of everything that a page shows.
    fn isolate() -> Action {
        let word = |name: &str, docs: Option<&str>| Word {
            name: name.to_owned(),
            docs: docs.map(str::to_owned),
        };
        let direction = Type::Enum(Arc::new(Words {
            name: Some("direction".to_owned()),
            words: vec![
                word("inbound", Some("Towards the host.")),
                word("outbound", None),
            ],
            docs: None,
        }));
        let exclusion = record(
            "exclusion",
            vec![
                field("direction", direction, None),
                field(
                    "protocol",
                    Type::Option(Arc::new(Type::Integer(Width::U8))),
                    Some("6 is TCP.\nAll when left out."),
                ),
            ],
        );
        let parameters: Vec<Parameter> = vec![
            field("sensor-id", Type::Text, None),
            field("exclusions", Type::List(Arc::new(exclusion.clone())), None),
        ];
        Action {
            name: "isolate".to_owned(),
            interface: "acme:product/hosts@0.1.0".to_owned(),
            function: "isolate".to_owned(),
            capability: None,
            parameters,
            result: Some(record(
                "isolated",
                vec![
                    field("until", Type::Timestamp, None),
                    field("but", exclusion, None),
                ],
            )),
            docs: Some("Isolates a host.\n\nSee `release`.".to_owned()),
            manifest: ActionManifest {
                effect: Effect::Reversible,
                overrides: vec![EffectOverride {
                    argument: "sensor-id".to_owned(),
                    when: Condition::Equals(Value::text("all")),
                    effect: Effect::Destructive,
                }],
                targets: vec![Target {
                    argument: "sensor-id".to_owned(),
                    kind: TargetKind::Host,
                    all: Some("all".to_owned()),
                    resolve: None,
                }],
                inverse: Some("release".to_owned()),
                timeout_ms: Some(120_000),
                ..ActionManifest::unsaid("isolate")
            },
        }
    }

    #[test]
    fn the_page_of_an_action_says_all_that_is_known_and_each_type_once() {
        insta::assert_snapshot!(page(&isolate(), Look::PLAIN));
    }
}
