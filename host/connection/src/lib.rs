//! A configured product: its file, its credentials, and the HTTP that leaves Cordon for it.
//!
//! This crate owns everything about a connection except WebAssembly. What it promises:
//!
//! - A request goes to the origins of the connection's base URLs and nowhere else.
//! - A secret is filled into its slot here, after the request has left the connector, and is
//!   replaced in whatever comes back before anyone sees it.
//! - A failed exchange says truthfully whether the product can have seen the request.
//!
//! The HTTP client is hyper's pooled one, not reqwest on top of it: only hyper tells whether a
//! request that ran out of time had been given a connection, and without that every time limit
//! would count as "the product may have acted".

pub mod address;
mod blob;
pub mod certificate;
mod connection;
mod credential;
mod exchange;
pub mod file;
mod limits;
mod messages;
mod reference;
mod references;
mod scrub;
mod secret;
mod settings;
mod tls;
pub mod trust;
mod vault;

pub use blob::{BlobError, Blobs, Draft};
pub use connection::{Connection, OpenError};
pub use credential::CredentialError;
pub use exchange::{
    AnswerPlace, Delivery, Encoding, Excerpt, Exchange, ExchangeOptions, Expiry, FailureKind,
    Header, HttpFailure, Joined, Method, Observer, Outcome, Part, PlainPart, QueryParameter,
    Request, Response, Seal, Sealed, SecretSource, Slot,
};
pub use file::{ConnectionFile, FileError};
pub use limits::Limits;
pub use messages::CODES;
pub use reference::Reference;
pub use scrub::Scrubber;
pub use secret::{Secret, Secrets};
pub use settings::SettingValue;
pub use vault::{Held, Keep, SealedValue, StateEntry, Vault, VaultError};
