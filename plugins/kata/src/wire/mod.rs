//! KATA's JSON, as it is and not as it is documented where the two differ.
//!
//! Unknown fields are ignored. A field whose documented type does not come is as if it were missing,
//! unless an action cannot do without it: one odd field of one host shall not hide all the others.

pub mod isolation;
pub mod prevention;
pub mod sensors;
pub mod tasks;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// For serde: the value if it has the type, else none.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Value::deserialize(deserializer).map(|value| serde_json::from_value(value).ok())
}
