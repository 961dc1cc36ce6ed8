//! A lab in a folder: what `cordon-lab up DIR` leaves on disk for programs and people.
//!
//! ```text
//! DIR/lab.json      where everything is; there only while the lab runs
//! DIR/lab.lock      held by the running lab
//! DIR/server/       the servers' certificate and key, kept so that a restart presents the same
//! DIR/copied.json   digests of what was copied, to tell it from what people changed since
//! DIR/automation/   a ready automation directory for Cordon
//! ```
//!
//! A restart in the same folder keeps certificates, keys and whatever people changed; ports are new
//! and the simulated products begin anew.

mod automation;
mod connection;
mod files;
mod summary;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::Lab;
use crate::frame::{CertificateError, ClientCertificate, ServerCertificate, ServerForm};

pub use automation::Sources;
pub use summary::{ProductSummary, Summary};

use files::{read_if_there, write_private, write_public};

/// Where everything is, for programs.
const SUMMARY: &str = "lab.json";
const LOCK: &str = "lab.lock";
const AUTOMATION: &str = "automation";
const SERVER_CERTIFICATE: &str = "server/server.pem";
const SERVER_KEY: &str = "server/server.key";

/// What can be wrong with a lab's folder.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is something else of that name.
    #[error("`{0}` is not a folder")]
    NoFolder(PathBuf),
    /// Another lab works there.
    #[error("a lab is running in `{0}` already; stop it, or take another folder")]
    Running(PathBuf),
    /// No lab works there.
    #[error("no lab is running in `{0}`; start one with `cordon-lab up {0}`")]
    NotRunning(PathBuf),
    /// The folder holds an automation directory that no lab made.
    #[error(
        "`{0}` was not made by a lab and would be changed by it; take an empty folder for the lab"
    )]
    Foreign(PathBuf),
    /// There is nothing to copy where something was promised.
    #[error("`{folder}` holds no `.{extension}` file to copy")]
    NothingToCopy {
        /// The folder given.
        folder: PathBuf,
        /// What was looked for.
        extension: &'static str,
    },
    /// The connection file is there and cannot be brought up to date.
    #[error("`{file}` cannot be read: {reason}; mend it, or delete it to get a new one")]
    ConnectionFile {
        /// The file.
        file: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// A file of the lab's own is broken.
    #[error("`{file}` is broken: {reason}; delete it to get a new one")]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system refuses.
    #[error("cannot {action} `{path}`: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A folder that this process alone works in, until it is dropped.
#[derive(Debug)]
pub struct LabDirectory {
    root: PathBuf,
    _lock: File,
}

impl LabDirectory {
    /// Takes a folder, making it when it is not there.
    ///
    /// # Errors
    /// When it cannot be used or another lab has it.
    pub fn open(folder: &Path) -> Result<Self, DirectoryError> {
        if folder.exists() && !folder.is_dir() {
            return Err(DirectoryError::NoFolder(folder.to_owned()));
        }
        files::make_folder(folder)?;
        let file_error = |action, path: &Path| {
            let path = path.to_owned();
            move |source| DirectoryError::File {
                action,
                path,
                source,
            }
        };
        let root = folder.canonicalize().map_err(file_error("find", folder))?;
        let automation = root.join(AUTOMATION);
        let lock_path = root.join(LOCK);
        if automation.exists() && !lock_path.exists() {
            return Err(DirectoryError::Foreign(automation));
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(file_error("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::Running(root)),
            Err(TryLockError::Error(error)) => return Err(file_error("lock", &lock_path)(error)),
        }
        let directory = Self { root, _lock: lock };
        // Left by a lab that was killed; nobody shall take it for the new one's.
        directory.remove_summary();
        Ok(directory)
    }

    /// The automation directory in it.
    pub fn automation(&self) -> PathBuf {
        self.root.join(AUTOMATION)
    }

    /// The servers' certificate: the one of the last time, unless a form is asked for.
    ///
    /// # Errors
    /// When it cannot be made, kept or read.
    pub fn server_certificate(
        &self,
        form: Option<ServerForm>,
    ) -> Result<ServerCertificate, DirectoryError> {
        let (certificate, key) = (
            self.root.join(SERVER_CERTIFICATE),
            self.root.join(SERVER_KEY),
        );
        if form.is_none()
            && let Some((pem, key_pem)) = read_pair(&certificate, &key)?
        {
            let read = ServerCertificate::from_pem(&pem, &key_pem);
            return read.map_err(|error| broken(&certificate, &error));
        }
        let made = ServerCertificate::make(form.unwrap_or_default())?;
        write_public(&certificate, made.pem())?;
        write_private(&key, made.key_pem())?;
        Ok(made)
    }

    /// The certificate of callers of one product: the one of the last time, else a new one.
    ///
    /// # Errors
    /// When it cannot be made, kept or read.
    pub fn client_certificate(&self, product: &str) -> Result<ClientCertificate, DirectoryError> {
        let credentials = connection::Credentials::of(&self.automation(), product);
        if let Some((pem, key_pem)) = read_pair(&credentials.certificate, &credentials.key)? {
            let read = ClientCertificate::from_pem(&pem, &key_pem);
            return read.map_err(|error| broken(&credentials.certificate, &error));
        }
        let made = ClientCertificate::make(&format!("Cordon lab caller of {product}"))?;
        write_public(&credentials.certificate, made.pem())?;
        write_private(&credentials.key, made.key_pem())?;
        Ok(made)
    }

    /// A secret in `automation/credentials`: the one of the last time, else what `make` makes. For
    /// products that shall take the same password or token after a restart.
    ///
    /// # Errors
    /// When it cannot be kept or read.
    pub fn secret(
        &self,
        file: &str,
        make: impl FnOnce() -> String,
    ) -> Result<String, DirectoryError> {
        let path = connection::secret(&self.automation(), file);
        if let Some(text) = read_if_there(&path)? {
            return Ok(text);
        }
        let made = make();
        write_private(&path, &made)?;
        Ok(made)
    }

    /// Writes the automation directory and, last of all, `lab.json`; returns the latter's path.
    ///
    /// # Errors
    /// When a file cannot be written or copied.
    pub fn write(&self, lab: &Lab, sources: &Sources) -> Result<PathBuf, DirectoryError> {
        automation::write(&self.automation(), lab, sources)?;
        let summary = Summary::of(lab, &self.automation());
        let path = self.root.join(SUMMARY);
        summary.write(&path)?;
        Ok(path)
    }

    fn remove_summary(&self) {
        let _ = std::fs::remove_file(self.root.join(SUMMARY));
    }
}

impl Drop for LabDirectory {
    fn drop(&mut self) {
        self.remove_summary();
    }
}

/// Where the lab that runs in a folder says it is to be found.
///
/// # Errors
/// When none runs there.
pub fn find(folder: &Path) -> Result<Summary, DirectoryError> {
    let path = folder.join(SUMMARY);
    let text = read_if_there(&path)?;
    let text = text.ok_or_else(|| DirectoryError::NotRunning(folder.to_owned()))?;
    Summary::parse(&text).map_err(|error| broken(&path, &error))
}

fn read_pair(certificate: &Path, key: &Path) -> Result<Option<(String, String)>, DirectoryError> {
    Ok(read_if_there(certificate)?.zip(read_if_there(key)?))
}

fn broken(file: &Path, reason: &impl ToString) -> DirectoryError {
    DirectoryError::Broken {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}
