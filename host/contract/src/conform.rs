//! Checks a value against a type and turns it into the exact form of that type, losslessly or not
//! at all. Errors name the path to the wrong value: `exclusions[2].protocol: 300 is not in 0..=255`.
//!
//! The exact form: durations, sizes and timestamps are their whole number; the names of record
//! fields, cases and words are WIT's; every field of a record is there, missing ones as nothing;
//! maps are lists of `[key, value]`. [`present`] is the way back to what people see.

mod present;

use std::fmt;

use crate::name;
use crate::types::{Field, Record, Type, Variant, Words};
use crate::units;
use crate::value::{BYTES_PREFIX, Map, Value};

pub use present::present;

/// A value that is not of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    /// Where, from the outermost value inwards: `exclusions[2].protocol`; empty for the value itself.
    pub path: String,
    /// What is wrong, reading well after the path and a colon.
    pub problem: String,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.path, self.problem)
        }
    }
}

impl std::error::Error for ValueError {}

impl ValueError {
    fn new(problem: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            problem: problem.into(),
        }
    }

    /// The same error, seen from the value that holds the wrong one under this name.
    #[must_use]
    pub fn in_field(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{}{dot}{}", name::snake(name), self.path);
        self
    }

    /// The same error, seen from the list that holds the wrong value at this place.
    #[must_use]
    pub fn at_index(mut self, index: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("[{index}]{dot}{}", self.path);
        self
    }
}

/// The exact form of `value` as `type`.
///
/// # Errors
/// Where the value, or a part of it, is not of the type; the first wrong part is named.
pub fn conform(value: &Value, r#type: &Type) -> Result<Value, ValueError> {
    match r#type {
        Type::Bool => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(expected("a boolean", value)),
        },
        Type::Integer(width) => integer(value, width.bounds()),
        Type::F32 => {
            let number = float(value)?;
            #[allow(
                clippy::cast_possible_truncation,
                reason = "the next line refuses what was lost"
            )]
            let narrow = number as f32;
            if number.is_nan() || f64::from(narrow) == number {
                Ok(Value::Float(number))
            } else {
                Err(ValueError::new(format!(
                    "{number} cannot be kept exactly in 32 bits"
                )))
            }
        }
        Type::F64 => float(value).map(Value::Float),
        Type::Char => match value {
            Value::Text(text) if text.chars().count() == 1 => Ok(value.clone()),
            _ => Err(expected("text of one character", value)),
        },
        Type::Text => match value {
            Value::Text(_) => Ok(value.clone()),
            _ => Err(expected("text", value)),
        },
        Type::Bytes => bytes(value).map(Value::Bytes),
        Type::List(inner) => list(value, inner).map(Value::List),
        Type::FixedList(inner, length) => {
            let values = list(value, inner)?;
            if u32::try_from(values.len()) == Ok(*length) {
                Ok(Value::List(values))
            } else {
                Err(ValueError::new(format!(
                    "needs exactly {length} values, got {}",
                    values.len()
                )))
            }
        }
        Type::Map(key, inner) => map(value, key, inner),
        Type::Option(inner) => option(value, inner),
        Type::Result(ok, err) => result(value, ok.as_deref(), err.as_deref()),
        Type::Tuple(types) => tuple(value, types),
        Type::Record(fields) => record(value, fields),
        Type::Variant(cases) => variant(value, cases),
        Type::Enum(words) => match value {
            Value::Text(text) => word(text, words).map(|word| Value::Text(word.to_owned())),
            _ => Err(expected(&r#type.to_string(), value)),
        },
        Type::Flags(words) => flags(value, words),
        Type::Duration => unit(value, "a duration such as \"2h\"", units::parse_duration),
        Type::Size => unit(value, "a size such as \"10MB\"", units::parse_size),
        Type::Timestamp => match value {
            Value::Text(text) => units::parse_timestamp(text)
                .map(|milliseconds| Value::Integer(milliseconds.into()))
                .map_err(|error| ValueError::new(error.to_string())),
            Value::Integer(_) => integer(value, (i64::MIN.into(), i64::MAX.into())),
            _ => Err(expected(
                "a timestamp such as \"2026-03-14T09:21:37Z\"",
                value,
            )),
        },
        Type::Json => json(value),
        Type::Secret => match value {
            Value::Secret(_) => Ok(value.clone()),
            _ => Err(ValueError::new(format!(
                "needs a secret, got {}; pass `secret(\"name\")`, never the value",
                value.kind()
            ))),
        },
        Type::Blob => match value {
            Value::Blob(_) => Ok(value.clone()),
            _ => Err(expected("a blob", value)),
        },
    }
}

fn expected(what: &str, got: &Value) -> ValueError {
    let shown = match got {
        Value::Text(text) if text.chars().count() <= 40 => format!("text \"{text}\""),
        Value::Integer(_) | Value::Float(_) | Value::Bool(_) => got.to_string(),
        _ => got.kind().to_owned(),
    };
    ValueError::new(format!("needs {what}, got {shown}"))
}

fn integer(value: &Value, (smallest, largest): (i128, i128)) -> Result<Value, ValueError> {
    let number = match value {
        Value::Integer(number) => *number,
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
            #[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            let whole = *number as i64;
            whole.into()
        }
        // Playbooks cannot hold numbers above 2^63-1; such a number travels as its digits.
        Value::Text(text)
            if largest > i64::MAX.into()
                && !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_digit()) =>
        {
            text.parse()
                .map_err(|_| expected("a whole number", value))?
        }
        _ => return Err(expected("a whole number", value)),
    };
    if (smallest..=largest).contains(&number) {
        Ok(Value::Integer(number))
    } else {
        Err(ValueError::new(format!(
            "{number} is not in {smallest}..={largest}"
        )))
    }
}

fn float(value: &Value) -> Result<f64, ValueError> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Integer(number) if number.unsigned_abs() <= 1 << 53 => {
            #[allow(clippy::cast_precision_loss, reason = "exact up to 2^53")]
            let number = *number as f64;
            Ok(number)
        }
        Value::Integer(number) => Err(ValueError::new(format!(
            "{number} cannot be kept exactly as a floating point number"
        ))),
        Value::Text(text) if text == "NaN" => Ok(f64::NAN),
        Value::Text(text) if text == "inf" => Ok(f64::INFINITY),
        Value::Text(text) if text == "-inf" => Ok(f64::NEG_INFINITY),
        _ => Err(expected("a number", value)),
    }
}

fn bytes(value: &Value) -> Result<Vec<u8>, ValueError> {
    use base64::Engine as _;
    match value {
        Value::Bytes(bytes) => Ok(bytes.clone()),
        Value::Text(text) => {
            let encoded = text.strip_prefix(BYTES_PREFIX).ok_or_else(|| {
                ValueError::new(format!(
                    "needs bytes, got text; write `{BYTES_PREFIX}` and base64"
                ))
            })?;
            base64::engine::general_purpose::STANDARD
                .decode(encoded)
                .map_err(|error| ValueError::new(format!("is not base64: {error}")))
        }
        Value::List(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| {
                match integer(value, (0, 255)) {
                    Ok(Value::Integer(number)) => {
                        u8::try_from(number).map_err(|_| expected("a byte", value))
                    }
                    Ok(other) => Err(expected("a byte", &other)),
                    Err(error) => Err(error),
                }
                .map_err(|error| error.at_index(index))
            })
            .collect(),
        _ => Err(expected("bytes", value)),
    }
}

fn list(value: &Value, inner: &Type) -> Result<Vec<Value>, ValueError> {
    match value {
        Value::List(values) => values
            .iter()
            .enumerate()
            .map(|(index, value)| conform(value, inner).map_err(|error| error.at_index(index)))
            .collect(),
        _ => Err(expected(&format!("a list of {inner}"), value)),
    }
}

fn map(value: &Value, key: &Type, inner: &Type) -> Result<Value, ValueError> {
    let pair = |name: Value, value: &Value| Value::List(vec![name, value.clone()]);
    let pairs: Vec<Value> = match value {
        Value::Map(entries) if *key == Type::Text => entries
            .iter()
            .map(|(name, value)| pair(Value::Text(name.clone()), value))
            .collect(),
        Value::List(pairs) => pairs.clone(),
        _ => return Err(expected(&format!("a map from {key} to {inner}"), value)),
    };
    let types = [key.clone(), inner.clone()];
    let mut seen = Vec::with_capacity(pairs.len());
    let mut exact = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        let pair = tuple(pair, &types).map_err(|error| error.at_index(index))?;
        let name = pair
            .as_list()
            .and_then(<[Value]>::first)
            .cloned()
            .unwrap_or_default();
        if seen.contains(&name) {
            return Err(
                ValueError::new(format!("the key {name} stands here twice")).at_index(index)
            );
        }
        seen.push(name);
        exact.push(pair);
    }
    Ok(Value::List(exact))
}

fn option(value: &Value, inner: &Type) -> Result<Value, ValueError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if !inner.can_be_null() {
        return conform(value, inner);
    }
    let some = match value {
        Value::Map(map) if map.len() == 1 => map.get("some"),
        _ => None,
    };
    match some {
        Some(some) => Ok(Value::map([(
            "some",
            conform(some, inner).map_err(|error| error.in_field("some"))?,
        )])),
        // What is there and is not nothing needs no wrapping to be understood.
        None => Ok(Value::map([("some", conform(value, inner)?)])),
    }
}

fn result(value: &Value, ok: Option<&Type>, err: Option<&Type>) -> Result<Value, ValueError> {
    let wrong = || expected("`#{ ok: … }` or `#{ err: … }`", value);
    let map = value
        .as_map()
        .filter(|map| map.len() == 1)
        .ok_or_else(wrong)?;
    let (name, value) = map.iter().next().ok_or_else(wrong)?;
    let inner = match name.as_str() {
        "ok" => ok,
        "err" => err,
        _ => return Err(wrong()),
    };
    payload(value, inner)
        .map(|value| Value::map([(name.clone(), value)]))
        .map_err(|error| error.in_field(name))
}

fn payload(value: &Value, inner: Option<&Type>) -> Result<Value, ValueError> {
    match inner {
        Some(inner) => conform(value, inner),
        None if value.is_null() => Ok(Value::Null),
        None => Err(expected("nothing", value)),
    }
}

fn tuple(value: &Value, types: &[Type]) -> Result<Value, ValueError> {
    match value {
        Value::List(values) if values.len() == types.len() => values
            .iter()
            .zip(types)
            .enumerate()
            .map(|(index, (value, inner))| {
                conform(value, inner).map_err(|error| error.at_index(index))
            })
            .collect::<Result<_, _>>()
            .map(Value::List),
        Value::List(values) => Err(ValueError::new(format!(
            "needs exactly {} values, got {}",
            types.len(),
            values.len()
        ))),
        _ => Err(expected(
            &format!("a list of {} values", types.len()),
            value,
        )),
    }
}

fn record(value: &Value, record: &Record) -> Result<Value, ValueError> {
    let Value::Map(given) = value else {
        return Err(expected(
            record
                .name
                .as_deref()
                .map_or("a map".to_owned(), |name| {
                    format!("a map ({})", name::snake(name))
                })
                .as_str(),
            value,
        ));
    };
    let mut exact = Map::new();
    for field in &record.fields {
        let (snake, kebab) = (given.get(&name::snake(&field.name)), given.get(&field.name));
        let value = match (snake, kebab) {
            (Some(_), Some(_)) if field.name.contains('-') => {
                return Err(
                    ValueError::new("is given twice, in both spellings").in_field(&field.name)
                );
            }
            (Some(value), _) | (None, Some(value)) => {
                conform(value, &field.r#type).map_err(|error| error.in_field(&field.name))?
            }
            (None, None) if matches!(field.r#type, Type::Option(_)) => Value::Null,
            (None, None) => {
                return Err(
                    ValueError::new(format!("is missing; it needs {}", field.r#type))
                        .in_field(&field.name),
                );
            }
        };
        exact.insert(field.name.clone(), value);
    }
    match given.keys().find(|given| {
        !record
            .fields
            .iter()
            .any(|field| name::same(&field.name, given))
    }) {
        Some(unknown) => Err(unknown_name(unknown, &record.fields)),
        None => Ok(Value::Map(exact)),
    }
}

fn unknown_name(unknown: &str, fields: &[Field]) -> ValueError {
    let names: Vec<String> = fields
        .iter()
        .map(|field| name::snake(&field.name))
        .collect();
    let hint = match name::nearest(unknown, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "there are none".to_owned(),
        None => format!("there are `{}`", names.join("`, `")),
    };
    ValueError {
        path: unknown.to_owned(),
        problem: format!("is no name here; {hint}"),
    }
}

fn variant(value: &Value, variant: &Variant) -> Result<Value, ValueError> {
    let none = Value::Null;
    let (given, value) = match value {
        Value::Text(case) => (case, &none),
        Value::Map(map) if map.len() == 1 => match map.iter().next() {
            Some(entry) => entry,
            None => return Err(expected("one of the cases", value)),
        },
        _ => {
            let names: Vec<String> = variant
                .cases
                .iter()
                .map(|case| name::snake(&case.name))
                .collect();
            return Err(expected(
                &format!(
                    "`#{{ case: value }}` with one of the cases `{}`",
                    names.join("`, `")
                ),
                value,
            ));
        }
    };
    let case = variant
        .cases
        .iter()
        .find(|case| name::same(&case.name, given))
        .ok_or_else(|| no_such_word(given, variant.cases.iter().map(|case| case.name.as_str())))?;
    match &case.r#type {
        None => payload(value, None)
            .map(|_| Value::Text(case.name.clone()))
            .map_err(|error| error.in_field(given)),
        Some(inner) => conform(value, inner)
            .map(|value| Value::map([(case.name.clone(), value)]))
            .map_err(|error| error.in_field(given)),
    }
}

fn word<'a>(given: &str, words: &'a Words) -> Result<&'a str, ValueError> {
    words
        .words
        .iter()
        .find(|word| name::same(&word.name, given))
        .map(|word| word.name.as_str())
        .ok_or_else(|| no_such_word(given, words.words.iter().map(|word| word.name.as_str())))
}

fn no_such_word<'a>(given: &str, known: impl Iterator<Item = &'a str> + Clone) -> ValueError {
    let all: Vec<String> = known.clone().map(name::snake).collect();
    let near = name::nearest(given, all.iter().map(String::as_str));
    let hint = near.map_or_else(
        || format!("it is one of \"{}\"", all.join("\", \"")),
        |near| format!("did you mean \"{near}\"?"),
    );
    ValueError::new(format!("\"{given}\" is not known here; {hint}"))
}

fn flags(value: &Value, words: &Words) -> Result<Value, ValueError> {
    let Value::List(values) = value else {
        return Err(expected("a list of words", value));
    };
    let mut given = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let text = value
            .as_text()
            .ok_or_else(|| expected("text", value).at_index(index))?;
        given.push(word(text, words).map_err(|error| error.at_index(index))?);
    }
    Ok(Value::List(
        words
            .words
            .iter()
            .filter(|word| given.contains(&word.name.as_str()))
            .map(|word| Value::Text(word.name.clone()))
            .collect(),
    ))
}

fn unit(
    value: &Value,
    what: &str,
    parse: impl Fn(&str) -> Result<u64, units::UnitError>,
) -> Result<Value, ValueError> {
    match value {
        Value::Text(text) if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) => {
            parse(text)
                .map(|number| Value::Integer(number.into()))
                .map_err(|error| ValueError::new(error.to_string()))
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) => {
            integer(value, (0, u64::MAX.into()))
        }
        _ => Err(expected(what, value)),
    }
}

/// Depth to which JSON is read and written; deeper values would overflow somebody's stack.
pub const JSON_DEPTH_MAX: usize = 64;

fn json(value: &Value) -> Result<Value, ValueError> {
    fn check(value: &Value, depth: usize) -> Result<(), ValueError> {
        if depth > JSON_DEPTH_MAX {
            return Err(ValueError::new(format!(
                "is nested deeper than {JSON_DEPTH_MAX}"
            )));
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Text(_) => Ok(()),
            Value::Integer(number) if *number >= i64::MIN.into() && *number <= u64::MAX.into() => {
                Ok(())
            }
            Value::Float(number) if number.is_finite() => Ok(()),
            Value::List(values) => values.iter().enumerate().try_for_each(|(index, value)| {
                check(value, depth + 1).map_err(|error| error.at_index(index))
            }),
            Value::Map(values) => values.iter().try_for_each(|(name, value)| {
                check(value, depth + 1).map_err(|error| error.in_field(name))
            }),
            other => Err(ValueError::new(format!(
                "{} has no place in JSON",
                other.kind()
            ))),
        }
    }
    check(value, 0)?;
    Ok(value.clone())
}

#[cfg(test)]
mod tests;
