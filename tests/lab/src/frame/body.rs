//! Reading a JSON body field by field, as strictly as a product's documents describe it, with
//! errors that name the path to the wrong value.
//!
//! Deriving the reader would be shorter, but a derived struct also takes an array of its fields and
//! `null` for whatever is optional; a simulator that forgives more than the product hides the
//! faults of those who are tested against it.

use serde_json::{Map, Value};

/// What is wrong with a body, as a sentence that begins with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(pub String);

/// One JSON object and where in the body it stands.
#[derive(Debug, Clone)]
pub struct Fields {
    place: String,
    map: Map<String, Value>,
}

impl Fields {
    /// Reads a whole body, which must be one JSON object.
    ///
    /// # Errors
    /// When it is not.
    pub fn parse(body: &[u8]) -> Result<Self, BodyError> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| BodyError(format!("the body is not JSON: {error}")))?;
        Self::of(value, String::new())
    }

    fn of(value: Value, place: String) -> Result<Self, BodyError> {
        match value {
            Value::Object(map) => Ok(Self { place, map }),
            other if place.is_empty() => Err(BodyError(format!(
                "the body must be an object, not {}",
                kind(&other)
            ))),
            other => Err(wrong(&place, "an object", &other)),
        }
    }

    /// The place of a field, as errors show it.
    pub fn place(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    /// Whether the field is there, with whatever value.
    pub fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    /// Places of the fields that are not among `known`.
    pub fn unknown(&self, known: &[&str]) -> Vec<String> {
        self.map
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .map(|key| self.place(key))
            .collect()
    }

    /// A required field of any type.
    ///
    /// # Errors
    /// When it is missing.
    pub fn required(&self, name: &str) -> Result<&Value, BodyError> {
        self.map
            .get(name)
            .ok_or_else(|| BodyError(format!("{} is missing", self.place(name))))
    }

    /// A required object.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn object(&self, name: &str) -> Result<Fields, BodyError> {
        Fields::of(self.required(name)?.clone(), self.place(name))
    }

    /// An object that may be left out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_object(&self, name: &str) -> Result<Option<Fields>, BodyError> {
        self.has(name).then(|| self.object(name)).transpose()
    }

    /// A required array of objects.
    ///
    /// # Errors
    /// When it is missing, no array, or holds something else.
    pub fn objects(&self, name: &str) -> Result<Vec<Fields>, BodyError> {
        let place = self.place(name);
        match self.required(name)? {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| Fields::of(item.clone(), format!("{place}[{index}]")))
                .collect(),
            other => Err(wrong(&place, "an array", other)),
        }
    }

    /// A required integer within bounds.
    ///
    /// # Errors
    /// When it is missing, no integer, or outside.
    pub fn integer(&self, name: &str, least: u64, most: u64) -> Result<u64, BodyError> {
        let value = self.required(name)?;
        value
            .as_u64()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                wrong(
                    &self.place(name),
                    &format!("an integer from {least} to {most}"),
                    value,
                )
            })
    }

    /// A required string.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn string(&self, name: &str) -> Result<String, BodyError> {
        match self.required(name)? {
            Value::String(text) => Ok(text.clone()),
            other => Err(wrong(&self.place(name), "a string", other)),
        }
    }

    /// A string that may be left out.
    ///
    /// # Errors
    /// When it is something else.
    pub fn optional_string(&self, name: &str) -> Result<Option<String>, BodyError> {
        self.has(name).then(|| self.string(name)).transpose()
    }

    /// A required boolean.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn boolean(&self, name: &str) -> Result<bool, BodyError> {
        match self.required(name)? {
            Value::Bool(value) => Ok(*value),
            other => Err(wrong(&self.place(name), "true or false", other)),
        }
    }

    /// An error about one of the fields.
    pub fn refuse(&self, name: &str, complaint: &str) -> BodyError {
        BodyError(format!("{} {complaint}", self.place(name)))
    }
}

fn wrong(place: &str, expected: &str, found: &Value) -> BodyError {
    BodyError(format!("{place} must be {expected}, not {}", kind(found)))
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_error_names_the_path_to_the_wrong_value() {
        let body = fields(r#"{"settings":{"list":[{"port":1},{"port":70000}]}}"#);
        let list = body.object("settings").unwrap().objects("list").unwrap();
        assert_eq!(list[0].integer("port", 1, 65535), Ok(1));
        assert_eq!(
            list[1].integer("port", 1, 65535).unwrap_err().to_string(),
            "settings.list[1].port must be an integer from 1 to 65535, not 70000"
        );
    }

    #[test]
    fn neither_text_nor_a_fraction_nor_null_passes_for_an_integer() {
        let body = fields(r#"{"text":"7200","fraction":7200.0,"null":null,"minus":-1}"#);
        for name in ["text", "fraction", "null", "minus", "absent"] {
            assert!(body.integer(name, 0, 9000).is_err(), "{name}");
        }
    }

    #[test]
    fn an_array_is_no_object() {
        assert!(Fields::parse(b"[]").is_err());
        assert!(fields(r#"{"settings":[]}"#).object("settings").is_err());
    }

    #[test]
    fn what_may_be_left_out_may_not_be_null() {
        let body = fields(r#"{"text":null}"#);
        assert!(body.optional_string("text").is_err());
        assert_eq!(body.optional_string("other"), Ok(None));
    }
}
