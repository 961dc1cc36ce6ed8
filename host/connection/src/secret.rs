//! Values that must not be seen: wiped from memory when dropped, never printed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::credential::{self, CredentialError};
use crate::reference::Reference;

/// A secret. Neither `Debug` nor anything else shows its content.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// The secret that a reference names. A line break at the end of a file is not part of it.
    ///
    /// # Errors
    /// Where it is missing, unreadable, too short to be protected, or in a file open to everybody.
    pub fn read(
        reference: &Reference,
        automation_directory: &Path,
    ) -> Result<Self, CredentialError> {
        credential::secret(reference, automation_directory)
    }

    /// The bytes. They leave this crate inside a request to the connection's own origin only.
    pub(crate) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Secrets by name.
#[derive(Debug, Clone, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// No secrets.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds or replaces one.
    pub fn insert(&mut self, name: impl Into<String>, secret: Secret) {
        self.0.insert(name.into(), secret);
    }

    /// The secret of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// The names, which are no secrets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// True where there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
