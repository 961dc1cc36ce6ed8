//! HTTP to the product of this connection, and to nothing else.
//!
//! ```no_run
//! # use cordon_sdk::{Result, http, secret::credential};
//! # #[derive(serde::Deserialize)] struct User { name: String }
//! # fn user(id: &str) -> Result<User> {
//! http::get(["users", id])
//!     .query("fields", "name")
//!     .bearer(credential("api_token"))
//!     .send()?
//!     .success()?
//!     .json()
//! # }
//! ```
//!
//! Scheme, host, TLS and client certificate belong to the connection. Secrets go into slots, which
//! Cordon fills after the request has left the connector. What may be repeated is repeated with
//! growing pauses: see [`Request::send`].

mod excerpt;
mod failure;
mod json;
mod path;
mod request;
mod response;
mod retry;
mod value;

pub use json::Json;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use request::word;
pub use request::{Request, delete, get, head, patch, post, put};
pub use response::Response;
pub use value::Value;

pub use crate::bindings::cordon::connector::http::{
    Delivery, Encoding, Expiry, FailureKind, Method,
};
