//! Values of scripts and values of Cordon, one into the other: losslessly or not at all.
//!
//! Two things look different on the other side. A whole number above 2^63-1 is its decimal digits in
//! a script, which the types of actions read back as the number; and a timestamp of a script becomes
//! RFC 3339 text. A function, a range or a connection is no value and has no place in a result.

use cordon_contract::value::Map;
use cordon_contract::{BlobReference, SecretReference, Value, ValueError};
use rhai::{Array, Blob, Dynamic, ImmutableString};

use crate::bind::Connection;
use crate::timestamp::Timestamp;

/// Lists and maps inside of each other, at most; deeper values overflow somebody's stack.
pub const DEPTH_MAX: usize = 64;

/// What a script sees of a value.
pub fn to_script(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => {
            i64::try_from(*value).map_or_else(|_| value.to_string().into(), Dynamic::from_int)
        }
        Value::Float(value) => (*value).into(),
        Value::Text(value) => value.as_str().into(),
        Value::Bytes(value) => Dynamic::from_blob(value.clone()),
        Value::List(values) => Dynamic::from_array(values.iter().map(to_script).collect()),
        Value::Map(values) => Dynamic::from_map(map_to_script(values)),
        Value::Secret(secret) => Dynamic::from(secret.clone()),
        Value::Blob(blob) => Dynamic::from(blob.clone()),
    }
}

/// What a script sees of a map.
#[must_use]
pub fn map_to_script(map: &Map) -> rhai::Map {
    map.iter()
        .map(|(name, value)| (name.as_str().into(), to_script(value)))
        .collect()
}

/// The value that a script holds.
///
/// # Errors
/// Where it holds something that is no value, with the path to it.
pub fn from_script(value: &Dynamic) -> Result<Value, ValueError> {
    read(value, 0)
}

/// The values that a map of a script holds.
///
/// # Errors
/// Where it holds something that is no value, with the path to it.
pub fn map_from_script(map: &rhai::Map) -> Result<Map, ValueError> {
    read_map(map, 0)
}

fn read(value: &Dynamic, depth: usize) -> Result<Value, ValueError> {
    if depth > DEPTH_MAX {
        return Err(problem(format!("is nested deeper than {DEPTH_MAX}")));
    }
    if value.is_shared() {
        return read(&value.flatten_clone(), depth);
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(value) = value.as_bool() {
        return Ok(Value::Bool(value));
    }
    if let Ok(value) = value.as_int() {
        return Ok(Value::Integer(value.into()));
    }
    if let Ok(value) = value.as_float() {
        return Ok(Value::Float(value));
    }
    if let Ok(value) = value.as_char() {
        return Ok(Value::Text(value.to_string()));
    }
    if let Some(value) = value.read_lock::<ImmutableString>() {
        return Ok(Value::Text(value.to_string()));
    }
    if let Some(value) = value.read_lock::<Array>() {
        let read_at =
            |(index, value)| read(value, depth + 1).map_err(|error| error.at_index(index));
        return value
            .iter()
            .enumerate()
            .map(read_at)
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    if let Some(value) = value.read_lock::<rhai::Map>() {
        return read_map(&value, depth).map(Value::Map);
    }
    if let Some(value) = value.read_lock::<Blob>() {
        return Ok(Value::Bytes(value.clone()));
    }
    if let Some(value) = value.read_lock::<Timestamp>() {
        return Ok(Value::Text(value.to_string()));
    }
    if let Some(value) = value.read_lock::<SecretReference>() {
        return Ok(Value::Secret(value.clone()));
    }
    if let Some(value) = value.read_lock::<BlobReference>() {
        return Ok(Value::Blob(value.clone()));
    }
    Err(no_value(value))
}

fn read_map(map: &rhai::Map, depth: usize) -> Result<Map, ValueError> {
    map.iter()
        .map(|(name, value)| {
            let value = read(value, depth + 1).map_err(|error| error.in_field(name))?;
            Ok((name.to_string(), value))
        })
        .collect()
}

fn no_value(value: &Dynamic) -> ValueError {
    if let Some(connection) = value.read_lock::<Connection>() {
        let name = connection.name();
        return problem(format!(
            "a connection has no place here; `to_string` gives its name, \"{name}\""
        ));
    }
    problem(format!("{} has no place here", kind(value)))
}

fn problem(problem: String) -> ValueError {
    ValueError {
        path: String::new(),
        problem,
    }
}

/// What a person calls this kind of value.
pub(crate) fn kind(value: &Dynamic) -> String {
    match value.type_name() {
        "()" => "nothing".to_owned(),
        "bool" => "a boolean".to_owned(),
        "i64" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "string" | "char" | "alloc::string::String" => "text".to_owned(),
        "array" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        "blob" => "bytes".to_owned(),
        "Fn" => "a function".to_owned(),
        _ if value.is::<Timestamp>() => "a timestamp".to_owned(),
        _ if value.is::<Connection>() => "a connection".to_owned(),
        _ if value.is::<SecretReference>() => "a secret".to_owned(),
        _ if value.is::<BlobReference>() => "a blob".to_owned(),
        other => format!(
            "a value of type {}",
            other.rsplit("::").next().unwrap_or(other)
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rhai::FnPtr;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::Float),
            ".{0,12}".prop_map(Value::Text),
            prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
            "[a-z]{1,8}".prop_map(|name| Value::Secret(SecretReference::new(name))),
            ("[a-z]{1,8}", any::<u64>())
                .prop_map(|(reference, length)| Value::Blob(BlobReference { reference, length })),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(Value::Map),
            ]
        })
    }

    /// Bit for bit, so that NaN is itself and 0.0 is not -0.0.
    fn same(left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
            (Value::List(left), Value::List(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .zip(right)
                        .all(|(left, right)| same(left, right))
            }
            (Value::Map(left), Value::Map(right)) => {
                left.keys().eq(right.keys())
                    && left
                        .values()
                        .zip(right.values())
                        .all(|(left, right)| same(left, right))
            }
            _ => left == right,
        }
    }

    proptest! {
        #[test]
        fn a_value_that_a_script_held_is_the_same_value(value in any_value()) {
            let back = from_script(&to_script(&value)).unwrap();
            prop_assert!(same(&value, &back), "{value:?} became {back:?}");
        }

        #[test]
        fn a_number_too_large_for_a_script_is_its_digits(number in (i64::MAX as u64 + 1)..) {
            let seen = from_script(&to_script(&Value::from(number))).unwrap();
            prop_assert_eq!(seen, Value::Text(number.to_string()));
        }
    }

    #[test]
    fn what_is_no_value_is_refused_with_its_path() {
        let inner = Dynamic::from_map(
            [("f".into(), Dynamic::from(FnPtr::new("f").unwrap()))]
                .into_iter()
                .collect(),
        );
        let error = from_script(&Dynamic::from_array(vec![Dynamic::UNIT, inner])).unwrap_err();
        assert_eq!(error.to_string(), "[1].f: a function has no place here");
    }

    #[test]
    fn a_value_that_is_nested_too_deep_is_refused_before_it_overflows_a_stack() {
        let mut value = Dynamic::UNIT;
        for _ in 0..200 {
            value = Dynamic::from_array(vec![value]);
        }
        assert!(
            from_script(&value)
                .unwrap_err()
                .to_string()
                .ends_with("is nested deeper than 64")
        );
    }

    #[test]
    fn a_secret_shows_its_name_and_nothing_else() {
        let secret = to_script(&Value::Secret(SecretReference::new("token")));
        assert_eq!(
            from_script(&secret).unwrap().to_json(),
            r#"{"$secret":"token"}"#
        );
    }
}
