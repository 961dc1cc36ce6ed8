//! The way back from the exact form: what people and playbooks see.

use crate::name;
use crate::types::Type;
use crate::units;
use crate::value::{Map, Value};

/// What people and playbooks see of a value in the exact form of `type`; the way back from [`conform`](super::conform).
///
/// A timestamp outside the years -9999 to 9999 stays a number, since it has no text.
#[must_use]
pub fn present(value: &Value, r#type: &Type) -> Value {
    match (r#type, value) {
        (Type::List(inner) | Type::FixedList(inner, _), Value::List(values)) => {
            Value::List(values.iter().map(|value| present(value, inner)).collect())
        }
        (Type::Map(key, inner), Value::List(pairs)) => present_map(pairs, key, inner),
        (Type::Option(inner), Value::Map(some)) if inner.can_be_null() => match some.get("some") {
            Some(value) => Value::map([("some", present(value, inner))]),
            None => value.clone(),
        },
        (Type::Option(_), Value::Null) => Value::Null,
        (Type::Option(inner), _) => present(value, inner),
        (Type::Result(ok, err), Value::Map(side)) => Value::Map(
            side.iter()
                .map(|(name, value)| {
                    let inner = if name == "ok" { ok } else { err };
                    let value = inner
                        .as_ref()
                        .map_or_else(|| value.clone(), |inner| present(value, inner));
                    (name.clone(), value)
                })
                .collect(),
        ),
        (Type::Tuple(types), Value::List(values)) => Value::List(
            values
                .iter()
                .zip(types.iter())
                .map(|(value, inner)| present(value, inner))
                .collect(),
        ),
        (Type::Record(record), Value::Map(fields)) => Value::Map(
            record
                .fields
                .iter()
                .filter_map(|field| {
                    let value = fields.get(&field.name)?;
                    Some((name::snake(&field.name), present(value, &field.r#type)))
                })
                .collect(),
        ),
        (Type::Variant(_), Value::Text(case)) => Value::Text(name::snake(case)),
        (Type::Variant(variant), Value::Map(case)) => Value::Map(
            case.iter()
                .map(|(name, value)| {
                    let inner = variant
                        .cases
                        .iter()
                        .find(|case| case.name == *name)
                        .and_then(|case| case.r#type.as_ref());
                    (
                        name::snake(name),
                        inner.map_or_else(|| value.clone(), |inner| present(value, inner)),
                    )
                })
                .collect(),
        ),
        (Type::Enum(_), Value::Text(word)) => Value::Text(name::snake(word)),
        (Type::Flags(_), Value::List(words)) => Value::List(
            words
                .iter()
                .map(|word| {
                    word.as_text()
                        .map_or_else(|| word.clone(), |word| Value::Text(name::snake(word)))
                })
                .collect(),
        ),
        (Type::Duration, Value::Integer(number)) => u64::try_from(*number).map_or_else(
            |_| value.clone(),
            |number| Value::Text(units::format_duration(number)),
        ),
        (Type::Size, Value::Integer(number)) => u64::try_from(*number).map_or_else(
            |_| value.clone(),
            |number| Value::Text(units::format_size(number)),
        ),
        (Type::Timestamp, Value::Integer(number)) => i64::try_from(*number)
            .ok()
            .and_then(units::format_timestamp)
            .map_or_else(|| value.clone(), Value::Text),
        _ => value.clone(),
    }
}

fn present_map(pairs: &[Value], key: &Type, inner: &Type) -> Value {
    let types = Type::Tuple([key.clone(), inner.clone()].into());
    let pairs: Vec<Value> = pairs.iter().map(|pair| present(pair, &types)).collect();
    if *key != Type::Text {
        return Value::List(pairs);
    }
    let entries: Option<Map> = pairs
        .iter()
        .map(|pair| match pair.as_list() {
            Some([Value::Text(name), value]) => Some((name.clone(), value.clone())),
            _ => None,
        })
        .collect();
    match entries {
        // A key that stands twice has no place in a plain map.
        Some(entries) if entries.len() == pairs.len() => Value::Map(entries),
        _ => Value::List(pairs),
    }
}
