//! A blob that is being written.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cordon_contract::BlobReference;
use ring::digest;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::scrub::StreamScrubber;
use super::{BlobError, PREFIX, of_file};
use crate::scrub::Scrubber;

/// Dropped before it is finished, it leaves nothing behind.
pub struct Draft {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    digest: digest::Context,
    /// Bytes that came, before secrets were replaced: where the rest of a download begins.
    received: u64,
    written: u64,
    scrubber: StreamScrubber,
}

impl Draft {
    pub(super) fn new(folder: &Path, drafts: &Path) -> Result<Self, BlobError> {
        let mut name = [0; 16];
        SystemRandom::new()
            .fill(&mut name)
            .map_err(|_| BlobError::File {
                path: drafts.to_owned(),
                reason: "the system gives no random numbers".to_owned(),
            })?;
        let path = drafts.join(hex::encode(name));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| of_file(&path, &error))?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            file,
            digest: digest::Context::new(&digest::SHA256),
            received: 0,
            written: 0,
            scrubber: StreamScrubber::default(),
        })
    }

    /// How many bytes came so far, before secrets were replaced in them.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Adds bytes, with these secrets replaced, also those that began in what came before.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn append(&mut self, bytes: &[u8], scrubber: &Scrubber) -> Result<(), BlobError> {
        self.received += bytes.len() as u64;
        let clean = self.scrubber.next(bytes, scrubber);
        self.write(&clean)
    }

    /// Begins anew with nothing.
    ///
    /// # Errors
    /// Where the file cannot be emptied.
    pub fn restart(&mut self) -> Result<(), BlobError> {
        use std::io::Seek as _;

        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|error| of_file(&self.path, &error))?;
        self.digest = digest::Context::new(&digest::SHA256);
        self.received = 0;
        self.written = 0;
        self.scrubber = StreamScrubber::default();
        Ok(())
    }

    /// Gives it its name; it is on the disk when this returns.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self, scrubber: &Scrubber) -> Result<BlobReference, BlobError> {
        let rest = self.scrubber.end(scrubber);
        self.write(&rest)?;
        let digest = hex::encode(self.digest.clone().finish());
        let named = self.folder.join(&digest);
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &named))
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(|error| of_file(&named, &error))?;
        Ok(BlobReference {
            reference: format!("{PREFIX}{digest}"),
            length: self.written,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.file
            .write_all(bytes)
            .map_err(|error| of_file(&self.path, &error))?;
        self.digest.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Not there any more when it was finished.
        let _ = fs::remove_file(&self.path);
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({} bytes received)", self.received)
    }
}
