//! Where a new password comes from: a prompt without echo, twice; a file; or a file descriptor. Never the command line or
//! the environment, which other users of the machine may read.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use latchstring_store::password::{MAX_LEN, check_new};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why there is no password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The operating system says no.
    #[error("cannot read the password from {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users can read it too.
    #[error("{} can be read by other users (mode {mode:04o}); run: chmod 600 {}", .path.display(), .path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is nobody to ask.
    #[error(
        "the standard input is not a terminal, so nobody can be asked for the password: use --password-file or --password-fd"
    )]
    NoTerminal,
    /// The terminal failed.
    #[error("cannot ask for the password: {0}")]
    Terminal(io::Error),
    /// A slip of the keyboard.
    #[error("the two passwords differ; nothing was changed")]
    Differ,
    /// More than one line.
    #[error("the password must be on one line")]
    Lines,
    /// Too short, too long, not text.
    #[error(transparent)]
    Bad(#[from] latchstring_store::password::PasswordError),
}

/// Where a new password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A person at the terminal.
    Prompt,
    /// A file that its owner alone can read.
    File(PathBuf),
    /// An open file descriptor, 3 or above.
    Descriptor(u32),
}

impl Source {
    /// Gets the new password; one newline at its end is not part of it.
    ///
    /// # Errors
    /// [`PasswordError`]; also when it is too short, too long or not text.
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        let password = match self {
            Self::Prompt => prompt()?,
            Self::File(path) => from_file(path, true)?,
            // The kernel's name for an open descriptor; opening it is safe code, taking it over is not.
            Self::Descriptor(fd) => from_file(Path::new(&format!("/dev/fd/{fd}")), false)?,
        };
        if password.contains(&b'\n') {
            return Err(PasswordError::Lines);
        }
        check_new(&password)?;
        Ok(password)
    }
}

fn prompt() -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let ask = |question| {
        let answer = rpassword::prompt_password(question).map(String::into_bytes);
        answer.map(Zeroizing::new).map_err(PasswordError::Terminal)
    };
    let password = ask("New password: ")?;
    check_new(&password)?;
    match ask("The same again: ")? == password {
        true => Ok(password),
        false => Err(PasswordError::Differ),
    }
}

fn from_file(path: &Path, must_be_private: bool) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let failed = |source| PasswordError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    let mode = about.mode() & 0o7777;
    if must_be_private && about.is_file() && mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(PasswordError::Permissions { path, mode });
    }
    // Room for more than is allowed, so that what is too long is seen, and the buffer never moves.
    let limit = MAX_LEN + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * limit));
    (file.take(limit as u64).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::fd::AsRawFd, os::unix::fs::PermissionsExt};

    use super::*;

    fn read(bytes: &[u8], mode: u32) -> Result<Vec<u8>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let password = Source::File(path).read().map_err(|e| e.to_string());
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
            (b"", 0o600, "at least 8"),
            (&[b'x'; 200], 0o600, "at most 128"),
            (&[0xff; 20], 0o600, "UTF-8"),
        ] {
            let error = read(bytes, mode).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_descriptor_is_read() {
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"correct horse\n").unwrap();
        drop(writer);
        let fd = u32::try_from(reader.as_raw_fd()).unwrap();
        assert_eq!(
            &Source::Descriptor(fd).read().unwrap()[..],
            b"correct horse"
        );
        assert!(Source::Descriptor(9999).read().is_err());
    }
}
