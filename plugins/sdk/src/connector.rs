//! What a connector says about itself, with a default for everything.

use crate::bindings::exports::cordon::connector::lifecycle;
use crate::error::{Error, Result};
use crate::manifest::Manifest;

/// A connector beside its actions. Every method has a default.
pub trait Connector: Identity {
    /// What the connector is, what it needs to be configured, and what its actions do. By default
    /// only what its package says; every action then counts as destructive.
    #[must_use]
    fn manifest() -> Manifest {
        Manifest::of::<Self>()
    }

    /// One cheap authenticated read that says whether the connection works: a line for people such
    /// as the product's name and version, or what is wrong and who can mend it.
    ///
    /// # Errors
    /// Whatever stands between this connection and a first success.
    fn test_connection() -> Result<String> {
        Err(Error::unsupported(format!(
            "the connector `{}` has no test of its connection",
            Self::NAME
        )))
    }
}

/// What `connector!` finds out about a connector by itself.
pub trait Identity: Sized {
    /// The name of the WIT package without its namespace.
    const NAME: &'static str;
    /// The version of the crate.
    const VERSION: &'static str;
    /// The description of the crate.
    const DESCRIPTION: &'static str;
    /// All functions of all interfaces of actions.
    const FUNCTIONS: &'static [Function];
}

/// A function that a connector exports.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name of the action, as the manifest and playbooks know it.
    pub action: &'static str,
    /// The interface without its package.
    pub interface: &'static str,
    /// The names of the parameters.
    pub parameters: &'static [&'static str],
}

impl<C: Connector> lifecycle::Guest for C {
    fn describe() -> lifecycle::Manifest {
        C::manifest().into_contract()
    }

    fn test_connection() -> Result<lifecycle::Health> {
        <C as Connector>::test_connection().map(|summary| lifecycle::Health { summary })
    }
}
