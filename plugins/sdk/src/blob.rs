//! Bytes that are too many for a value: Cordon keeps them as files, and an action returns a
//! reference.
//!
//! ```no_run
//! # use cordon_sdk::{Result, blob, http};
//! # fn report(id: &str) -> Result<blob::Blob> {
//! let mut draft = blob::begin()?;
//! http::get(["reports", id]).download(&mut draft)?.success()?;
//! draft.finish()
//! # }
//! ```

use crate::bindings::cordon::connector::blobs::Failure;
use crate::error::{Error, ErrorKind, Result};
use crate::platform;

pub use crate::bindings::cordon::connector::types::Blob;

/// The largest piece that [`read`] gives at once, in bytes.
pub const PIECE_BYTES_MAX: u64 = 1 << 20;

/// A blob that this call is writing. One that is not finished is gone when the call ends.
#[derive(Debug)]
#[must_use = "a draft that is not finished is gone when the call ends"]
pub struct Draft(pub(crate) u32);

/// Begins a blob.
///
/// # Errors
/// Where it cannot be written.
pub fn begin() -> Result<Draft> {
    platform::blob_begin().map(Draft).map_err(error)
}

impl Draft {
    /// Adds bytes, of any length.
    ///
    /// # Errors
    /// Where they cannot be written, or are more than the call may move.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let piece = usize::try_from(PIECE_BYTES_MAX).unwrap_or(usize::MAX);
        bytes
            .chunks(piece)
            .try_for_each(|piece| platform::blob_append(self.0, piece))
            .map_err(error)
    }

    /// How many bytes came so far.
    ///
    /// # Errors
    /// Where the draft is none of this call.
    pub fn received(&self) -> Result<u64> {
        platform::blob_received(self.0).map_err(error)
    }

    /// Keeps it; it is on the disk when this returns.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> Result<Blob> {
        platform::blob_finish(self.0).map_err(error)
    }
}

/// At most so many bytes, and at most [`PIECE_BYTES_MAX`], from this place on; fewer at the end.
///
/// # Errors
/// `not-found` where Cordon keeps no such blob; else where it cannot be read.
pub fn read(blob: &Blob, offset: u64, length: u64) -> Result<Vec<u8>> {
    platform::blob_read(blob, offset, length).map_err(error)
}

fn error(failure: Failure) -> Error {
    match failure {
        Failure::Unknown(message) => Error::not_found(message),
        Failure::Refused(message) => Error::internal(message),
        Failure::Unavailable(message) => Error::new(ErrorKind::Unavailable, message),
    }
}
