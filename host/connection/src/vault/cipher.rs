//! The key of a vault, and what is encrypted with it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::database::sync_folder;
use super::error::VaultError;

const KEY_BYTES: usize = 32;

/// Encrypts, and makes marks that tell whether two secrets are the same without telling them.
pub(super) struct Cipher {
    key: LessSafeKey,
    marks: hmac::Key,
    random: SystemRandom,
}

impl Cipher {
    /// The key of this file; a new one where there is none, if nothing was kept under an old one.
    pub(super) fn read_or_make(path: &Path, may_make: bool) -> Result<Self, VaultError> {
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => make(path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(VaultError::KeyLost {
                    path: path.to_owned(),
                });
            }
            Err(error) => return Err(of_file(path, &error)),
        }
        let metadata = fs::metadata(path).map_err(|error| of_file(path, &error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(VaultError::KeyExposed {
                path: path.to_owned(),
            });
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(|error| of_file(path, &error))?);
        Self::new(&bytes).ok_or_else(|| VaultError::KeyDamaged {
            path: path.to_owned(),
        })
    }

    fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != KEY_BYTES {
            return None;
        }
        let unbound = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        // A key of its own for marks, derived so that neither tells about the other.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), b"cordon marks 1");
        Some(Self {
            key: LessSafeKey::new(unbound),
            marks: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
            random: SystemRandom::new(),
        })
    }

    /// The value encrypted, readable only together with this context.
    pub(super) fn seal(&self, value: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + value.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(&nonce);
        let mut body = value.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut body,
            )
            .ok()?;
        sealed.extend_from_slice(&body);
        Some(sealed)
    }

    /// What was encrypted with this context; none where either was changed.
    pub(super) fn open(&self, sealed: &[u8], context: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(context), &mut body)
            .ok()?
            .len();
        body.truncate(length);
        Some(body)
    }

    /// A mark of a secret: the same for the same secret, useless without the key.
    pub(super) fn mark(&self, secret: &[u8]) -> String {
        hex::encode(hmac::sign(&self.marks, secret))
    }
}

/// Makes the key so that of several processes exactly one succeeds and nobody sees half of it.
fn make(path: &Path) -> Result<(), VaultError> {
    let failed = |error: &std::io::Error| of_file(path, error);
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let mut tail = [0; 8];
    let random = SystemRandom::new();
    random
        .fill(&mut *key)
        .and_then(|()| random.fill(&mut tail))
        .map_err(|_| VaultError::File {
            path: path.to_owned(),
            reason: "the system gives no random numbers".to_owned(),
        })?;
    let new = path.with_extension(format!("key.{}", hex::encode(tail)));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(&*key)?;
            file.sync_all()
        })
        .and_then(|()| match fs::hard_link(&new, path) {
            // Another process was first: its key counts.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    let _ = fs::remove_file(&new);
    written.map_err(|error| failed(&error))?;
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

fn of_file(path: &Path, error: &std::io::Error) -> VaultError {
    VaultError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back_only_under_its_key_and_in_its_context() {
        let cipher = Cipher::new(&[7; KEY_BYTES]).unwrap();
        let sealed = cipher.seal(b"token", b"here").unwrap();
        assert_eq!(cipher.open(&sealed, b"here").unwrap().as_slice(), b"token");
        assert!(cipher.open(&sealed, b"there").is_none());
        let other = Cipher::new(&[8; KEY_BYTES]).unwrap();
        assert!(other.open(&sealed, b"here").is_none());
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 1;
            assert!(cipher.open(&damaged, b"here").is_none(), "byte {index}");
        }
        assert!(cipher.open(b"short", b"here").is_none());
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        Cipher::read_or_make(&path, true).unwrap();
        let first = fs::read(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        make(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_lost_an_exposed_and_a_damaged_key_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        assert!(matches!(
            Cipher::read_or_make(&path, false).err(),
            Some(VaultError::KeyLost { .. })
        ));
        fs::write(&path, [1; KEY_BYTES]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            Cipher::read_or_make(&path, false).err(),
            Some(VaultError::KeyExposed { .. })
        ));
        fs::write(&path, [1; 31]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            Cipher::read_or_make(&path, false).err(),
            Some(VaultError::KeyDamaged { .. })
        ));
    }
}
