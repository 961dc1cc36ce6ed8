//! Reading and writing the lab's files, with errors that name the file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::DirectoryError;

/// Readable by the owner alone.
#[cfg(unix)]
const PRIVATE: u32 = 0o600;
#[cfg(unix)]
const PUBLIC: u32 = 0o644;

pub(super) fn make_folder(path: &Path) -> Result<(), DirectoryError> {
    fs::create_dir_all(path).map_err(error("make", path))
}

pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, DirectoryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(other) => Err(error("read", path)(other)),
    }
}

pub(super) fn write_public(path: &Path, text: &str) -> Result<(), DirectoryError> {
    write(path, text.as_bytes(), false)
}

pub(super) fn write_private(path: &Path, text: &str) -> Result<(), DirectoryError> {
    write(path, text.as_bytes(), true)
}

/// Writes beside the file and renames, so that no reader sees half of it and a key is never
/// readable by others, not even for a moment.
pub(super) fn write(path: &Path, bytes: &[u8], private: bool) -> Result<(), DirectoryError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // One that was left behind may have another mode.
    let _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if private { PRIVATE } else { PUBLIC });
    }
    #[cfg(not(unix))]
    let _ = private;
    options
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(error("write", path))
}

pub(super) fn error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |source| DirectoryError::File {
        action,
        path,
        source,
    }
}
