//! Why something could not be kept or read back.

use std::path::PathBuf;

/// A vault that cannot be used. No message holds a value.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum VaultError {
    #[error("{} cannot be used: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error(
        "{} is gone, and what connections kept cannot be read without it; put it back from a backup, or remove \
         `state.db` beside it: connections then begin with their configured credentials",
        path.display()
    )]
    KeyLost { path: PathBuf },
    #[error(
        "{} can be read by other users of this machine; run `chmod 600 {}` and renew the credentials of connections \
         that keep tokens",
        path.display(),
        path.display()
    )]
    KeyExposed { path: PathBuf },
    #[error("{} is damaged: a key has 32 bytes", path.display())]
    KeyDamaged { path: PathBuf },
    #[error(
        "what the connection `{connection}` kept as `{name}` is damaged or was kept under another key; give the \
         connection a new credential"
    )]
    Damaged { connection: String, name: String },
    #[error("`{name}` cannot be kept: {reason}")]
    Refused { name: String, reason: String },
    #[error("the connection has no place to keep anything")]
    NoPlace,
}

impl VaultError {
    /// The page that explains it: one of [`crate::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        "connection.state"
    }
}
