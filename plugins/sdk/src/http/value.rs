//! The value of a header or of a query parameter: text and places for secrets.

use crate::bindings::cordon::connector::http::{Encoding, Joined, Part, PlainPart};
use crate::secret::Slot;

/// Text, slots, or both one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Value(pub(crate) Vec<Part>);

impl Value {
    /// Followed by this.
    #[must_use]
    pub fn then(mut self, next: impl Into<Self>) -> Self {
        self.0.extend(next.into().0);
        self
    }

    /// `Bearer` and the secret.
    #[must_use]
    pub fn bearer(token: Slot) -> Self {
        Self::from("Bearer ").then(token)
    }

    /// `Basic` and the base64 of user, colon and password.
    #[must_use]
    pub fn basic(user: impl Into<Self>, password: Slot) -> Self {
        Self::from("Basic ").then(
            user.into()
                .then(":")
                .then(password)
                .joined(Encoding::Base64),
        )
    }

    /// The same parts, put together first and encoded as a whole. What was joined before stays
    /// text in the order given; its own encoding is replaced.
    #[must_use]
    pub fn joined(self, encoding: Encoding) -> Self {
        let parts = self
            .0
            .into_iter()
            .flat_map(|part| match part {
                Part::Text(text) => vec![PlainPart::Text(text)],
                Part::Bytes(bytes) => vec![PlainPart::Bytes(bytes)],
                Part::Secret(slot) => vec![PlainPart::Secret(slot)],
                Part::Joined(joined) => joined.parts,
            })
            .collect();
        Self(vec![Part::Joined(Joined { parts, encoding })])
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self(vec![Part::Text(text)])
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Slot> for Value {
    fn from(slot: Slot) -> Self {
        Self(vec![Part::Secret(slot.0)])
    }
}

macro_rules! from_display {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::from(value.to_string())
            }
        }
    )*};
}

from_display!(bool i32 i64 u16 u32 u64 usize);
