//! What a connector's author would otherwise write again.
#[doc(hidden)]
pub mod bindings;
pub mod call;
mod connector;
mod error;
pub mod manifest;
mod platform;

pub use connector::{Connector, Function, Identity};
pub use cordon_sdk_macros::connector;
pub use error::{Error, ErrorKind, Result};
