//! References to what must not travel: secrets and large bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a secret that the operator configured. Holding one gives nobody its value: only
/// the HTTP of the connection it is used with can look it up.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretReference(String);

impl SecretReference {
    /// A reference to the secret of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name, which is no secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret({:?})", self.0)
    }
}

impl fmt::Display for SecretReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret(\"{}\")", self.0)
    }
}

/// A reference to bytes that Cordon keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlobReference {
    /// What names the bytes; opaque.
    pub reference: String,
    /// How many bytes there are.
    pub length: u64,
}
