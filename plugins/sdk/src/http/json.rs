//! A JSON body with places for secrets.

use crate::bindings::cordon::connector::http::{Encoding, Part};
use crate::secret::Slot;

/// JSON in which a text may be a secret. Made from `serde_json::Value`, text or a slot, and put
/// together by [`Json::object`] and [`Json::array`].
///
/// ```
/// # use cordon_sdk::{http::Json, secret::credential};
/// let login = Json::object([
///     ("user", "cordon".into()),
///     ("password", credential("password").into()),
///     ("options", serde_json::json!({ "remember": false }).into()),
/// ]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// JSON without secrets.
    Plain(serde_json::Value),
    /// A text that is a secret.
    Secret(Slot),
    /// An object.
    Object(Vec<(String, Json)>),
    /// An array.
    Array(Vec<Json>),
}

impl Json {
    /// An object of these fields.
    #[must_use]
    pub fn object<N: Into<String>>(fields: impl IntoIterator<Item = (N, Self)>) -> Self {
        Self::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// An array of these values.
    #[must_use]
    pub fn array(values: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(values.into_iter().collect())
    }

    pub(super) fn into_parts(self) -> Vec<Part> {
        let mut writer = Writer::default();
        writer.write(self);
        writer.finish()
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::Plain(value)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Plain(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Plain(text.into())
    }
}

impl From<Slot> for Json {
    fn from(slot: Slot) -> Self {
        Self::Secret(slot)
    }
}

#[derive(Default)]
struct Writer {
    parts: Vec<Part>,
    text: String,
}

impl Writer {
    fn write(&mut self, json: Json) {
        match json {
            Json::Plain(value) => self.text.push_str(&value.to_string()),
            Json::Secret(slot) => {
                self.text.push('"');
                self.parts.push(Part::Text(std::mem::take(&mut self.text)));
                self.parts
                    .push(Part::Secret(slot.encoded(Encoding::JsonString).0));
                self.text.push('"');
            }
            Json::Object(fields) => {
                self.text.push('{');
                for (index, (name, value)) in fields.into_iter().enumerate() {
                    if index > 0 {
                        self.text.push(',');
                    }
                    self.text
                        .push_str(&serde_json::Value::String(name).to_string());
                    self.text.push(':');
                    self.write(value);
                }
                self.text.push('}');
            }
            Json::Array(values) => {
                self.text.push('[');
                for (index, value) in values.into_iter().enumerate() {
                    if index > 0 {
                        self.text.push(',');
                    }
                    self.write(value);
                }
                self.text.push(']');
            }
        }
    }

    fn finish(mut self) -> Vec<Part> {
        if !self.text.is_empty() {
            self.parts.push(Part::Text(self.text));
        }
        self.parts
    }
}
