//! Public keys in PEM files, as `openssl` writes them, and what every key file has in common.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use pem_rfc7468::LineEnding;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    files::{self, Exposed},
    public_key::{KeyError, check_public_key},
};

/// `SubjectPublicKeyInfo` (RFC 5280).
const PUBLIC: &str = "PUBLIC KEY";
/// The longest key file (4096 bits take 3.3 kB); a longer file is not read.
const MAX_FILE: usize = 16 * 1024;

/// The error of a key file, with the next step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The operating system says no.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// "read" or "write".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a file already. A key is never overwritten.
    #[error("{} exists already; move it away first, a key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// A private key that other users of this machine can read.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The file holds no key that can be used.
    #[error("{}: {source}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
}

/// Reads a public key; returns DER of the SubjectPublicKeyInfo, checked by [`check_public_key`].
///
/// # Errors
/// [`KeyFileError`]; also when the file holds a private key, so that none is handed over by mistake.
pub fn load_public(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let (pem, _) = read(path)?;
    public_from_pem(&pem).map_err(|source| KeyFileError::key(path, source))
}

/// Reads a public key from PEM; returns DER of the SubjectPublicKeyInfo.
///
/// # Errors
/// [`KeyError`].
pub fn public_from_pem(pem: &[u8]) -> Result<Vec<u8>, KeyError> {
    let spki = decode(pem, PUBLIC)?.to_vec();
    check_public_key(&spki)?;
    Ok(spki)
}

/// Writes a public key, given as DER of a SubjectPublicKeyInfo, as PEM.
///
/// # Errors
/// [`KeyError::Pem`] when it is too long, which no key is.
pub fn public_to_pem(spki: &[u8]) -> Result<String, KeyError> {
    encode(PUBLIC, spki)
}

/// The DER in a PEM text, wiped when dropped; `expected` is the label that the text must have, such as `PUBLIC KEY`.
///
/// # Errors
/// [`KeyError::Label`] when it has another one, [`KeyError::Pem`] when it is not PEM.
pub fn decode(pem: &[u8], expected: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let pem = pem.trim_ascii();
    if pem.is_empty() {
        return Err(KeyError::Pem("the file is empty".to_owned()));
    }
    let not_pem = |why: pem_rfc7468::Error| KeyError::Pem(why.to_string());
    // The label first: PEM of another kind, such as an encrypted key, need not have the usual line width.
    let found = pem_rfc7468::decode_label(pem).map_err(not_pem)?;
    if found != expected {
        let found = found.to_owned();
        return Err(KeyError::Label { expected, found });
    }
    let (_, der) = pem_rfc7468::decode_vec(pem).map_err(not_pem)?;
    Ok(Zeroizing::new(der))
}

/// DER as PEM with the given label.
///
/// # Errors
/// [`KeyError::Pem`] when it is too long, which no key is.
pub fn encode(label: &str, der: &[u8]) -> Result<String, KeyError> {
    let pem = pem_rfc7468::encode_string(label, LineEnding::LF, der);
    pem.map_err(|why| KeyError::Pem(why.to_string()))
}

/// A key file's bytes, wiped when dropped, and what the system knows about the very file that was read.
///
/// # Errors
/// [`KeyFileError::Io`]; also when the file is longer than any key file.
pub fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), KeyFileError> {
    files::read(path, MAX_FILE).map_err(|source| io_error("read", path, source))
}

/// Makes a file that was not there before, and makes sure that it is on the disk; the mode holds from its first moment.
///
/// # Errors
/// [`KeyFileError::Exists`] rather than overwrite anything, [`KeyFileError::Io`] when the file cannot be written.
pub fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), KeyFileError> {
    let failed = |source| io_error("write", path, source);
    let open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = open.map_err(failed)?;
    let written = (file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_directory_of(path));
    written.map_err(|source| {
        // Half a key is of no use, and would keep the next try from making a whole one.
        let _ = fs::remove_file(path);
        failed(source)
    })
}

/// Puts a file of mode 0600 in the place of another one, as a whole or not at all. It is on the disk when this returns.
/// Until then it is `NAME.new` beside the old one.
///
/// # Errors
/// [`KeyFileError::Exists`] if `NAME.new` is there already, [`KeyFileError::Io`] when the file cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    create(&new, 0o600, bytes)?;
    let renamed = fs::rename(&new, path).and_then(|()| sync_directory_of(path));
    renamed.map_err(|source| {
        let _ = fs::remove_file(&new);
        io_error("write", path, source)
    })
}

/// A new file's name is on the disk only once its directory is.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> KeyFileError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path),
        _ => KeyFileError::Io {
            doing,
            path,
            source,
        },
    }
}

impl KeyFileError {
    /// The file at `path` holds no key that can be used.
    pub fn key(path: &Path, source: KeyError) -> Self {
        let path = path.to_owned();
        Self::Key { path, source }
    }
}
