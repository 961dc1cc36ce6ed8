//! What a connector's author would otherwise write again.
//!
//! A connector is a struct, its WIT and one macro: [`connector!`] makes the component, and a trait
//! to implement for each interface of actions. Beside it this crate has
//!
//! - [`http`]: typed JSON over the contract's HTTP, with slots for secrets, tries with growing
//!   pauses, and refusals turned into errors with the product's own words;
//! - [`manifest`]: what the connector says about itself and its actions;
//! - [`settings`], [`call`], [`log`], [`secret`]: what Cordon gives to a connector;
//! - [`state`]: what the connection keeps between calls, and secrets that came in answers;
//! - [`blob`]: bytes that are too many for a value;
//! - [`timestamp`], [`paging`]: forms that products share;
//! - [`harness`]: the connector's actions as ordinary functions, against a scripted product.
//!
//! `plugins/README.md` goes from an empty folder to a tested connector.

#[doc(hidden)]
pub mod bindings;
pub mod blob;
pub mod call;
mod connector;
mod error;
#[cfg(not(target_arch = "wasm32"))]
pub mod harness;
pub mod http;
pub mod log;
pub mod manifest;
pub mod paging;
mod platform;
pub mod secret;
pub mod settings;
pub mod state;
pub mod timestamp;

pub use connector::{Connector, Function, Identity};
pub use cordon_sdk_macros::connector;
pub use error::{Error, ErrorKind, Result};
