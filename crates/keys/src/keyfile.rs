//! Private keys in PEM files: PKCS#8, as `openssl` writes them.

mod locked;

use std::path::{Path, PathBuf};

use latchstring_net::{
    entropy::Entropy,
    files,
    keyfile::{KeyFileError, create, decode, encode, public_to_pem, read, replace},
    protocol::hardened::signature::Signer,
    public_key::KeyError,
};
use zeroize::Zeroizing;

pub use self::locked::{is_locked, lock, unlock};

use crate::RsaKey;

/// `PrivateKeyInfo` of PKCS#8 (RFC 5958), not encrypted.
const PRIVATE: &str = "PRIVATE KEY";

/// Reads a private key from a file that its owner alone can read.
///
/// # Errors
/// [`KeyFileError`]; also for a key of 2048 bits, whose file is otherwise in order.
pub fn load_private(path: &Path) -> Result<RsaKey, KeyFileError> {
    let (pem, about) = read(path)?;
    if about.is_file() {
        files::check_secret(path, &about)?;
    }
    private_from_pem(&pem).map_err(|source| KeyFileError::key(path, source))
}

/// A private key in a file: ready for use, or under a passphrase.
#[derive(Debug)]
pub enum Private {
    /// A key without a passphrase.
    Open(RsaKey),
    /// A key that needs its passphrase.
    Locked(Locked),
}

/// A key file that needs its passphrase.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    pem: Zeroizing<Vec<u8>>,
}

impl Locked {
    /// Opens it. Takes a part of a second, on purpose: whoever guesses has to spend it for each guess.
    ///
    /// # Errors
    /// [`KeyFileError::Key`] with [`KeyError::Passphrase`] for a wrong passphrase.
    pub fn unlock(&self, passphrase: &[u8]) -> Result<RsaKey, KeyFileError> {
        unlock(&self.pem, passphrase).map_err(|source| KeyFileError::key(&self.path, source))
    }
}

/// Reads a private key, with or without a passphrase, from a file that its owner alone can read.
///
/// # Errors
/// [`KeyFileError`]; as [`load_private`].
pub fn open_private(path: &Path) -> Result<Private, KeyFileError> {
    let (pem, about) = read(path)?;
    if about.is_file() {
        files::check_secret(path, &about)?;
    }
    if is_locked(&pem) {
        let path = path.to_owned();
        return Ok(Private::Locked(Locked { path, pem }));
    }
    let key = private_from_pem(&pem).map_err(|source| KeyFileError::key(path, source))?;
    Ok(Private::Open(key))
}

/// As [`save_private`], under a passphrase.
///
/// # Errors
/// As [`save_private`].
pub fn save_locked(
    key: &RsaKey,
    path: &Path,
    passphrase: &[u8],
    entropy: &dyn Entropy,
) -> Result<(), KeyFileError> {
    let pem = lock(key, passphrase, entropy).map_err(|source| KeyFileError::key(path, source))?;
    create(path, 0o600, pem.as_bytes())
}

/// Writes a private key over its old file: with another passphrase, or with none.
///
/// # Errors
/// [`KeyFileError`]; then the old file is as it was.
pub fn change_passphrase(
    key: &RsaKey,
    path: &Path,
    passphrase: Option<&[u8]>,
    entropy: &dyn Entropy,
) -> Result<(), KeyFileError> {
    let pem = match passphrase {
        Some(passphrase) => lock(key, passphrase, entropy).map(Zeroizing::new),
        None => private_to_pem(key),
    };
    let pem = pem.map_err(|source| KeyFileError::key(path, source))?;
    replace(path, pem.as_bytes())
}

/// Writes a private key to a new file of mode 0600 and makes sure that it is on the disk.
///
/// # Errors
/// [`KeyFileError::Exists`] rather than overwrite anything, [`KeyFileError::Io`] when the file cannot be written.
pub fn save_private(key: &RsaKey, path: &Path) -> Result<(), KeyFileError> {
    let pem = private_to_pem(key).map_err(|source| KeyFileError::key(path, source))?;
    create(path, 0o600, pem.as_bytes())
}

/// Writes the public half to a new file of mode 0644.
///
/// # Errors
/// [`KeyFileError::Exists`] or [`KeyFileError::Io`].
pub fn save_public(key: &RsaKey, path: &Path) -> Result<(), KeyFileError> {
    let pem = public_to_pem(key.public_key()).map_err(|source| KeyFileError::key(path, source))?;
    create(path, 0o644, pem.as_bytes())
}

/// Reads a private key from PEM.
///
/// # Errors
/// [`KeyError`].
pub fn private_from_pem(pem: &[u8]) -> Result<RsaKey, KeyError> {
    RsaKey::from_pkcs8(&decode(pem, PRIVATE)?)
}

/// Writes a private key as PEM, wiped when dropped.
///
/// # Errors
/// [`KeyError::Private`] when the library cannot encode it.
pub fn private_to_pem(key: &RsaKey) -> Result<Zeroizing<String>, KeyError> {
    encode(PRIVATE, key.to_pkcs8()?.as_ref()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests;
