//! Where a new password comes from: a prompt without echo, twice; a file; or a file descriptor. Never the command line or
//! the environment, which other users of the machine may read.

use latchstring_net::password::{PasswordError as SourceError, Source};
use latchstring_store::password::check_new;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why there is no new password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum PasswordError {
    /// The password was not available.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A slip of the keyboard.
    #[error("the two passwords differ; nothing was changed")]
    Differ,
    /// Too short, too long, not text.
    #[error(transparent)]
    Bad(#[from] latchstring_store::password::PasswordError),
}

/// Gets a new password; a person is asked twice.
///
/// # Errors
/// [`PasswordError`].
pub(crate) fn read_new(source: &Source) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let password = source.read("New password: ")?;
    check_new(&password)?;
    if *source == Source::Prompt && source.read("The same again: ")? != password {
        return Err(PasswordError::Differ);
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn read(bytes: &[u8], mode: u32) -> Result<Vec<u8>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let password = read_new(&Source::File(path)).map_err(|e| e.to_string());
        password.map(|password| password.to_vec())
    }

    #[test]
    fn a_file_that_its_owner_alone_can_read_holds_one_line() {
        let good = b"correct horse".to_vec();
        assert_eq!(read(b"correct horse", 0o600), Ok(good.clone()));
        assert_eq!(read(b"correct horse\n", 0o400), Ok(good));
        for (bytes, mode, word) in [
            (&b"correct horse"[..], 0o640, "chmod 600"),
            (b"correct horse", 0o604, "chmod 600"),
            (b"correct\nhorse\n", 0o600, "one line"),
            (b"short\n", 0o600, "at least 8"),
            (b"", 0o600, "1 to 128"),
            (&[b'x'; 200], 0o600, "1 to 128"),
            (&[0xff; 20], 0o600, "UTF-8"),
        ] {
            let error = read(bytes, mode).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
