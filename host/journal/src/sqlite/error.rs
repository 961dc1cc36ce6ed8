//! What SQLite says, as what this crate's callers can act on.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// The file that an error is about.
#[derive(Debug, Clone)]
pub(super) struct Place(pub(super) PathBuf);

impl Place {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn text(&self) -> String {
        self.0.display().to_string()
    }

    /// The write-ahead log beside it.
    pub(super) fn log(&self) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push("-wal");
        name.into()
    }

    /// The folder that it is in.
    pub(super) fn folder(&self) -> &Path {
        match self.0.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    pub(super) fn error(&self, error: rusqlite::Error) -> StoreError {
        let path = self.text();
        let problem = error.to_string();
        let Some(code) = error.sqlite_error_code() else {
            return match error {
                rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_) => {
                    StoreError::NoStore { path, problem }
                }
                // A column of another type than the schema says, or a row where there is always one.
                _ => StoreError::Damaged { path, problem },
            };
        };
        match code {
            ErrorCode::DiskFull => StoreError::Full { path },
            ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied => StoreError::ReadOnly { path, problem },
            ErrorCode::DatabaseCorrupt => StoreError::Damaged { path, problem },
            ErrorCode::NotADatabase => StoreError::NoStore { path, problem },
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => StoreError::Busy { path },
            ErrorCode::ConstraintViolation => StoreError::Failed { cause: problem },
            // The tables that every file of this format has are not there, or are others.
            ErrorCode::Unknown => StoreError::Damaged { path, problem },
            _ => StoreError::Disk { path, problem },
        }
    }

    /// What the system says about a file or folder.
    pub(super) fn system(&self, error: &std::io::Error) -> StoreError {
        system(&self.0, error)
    }
}

/// What the system says about a file or folder.
pub(super) fn system(path: &Path, error: &std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    let path = path.display().to_string();
    let problem = error.to_string();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { path },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { path, problem }
        }
        _ => StoreError::Disk { path, problem },
    }
}
