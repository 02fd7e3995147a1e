//! Pepper files: random bytes that nobody but the server can read.

use std::{
    io,
    path::{Path, PathBuf},
};

use latchstring_net::files::{self, Exposed};
use latchstring_store::password::{MAX_PEPPER, Pepper, PepperError, Peppers};
use thiserror::Error;

/// Why a pepper file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PepperFileError {
    /// There is no such file, or it cannot be read.
    #[error("cannot read the pepper {}: {source}; put the file back, because hashes that were made with it need it (pepper_file in server.toml)", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// It holds something else.
    #[error("{}: {source}", .path.display())]
    NoPepper {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PepperError,
    },
    /// Two files hold the same pepper.
    #[error("pepper_file in server.toml: {0}")]
    Twice(PepperError),
}

/// Reads the pepper of one file.
///
/// # Errors
/// [`PepperFileError`].
pub fn load_one(path: &Path) -> Result<Pepper, PepperFileError> {
    let read = files::read(path, MAX_PEPPER + 1);
    let (bytes, about) = read.map_err(|source| PepperFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    if about.is_file() {
        files::check_secret(path, &about)?;
    }
    Pepper::new(bytes).map_err(|source| PepperFileError::NoPepper {
        path: path.to_owned(),
        source,
    })
}

/// Reads all of them; the first one is for new hashes.
///
/// # Errors
/// [`PepperFileError`], for the first file that cannot be used.
pub fn load(paths: &[PathBuf]) -> Result<Peppers, PepperFileError> {
    let peppers: Result<_, _> = paths.iter().map(|path| load_one(path)).collect();
    Peppers::new(peppers?).map_err(PepperFileError::Twice)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_pepper_file_is_private_and_long_enough() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8], mode: u32| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let bytes: Vec<u8> = (0..32).collect();
        let good = file("good", &bytes, 0o400);
        let peppers = load(std::slice::from_ref(&good)).unwrap();
        assert!(peppers.current().is_some());
        for (paths, why) in [
            (vec![file("open", &bytes, 0o440)], "chmod 600"),
            (vec![file("short", &bytes[1..], 0o600)], "pepper new"),
            (vec![file("zeros", &[0; 32], 0o600)], "random"),
            (vec![dir.path().join("none")], "put the file back"),
            (vec![good.clone(), file("copy", &bytes, 0o600)], "twice"),
        ] {
            let error = load(&paths).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
