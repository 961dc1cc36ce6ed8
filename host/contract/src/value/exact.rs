//! Values as the journal keeps them: JSON that reads back as exactly what was written.
//!
//! Almost every value is its plain JSON, so that a journal can be read by people. What JSON has no
//! form for becomes a map with one entry whose name begins with `$`, and a map that has such a name
//! of its own is wrapped, so that no product can write a reference into its answer:
//!
//! | form | value |
//! | --- | --- |
//! | `{"$bytes": "base64"}` | bytes |
//! | `{"$float": "NaN"}` | a number that JSON cannot carry |
//! | `{"$integer": "digits"}` | a whole number outside of -2^63 ..= 2^64-1 |
//! | `{"$secret": "name"}` | a reference to a secret |
//! | `{"$blob": ["reference", length]}` | a reference to bytes |
//! | `{"$map": {…}}` | a map with a name that begins with `$` |
//!
//! For use by `#[serde(with = "exact")]`; [`map`] does the same for a [`Map`], [`option`] for an
//! optional value.

use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Map, Value};
use crate::secret::{BlobReference, SecretReference};

/// Writes a value in its exact form.
///
/// # Errors
/// Where the format fails.
pub fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Exact(value).serialize(serializer)
}

/// Reads a value from its exact form.
///
/// # Errors
/// Where it is none.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Read::deserialize(deserializer).map(|Read(value)| value)
}

/// One line of JSON that [`from_json`] reads back as exactly this value.
#[must_use]
pub fn to_json(value: &Value) -> String {
    serde_json::to_string(&Exact(value))
        .unwrap_or_else(|error| unreachable_json(&error.to_string()))
}

/// Writing values to a text fails for no value; were it to, the reader must not take it for one.
fn unreachable_json(problem: &str) -> String {
    format!("{{\"$unwritten\": {problem:?}}}")
}

/// Reads what [`to_json`] wrote.
///
/// # Errors
/// Where the text is no such value.
pub fn from_json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).map(|Read(value)| value)
}

/// A [`Map`] in its exact form.
pub mod map {
    use super::*;

    /// Writes a map.
    ///
    /// # Errors
    /// Where the format fails.
    pub fn serialize<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
        exact_map(map, serializer)
    }

    /// Reads a map.
    ///
    /// # Errors
    /// Where it is none.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map, D::Error> {
        match super::deserialize(deserializer)? {
            Value::Map(map) => Ok(map),
            other => Err(de::Error::custom(format!(
                "expected a map, not {}",
                other.kind()
            ))),
        }
    }
}

/// An optional [`Value`] in its exact form; `null` stands for none, which for these is the same as
/// [`Value::Null`].
pub mod option {
    use super::*;

    /// Writes a value that may be missing.
    ///
    /// # Errors
    /// Where the format fails.
    pub fn serialize<S: Serializer>(
        value: &Option<Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Exact(value.as_ref().unwrap_or(&Value::Null)).serialize(serializer)
    }

    /// Reads a value that may be missing.
    ///
    /// # Errors
    /// Where it is none.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Value>, D::Error> {
        super::deserialize(deserializer).map(|value| (!value.is_null()).then_some(value))
    }
}

struct Exact<'a>(&'a Value);

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => tagged(serializer, "$integer", &value.to_string()),
            },
            Value::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Value::Float(value) => tagged(serializer, "$float", &value.to_string()),
            Value::Bytes(bytes) => tagged(serializer, "$bytes", &base64(bytes)),
            Value::Secret(secret) => tagged(serializer, "$secret", secret.name()),
            Value::Blob(blob) => tagged(serializer, "$blob", &(&blob.reference, blob.length)),
            Value::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&Exact(value))?;
                }
                list.end()
            }
            Value::Map(values) => exact_map(values, serializer),
        }
    }
}

fn tagged<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    tag: &str,
    content: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, content)?;
    map.end()
}

fn exact_map<S: Serializer>(values: &Map, serializer: S) -> Result<S::Ok, S::Error> {
    if values.keys().any(|name| name.starts_with('$')) {
        return tagged(serializer, "$map", &Entries(values));
    }
    Entries(values).serialize(serializer)
}

struct Entries<'a>(&'a Map);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &Exact(value))?;
        }
        map.end()
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Read)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value in its exact form")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(value)) = sequence.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if name.starts_with('$') && map.is_empty() {
                let value = special(&name, &mut access)?;
                return match access.next_key::<IgnoredAny>()? {
                    None => Ok(value),
                    Some(_) => Err(de::Error::custom(format!("`{name}` must stand alone"))),
                };
            }
            let Read(value) = access.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Map(map))
    }
}

fn special<'de, A: MapAccess<'de>>(name: &str, access: &mut A) -> Result<Value, A::Error> {
    let wrong = |problem: &str| de::Error::custom(format!("`{name}`: {problem}"));
    Ok(match name {
        "$bytes" => {
            use base64::Engine as _;
            let text: String = access.next_value()?;
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            Value::Bytes(bytes.map_err(|_| wrong("no base64"))?)
        }
        "$float" => {
            let text: String = access.next_value()?;
            Value::Float(text.parse().map_err(|_| wrong("no number"))?)
        }
        "$integer" => {
            let text: String = access.next_value()?;
            Value::Integer(text.parse().map_err(|_| wrong("no whole number"))?)
        }
        "$secret" => Value::Secret(SecretReference::new(access.next_value::<String>()?)),
        "$blob" => {
            let (reference, length) = access.next_value()?;
            Value::Blob(BlobReference { reference, length })
        }
        "$map" => Value::Map(access.next_value::<AnyNames>()?.0),
        _ => return Err(wrong("not known")),
    })
}

/// A map whose names mean nothing special.
struct AnyNames(Map);

impl<'de> Deserialize<'de> for AnyNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Map;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Map, A::Error> {
                let mut map = Map::new();
                while let Some((name, Read(value))) = access.next_entry()? {
                    map.insert(name, value);
                }
                Ok(map)
            }
        }

        deserializer.deserialize_map(Entries).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let name = prop_oneof![
            "[a-z]{0,4}",
            Just("$secret".to_owned()),
            Just("$map".to_owned()),
            "\\$[a-z]{0,3}",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i128>().prop_map(Value::Integer),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::Float),
            Just(Value::Float(f64::INFINITY)),
            ".*".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
            name.clone()
                .prop_map(|name| Value::Secret(SecretReference::new(name))),
            (name.clone(), any::<u64>()).prop_map(|(reference, length)| {
                Value::Blob(BlobReference { reference, length })
            }),
        ];
        leaf.prop_recursive(4, 64, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                proptest::collection::btree_map(name.clone(), inner, 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_back_as_what_it_was(value in any_value()) {
            // NaN is equal to nothing, so the written forms are compared.
            let written = to_json(&value);
            prop_assert_eq!(to_json(&from_json(&written).unwrap()), written);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".*") {
            let _ = from_json(&text);
        }
    }

    #[test]
    fn a_map_that_looks_like_a_reference_stays_a_map() {
        let forged = Value::map([("$secret", Value::text("password"))]);
        let written = to_json(&forged);
        assert_eq!(written, r#"{"$map":{"$secret":"password"}}"#);
        assert_eq!(from_json(&written).unwrap(), forged);
    }

    #[test]
    fn plain_values_are_plain_json() {
        let value = Value::map([
            ("id", Value::text("a")),
            ("count", Value::from(3_i64)),
            ("share", Value::from(1.0)),
            ("list", Value::List(vec![Value::Null, Value::Bool(true)])),
        ]);
        assert_eq!(
            to_json(&value),
            r#"{"count":3,"id":"a","list":[null,true],"share":1.0}"#
        );
        assert_eq!(from_json(&to_json(&value)).unwrap(), value);
    }
}
