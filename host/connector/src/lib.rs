//! Connectors: components that are loaded, reflected, and called in a sandbox.
//!
//! [`Runtime`] loads a file and gives a [`Connector`] or the one reason why not. A connector knows
//! its actions by reflection of its WIT ([`Connector::model`]) and performs [`Call`]s, each in a
//! store and an instance of its own: nothing of one call is left for the next, and a guest that
//! traps, hangs, hoards or floods ends its own call only.
//!
//! Where to look:
//!
//! - `load` – from bytes to a checked connector;
//! - `values` – between Cordon's values and the component's;
//! - `sandbox` – all that a guest can touch, one module for each thing;
//! - [`limits`] – all limits, in one table;
//! - `connector`, `answer`, `outcome`, `scrub` – one call, and what came of it.
//!
//! This crate does not open connections: what leaves for a product goes through
//! [`cordon_connection::Connection`], which owns credentials and TLS.

mod answer;
mod bindings;
mod connector;
mod engine;
pub mod limits;
mod load;
mod messages;
mod outcome;
mod runtime;
mod sandbox;
mod scrub;
mod values;

pub use connector::{Call, Connector, Extras};
pub use engine::EngineError;
pub use limits::Limits;
pub use load::LoadError;
pub use messages::CODES;
pub use runtime::{FolderEntry, Runtime, RuntimeOptions};
