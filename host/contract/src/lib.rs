//! What all of Cordon shares: values, types, the model of actions and effects, failures, names and
//! units. No wasmtime, no Rhai, no I/O: everything here is a value or a pure function over values.

pub mod codes;
pub mod conform;
pub mod failure;
pub mod manifest;
pub mod model;
pub mod name;
pub mod secret;
pub mod step;
pub mod types;
pub mod units;
pub mod value;

pub use conform::{ValueError, conform};
pub use failure::{Delivery, ErrorKind, Failure};
pub use manifest::{Effect, Manifest, Repeat};
pub use model::{Action, ConnectorModel, Parameter};
pub use secret::{BlobReference, SecretReference};
pub use step::{Afterwards, StepKey};
pub use types::Type;
pub use value::Value;
