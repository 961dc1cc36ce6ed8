//! Reads what a reference names, and refuses what would not stay a secret.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::reference::Reference;
use crate::secret::Secret;

/// Shorter secrets cannot be kept: replacing three characters wherever they occur would garble
/// every answer, and not replacing them would let an echo through.
pub(crate) const SECRET_BYTES_MIN: usize = 4;

/// More than any key, certificate bundle or token; less than what a mistaken path could name.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A credential or certificate that could not be read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum CredentialError {
    #[error(
        "the environment variable `{variable}` is not set; set it for the process that runs Cordon"
    )]
    NoVariable { variable: String },
    #[error("the environment variable `{variable}` is empty")]
    EmptyVariable { variable: String },
    #[error("there is no file {}", path.display())]
    NoFile { path: PathBuf },
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{} is empty", path.display())]
    EmptyFile { path: PathBuf },
    #[error("{} is larger than 1 MiB, which no credential is", path.display())]
    TooLarge { path: PathBuf },
    #[error(
        "{} can be read by every user of this machine; run `chmod 600 {}`",
        path.display(),
        path.display()
    )]
    Exposed { path: PathBuf },
    #[error(
        "it is shorter than {SECRET_BYTES_MIN} characters: too short to be found and replaced where it is echoed; \
         give the product a longer one"
    )]
    TooShort,
}

/// The secret that `reference` names. A line break at the end of a file is not part of it.
///
/// # Errors
/// Where it is missing, unreadable, too short to be protected, or in a file open to everybody.
pub(crate) fn secret(
    reference: &Reference,
    automation_directory: &Path,
) -> Result<Secret, CredentialError> {
    let bytes = private(reference, automation_directory)?;
    let length = bytes
        .iter()
        .rposition(|byte| !matches!(byte, b'\r' | b'\n'))
        .map_or(0, |last| last + 1);
    if length < SECRET_BYTES_MIN {
        return Err(CredentialError::TooShort);
    }
    Ok(Secret::new(bytes[..length].to_vec()))
}

/// The bytes behind a reference that nobody else may read: a secret or a private key.
pub(crate) fn private(
    reference: &Reference,
    automation_directory: &Path,
) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    if let Some(path) = reference.path(automation_directory) {
        refuse_exposed(&path)?;
    }
    public(reference, automation_directory)
}

/// The bytes behind a reference that everybody may read: a certificate.
pub(crate) fn public(
    reference: &Reference,
    automation_directory: &Path,
) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    match reference {
        Reference::Environment(variable) => environment(variable),
        Reference::File(path) => file(&automation_directory.join(path)),
    }
}

fn environment(variable: &str) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    use std::os::unix::ffi::OsStringExt as _;

    let value = std::env::var_os(variable).ok_or_else(|| CredentialError::NoVariable {
        variable: variable.to_owned(),
    })?;
    let bytes = Zeroizing::new(value.into_vec());
    if bytes.is_empty() {
        return Err(CredentialError::EmptyVariable {
            variable: variable.to_owned(),
        });
    }
    Ok(bytes)
}

fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    let file = std::fs::File::open(path).map_err(|error| of_io(path, &error))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| of_io(path, &error))?;
    match bytes.len() as u64 {
        0 => Err(CredentialError::EmptyFile {
            path: path.to_owned(),
        }),
        1..=FILE_BYTES_MAX => Ok(bytes),
        _ => Err(CredentialError::TooLarge {
            path: path.to_owned(),
        }),
    }
}

/// Only "others" count: containers hand secrets to a group, and that is a choice of the operator.
fn refuse_exposed(path: &Path) -> Result<(), CredentialError> {
    use std::os::unix::fs::PermissionsExt as _;

    const OTHERS: u32 = 0o007;

    let metadata = std::fs::metadata(path).map_err(|error| of_io(path, &error))?;
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(CredentialError::Exposed {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn of_io(path: &Path, error: &std::io::Error) -> CredentialError {
    if error.kind() == std::io::ErrorKind::NotFound {
        CredentialError::NoFile {
            path: path.to_owned(),
        }
    } else {
        CredentialError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file_with(content: &[u8], mode: u32) -> (tempfile::TempDir, Reference) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (directory, Reference::File("token".into()))
    }

    #[test]
    fn a_secret_file_is_read_without_the_line_break_at_its_end() {
        for content in ["s3cret", "s3cret\n", "s3cret\r\n", "s3cret\n\n"] {
            let (directory, reference) = file_with(content.as_bytes(), 0o600);
            assert_eq!(
                secret(&reference, directory.path()).unwrap().reveal(),
                b"s3cret",
                "{content:?}"
            );
        }
    }

    #[test]
    fn a_secret_file_open_to_everybody_is_refused_with_the_command_that_closes_it() {
        let (directory, reference) = file_with(b"s3cret", 0o644);
        let error = secret(&reference, directory.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        let (directory, reference) = file_with(b"s3cret", 0o640);
        assert!(secret(&reference, directory.path()).is_ok());
    }

    #[test]
    fn what_is_missing_or_empty_or_too_short_is_told_apart() {
        let (directory, _) = file_with(b"", 0o600);
        let at = directory.path();
        let read = |text: &str| secret(&Reference::parse(text).unwrap(), at).unwrap_err();
        assert!(matches!(
            read("file:absent"),
            CredentialError::NoFile { .. }
        ));
        assert!(matches!(
            read("file:token"),
            CredentialError::EmptyFile { .. }
        ));
        assert!(matches!(
            read("env:CORDON_TEST_NOT_SET"),
            CredentialError::NoVariable { .. }
        ));
        let (directory, reference) = file_with(b"abc\n", 0o600);
        assert!(matches!(
            secret(&reference, directory.path()),
            Err(CredentialError::TooShort)
        ));
    }
}
