//! Bytes that are too many for a value: kept as files, named by their digest.
//!
//! ```text
//! FOLDER/<sha256>      a finished blob, never changed
//! FOLDER/drafts/…      what is being written; left there only by a process that was killed
//! ```
//!
//! A draft gets its name when it is finished, so a blob that can be read is whole. The digest is
//! checked by [`Blobs::check`], not by every read.

mod draft;
mod scrub;

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cordon_contract::BlobReference;
use ring::digest;

pub use draft::Draft;

/// The kind of reference, for a message about a foreign one.
const PREFIX: &str = "sha256:";

/// Drafts that were not touched for so long belong to a process that was killed.
const DRAFT_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The blobs of an automation directory.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

/// Why bytes cannot be kept or read. No message holds what they are.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum BlobError {
    #[error("`{reference}` is no blob that Cordon keeps; those of runs are dropped with them")]
    Unknown { reference: String },
    #[error("{} cannot be used: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error("the blob {digest} is damaged: its bytes are others than those that were kept")]
    Damaged { digest: String },
}

impl BlobError {
    /// The page that explains it: one of [`crate::CODES`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        "connection.blob"
    }
}

impl Blobs {
    /// The blobs of this folder, which is made with the first of them.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// A new one to be written.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub fn draft(&self) -> Result<Draft, BlobError> {
        let drafts = self.folder.join("drafts");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&drafts)
            .map_err(|error| of_file(&drafts, &error))?;
        Draft::new(&self.folder, &drafts)
    }

    /// At most so many bytes from this place on; fewer only at the end.
    ///
    /// # Errors
    /// Where there is no such blob, or it cannot be read.
    pub fn read(
        &self,
        blob: &BlobReference,
        offset: u64,
        length: u64,
    ) -> Result<Vec<u8>, BlobError> {
        let (path, mut file) = self.open(blob)?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.take(length).read_to_end(&mut bytes))
            .map_err(|error| of_file(&path, &error))?;
        Ok(bytes)
    }

    /// The file of a blob, for copying it as a whole.
    ///
    /// # Errors
    /// Where there is no such blob.
    pub fn path(&self, blob: &BlobReference) -> Result<PathBuf, BlobError> {
        self.open(blob).map(|(path, _)| path)
    }

    /// Reads a blob whole and compares it with its name.
    ///
    /// # Errors
    /// Where there is no such blob, it cannot be read, or it is damaged.
    pub fn check(&self, blob: &BlobReference) -> Result<(), BlobError> {
        let (path, mut file) = self.open(blob)?;
        let mut context = digest::Context::new(&digest::SHA256);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file
                .read(&mut buffer)
                .map_err(|error| of_file(&path, &error))?
            {
                0 => break,
                length => context.update(&buffer[..length]),
            }
        }
        let found = hex::encode(context.finish());
        if path.file_name().is_some_and(|name| name == found.as_str()) {
            Ok(())
        } else {
            Err(BlobError::Damaged {
                digest: blob.reference.clone(),
            })
        }
    }

    /// Removes blobs that are older than `age` and not `needed`, and drafts that nobody writes any
    /// more; says how many blobs went and how many bytes they had.
    ///
    /// # Errors
    /// Where the folder cannot be read or a file not removed.
    pub fn sweep(
        &self,
        age: Duration,
        mut needed: impl FnMut(&str) -> bool,
    ) -> Result<(u64, u64), BlobError> {
        let (mut count, mut bytes) = (0, 0);
        for (path, length) in old_files(&self.folder, age)? {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(name) = name.filter(|name| is_digest(name)) else {
                continue;
            };
            if !needed(&format!("{PREFIX}{name}")) {
                fs::remove_file(&path).map_err(|error| of_file(&path, &error))?;
                count += 1;
                bytes += length;
            }
        }
        for (path, _) in old_files(&self.folder.join("drafts"), DRAFT_KEPT)? {
            fs::remove_file(&path).map_err(|error| of_file(&path, &error))?;
        }
        Ok((count, bytes))
    }

    fn open(&self, blob: &BlobReference) -> Result<(PathBuf, File), BlobError> {
        let unknown = || BlobError::Unknown {
            reference: blob.reference.chars().take(80).collect(),
        };
        let digest = blob.reference.strip_prefix(PREFIX).ok_or_else(unknown)?;
        if !is_digest(digest) {
            return Err(unknown());
        }
        let path = self.folder.join(digest);
        match File::open(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
            Err(error) => Err(of_file(&path, &error)),
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn old_files(folder: &Path, age: Duration) -> Result<Vec<(PathBuf, u64)>, BlobError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(of_file(folder, &error)),
    };
    let now = SystemTime::now();
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| of_file(folder, &error))?.path();
        // Another process may have removed it meanwhile.
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        let since = metadata
            .modified()
            .ok()
            .and_then(|time| now.duration_since(time).ok());
        if metadata.is_file() && since.is_some_and(|since| since >= age) {
            files.push((path, metadata.len()));
        }
    }
    Ok(files)
}

pub(crate) fn of_file(path: &Path, error: &std::io::Error) -> BlobError {
    BlobError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
