//! One HTTP exchange with the product: slots filled, limits kept, secrets replaced in the answer,
//! and a failure that says truthfully what the product can have seen.

use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secrets;
use crate::vault::Held;

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod dial;
pub(crate) mod download;
pub(crate) mod encode;
mod failure;
pub(crate) mod fill;
mod request;
mod seal;
mod send;
mod trace;

pub(crate) use client::Client;
pub use failure::{Delivery, FailureKind, HttpFailure};
pub use request::{
    AnswerPlace, Encoding, Expiry, Header, Joined, Method, Part, PlainPart, QueryParameter,
    Request, Response, Seal, Sealed, SecretSource, Slot,
};
pub use trace::{Excerpt, Exchange, Observer, Outcome};

/// What a caller adds to a request: the limits of the call that it belongs to.
#[derive(Clone, Default)]
pub struct ExchangeOptions {
    /// What is left of the call's time.
    pub timeout: Option<Duration>,
    /// What is left of the bytes that the call may receive.
    pub answer_limit: Option<u64>,
    /// The secrets that were passed as arguments of the call, by the name of their reference.
    pub arguments: Secrets,
    /// Who watches.
    pub observer: Option<Arc<dyn Observer>>,
    /// Locks that the call holds. A request whose answer holds secrets goes on when its call was
    /// ended, and nobody else may send another meanwhile.
    pub locks: Vec<Arc<Held>>,
}
