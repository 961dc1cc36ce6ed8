//! JSON text that comes from, or goes to, a connector: checked, bounded, and exact.
//!
//! Products decide what stands in it, so nothing of it is taken on trust: its size and depth are
//! bounded while it is read, a name that stands twice and a number that would be rounded are errors.

use std::cell::RefCell;
use std::fmt;

use cordon_contract::Value;
use cordon_contract::value::Map;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::limits::{Limit, LimitReached, Limits};

/// How large one JSON value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonBounds {
    size: u64,
    depth: u64,
}

impl JsonBounds {
    /// The bounds that are set.
    pub fn of(limits: &Limits) -> Self {
        Self {
            size: limits.get(Limit::JsonSize),
            depth: limits.get(Limit::JsonDepth),
        }
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// Where it is no JSON, too large or too deep, or cannot be kept exactly.
    pub fn read(self, text: &str) -> Result<Value, String> {
        self.check_size(text)?;
        let problem = RefCell::new(None);
        let seed = Seed {
            depth_left: self.depth,
            bounds: self,
            problem: &problem,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = seed
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        match (value, problem.into_inner()) {
            (_, Some(problem)) => Err(problem),
            (Ok(value), None) => match rounded_integer(text) {
                Some(digits) => Err(format!(
                    "holds the number {digits}, which cannot be kept exactly"
                )),
                None => Ok(value),
            },
            (Err(error), None) => Err(format!("is not JSON: {error}")),
        }
    }

    /// The text of a value that conforms to JSON.
    ///
    /// # Errors
    /// Where the text is too large or the value too deep.
    pub fn write(self, value: &Value) -> Result<String, String> {
        self.check_depth(value, self.depth)?;
        let text = value.to_json();
        self.check_size(&text)?;
        Ok(text)
    }

    fn check_size(self, text: &str) -> Result<(), String> {
        if text.len() as u64 > self.size {
            return Err(format!(
                "is larger than allowed; {}",
                LimitReached {
                    limit: Limit::JsonSize,
                    allowed: self.size
                }
            ));
        }
        Ok(())
    }

    fn check_depth(self, value: &Value, left: u64) -> Result<(), String> {
        let deeper = || left.checked_sub(1).ok_or_else(|| self.too_deep());
        match value {
            Value::List(values) => {
                let left = deeper()?;
                values
                    .iter()
                    .try_for_each(|value| self.check_depth(value, left))
            }
            Value::Map(values) => {
                let left = deeper()?;
                values
                    .values()
                    .try_for_each(|value| self.check_depth(value, left))
            }
            _ => Ok(()),
        }
    }

    fn too_deep(self) -> String {
        format!(
            "is nested deeper than allowed; {}",
            LimitReached {
                limit: Limit::JsonDepth,
                allowed: self.depth
            }
        )
    }
}

/// Reads one value at a known depth. Problems of our own go through a cell, since serde_json would
/// add a line and a column that mean nothing to whoever reads the message.
#[derive(Clone, Copy)]
struct Seed<'a> {
    depth_left: u64,
    bounds: JsonBounds,
    problem: &'a RefCell<Option<String>>,
}

impl Seed<'_> {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.fail(self.bounds.too_deep())),
        }
    }

    fn fail<E: serde::de::Error>(self, problem: String) -> E {
        self.problem.borrow_mut().get_or_insert(problem);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::text(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let seed = self.inside()?;
        let mut list = Vec::new();
        while let Some(value) = sequence.next_element_seed(seed)? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let seed = self.inside()?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(self.fail(format!(
                    "has the name \"{}\" twice in one object",
                    name.escape_debug()
                )));
            }
            map.insert(name, access.next_value_seed(seed)?);
        }
        Ok(Value::Map(map))
    }
}

/// The first whole number that serde_json reads as a rounded floating point number: one outside
/// of 64 bits. The text is JSON already.
fn rounded_integer(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += 1;
                while let Some(&byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if byte == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let number =
                    |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = bytes
                    .iter()
                    .skip(at)
                    .take_while(|byte| number(byte))
                    .count();
                let digits = text.get(at..at + length).unwrap_or_default();
                // What is shorter always fits into 64 bits.
                let whole = length > 18 && !digits.contains(['.', 'e', 'E']);
                if whole && digits.parse::<i64>().is_err() && digits.parse::<u64>().is_err() {
                    return Some(digits);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: JsonBounds = JsonBounds { size: 64, depth: 3 };

    #[test]
    fn what_cannot_be_kept_exactly_or_is_too_much_is_refused_with_the_reason() {
        let refused = |text: &str| BOUNDS.read(text).unwrap_err();
        assert_eq!(
            refused(r#"{"id": 18446744073709551616}"#),
            "holds the number 18446744073709551616, which cannot be kept exactly"
        );
        assert_eq!(
            refused(r#"{"a": 1, "a": 2}"#),
            "has the name \"a\" twice in one object"
        );
        assert_eq!(
            refused("[[[[]]]]"),
            "is nested deeper than allowed; the limit `json_depth` (3) was reached"
        );
        assert_eq!(
            refused(&"1".repeat(65)),
            "is larger than allowed; the limit `json_size` (64B) was reached"
        );
        assert_eq!(
            refused("{"),
            "is not JSON: EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(
            refused("1 2"),
            "is not JSON: trailing characters at line 1 column 3"
        );
    }

    #[test]
    fn digits_inside_of_text_are_no_numbers() {
        let text = r#"["\"99999999999999999999", 1e30, -9223372036854775808]"#;
        assert_eq!(
            JsonBounds { size: 99, depth: 3 }
                .read(text)
                .unwrap()
                .as_list()
                .unwrap()
                .len(),
            3
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = BOUNDS.read(&text);
        }

        #[test]
        fn any_whole_number_is_kept_exactly_or_refused(number: i128) {
            let read = BOUNDS.read(&number.to_string());
            if let Ok(value) = read {
                prop_assert_eq!(value, Value::Integer(number));
            } else {
                prop_assert!(i64::try_from(number).is_err() && u64::try_from(number).is_err());
            }
        }
    }
}
