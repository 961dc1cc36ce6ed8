//! What the connection keeps between calls: shared by all calls of all processes, durable, encrypted.
//!
//! A session or a token that a product hands out is renewed by one call while the others wait:
//!
//! ```
//! # use cordon_sdk::{Result, state};
//! # fn start_a_session() -> Result<()> { Ok(()) }
//! # fn example(failed_with: u64) -> Result<()> {
//! let _lock = state::acquire("session")?;
//! // Somebody else may have been first.
//! match state::sealed("session")? {
//!     Some(session) if session.version > failed_with => {}
//!     _ => start_a_session()?,
//! }
//! # Ok(())
//! # }
//! ```

use crate::bindings::cordon::connector::state::Failure;
use crate::error::{Error, ErrorKind, Result};
use crate::platform;

pub use crate::bindings::cordon::connector::state::{Entry, SealedSecret};

/// What is kept under this name.
///
/// # Errors
/// Where it cannot be read.
pub fn get(name: &str) -> Result<Option<Entry>> {
    platform::state_get(name).map_err(|failure| error(name, failure))
}

/// Keeps a value under this name, or none, if there is still what the caller saw: an entry of the
/// expected version, or nothing. Returns the version of what is kept now.
///
/// # Errors
/// `conflict` where somebody else has kept something meanwhile; else where it is too much or cannot
/// be written.
pub fn compare_and_set(
    name: &str,
    expected: Option<u64>,
    value: Option<&[u8]>,
) -> Result<Option<u64>> {
    platform::state_compare_and_set(name, expected, value).map_err(|failure| error(name, failure))
}

/// A lock that this call holds until this is dropped, or the call ends.
#[derive(Debug)]
#[must_use = "the lock is free again when this is dropped"]
pub struct Lock {
    name: String,
}

impl Drop for Lock {
    fn drop(&mut self) {
        platform::state_release(&self.name);
    }
}

/// Waits for the lock of this name, which one call of all processes holds at a time.
///
/// # Errors
/// `timeout` when the call's time is over before.
pub fn acquire(name: &str) -> Result<Lock> {
    platform::state_acquire(name).map_err(|failure| error(name, failure))?;
    Ok(Lock {
        name: name.to_owned(),
    })
}

/// The secret of an earlier answer that was sealed under this name, unless the operator has changed
/// the credential that it came from.
///
/// # Errors
/// Where it cannot be read.
pub fn sealed(name: &str) -> Result<Option<SealedSecret>> {
    platform::state_get_sealed(name).map_err(|failure| error(name, failure))
}

/// Since when, in milliseconds since 1970, a request is under way whose answer is sealed under this
/// name. Seen under the lock that all such requests hold it means that one was sent and its
/// answer never came.
///
/// # Errors
/// Where it cannot be read.
pub fn sealing_since(name: &str) -> Result<Option<i64>> {
    platform::state_sealing_since(name).map_err(|failure| error(name, failure))
}

/// Forgets the secret that was sealed under this name, and that a request for it was under way.
///
/// # Errors
/// Where that cannot be written.
pub fn forget(name: &str) -> Result<()> {
    platform::state_forget(name).map_err(|failure| error(name, failure))
}

fn error(name: &str, failure: Failure) -> Error {
    match failure {
        Failure::Changed(_) => {
            Error::conflict(format!("`{name}` was changed by another call meanwhile"))
        }
        Failure::Timeout => Error::new(
            ErrorKind::Timeout,
            format!("the call's time was over while another call held `{name}`"),
        ),
        Failure::Refused(reason) => Error::internal(reason),
        Failure::Unavailable(reason) => Error::new(ErrorKind::Unavailable, reason),
    }
}
