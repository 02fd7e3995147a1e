//! Private keys in PEM files: PKCS#8, as `openssl` writes them.

use std::path::Path;

use latchstring_net::{
    files,
    keyfile::{KeyFileError, create, decode, encode, public_to_pem, read},
    protocol::hardened::signature::Signer,
    public_key::KeyError,
};
use zeroize::Zeroizing;

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
