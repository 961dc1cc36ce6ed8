//! Places for secrets in requests. The secrets themselves never enter a connector.

use crate::bindings::cordon::connector::http;

pub use crate::bindings::cordon::connector::types::Secret;
pub use http::Encoding;

/// A place in a request that Cordon fills with a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot(pub(crate) http::Slot);

/// The credential of the connection that the manifest gives this name.
#[must_use]
pub fn credential(name: &str) -> Slot {
    Slot(http::Slot {
        source: http::SecretSource::Credential(name.to_owned()),
        encoding: Encoding::None,
    })
}

/// A secret that the playbook passed as an argument.
#[must_use]
pub fn argument(secret: Secret) -> Slot {
    Slot(http::Slot {
        source: http::SecretSource::Argument(secret),
        encoding: Encoding::None,
    })
}

/// The newest secret that was sealed under this name: see [`crate::state`].
#[must_use]
pub fn sealed(name: &str) -> Slot {
    Slot(http::Slot {
        source: http::SecretSource::Sealed(name.to_owned()),
        encoding: Encoding::None,
    })
}

impl Slot {
    /// Written in this encoding.
    #[must_use]
    pub fn encoded(mut self, encoding: Encoding) -> Self {
        self.0.encoding = encoding;
        self
    }
}
