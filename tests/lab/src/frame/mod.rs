//! What every simulator of the lab is made of, whatever product it plays.
//!
//! A product brings one type that implements [`Product`]: a synchronous, pure-looking function from
//! request to reply over its own state. Everything around it is here and the same for all: the
//! virtual [`Clock`], the TLS listener with its certificates, injected [`Faults`], the
//! [`RequestLog`] and the control surface.
//!
//! ```text
//!   https://127.0.0.1:A ──TLS──▶ faults ──▶ Product::answer ──▶ request log
//!   http://127.0.0.1:B  ───────▶ control: overview, clock, faults, requests ──▶ Product::control
//! ```
//!
//! The frame knows no path, no field and no error text of any product; a product knows no socket.

mod body;
mod certificate;
mod clock;
mod compression;
mod connection;
mod content;
mod control;
mod exchange;
mod faults;
mod overview;
mod requests;
mod server;
mod simulator;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
pub(crate) mod toy;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use body::{BodyError, Fields};
pub use certificate::{CertificateError, ClientCertificate, ServerCertificate, ServerForm};
pub(crate) use clock::later;
pub use clock::{Clock, Speed, parse_duration};
pub use connection::{Connection, Secret};
pub(crate) use control::ControlSurface;
pub use control::{ControlCall, ControlError};
pub use exchange::{Caller, Reply, Request};
pub use faults::{ErrorBody, Fault, FaultRule, Faults};
pub use overview::Section;
pub use requests::{Record, RequestLog};
pub(crate) use server::serve;
pub use simulator::{FINGERPRINT_HEADER, Product, REQUEST_BYTES_MAX, Simulator};
pub(crate) use tls::Transport;

/// Locks whatever a thread that panicked may have left behind: a simulator's state is made of
/// plain values that are replaced last, so it is never half-changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
