//! Where the password comes from: a prompt without echo, a file, or a file descriptor. Never the command line or the
//! environment, which other users of the machine may read.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use latchstring_protocol::hardened::message::MAX_PASSWORD;
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
    /// Empty or too long.
    #[error("a password has 1 to {MAX_PASSWORD} bytes on one line")]
    Length,
}

/// Where the password comes from.
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
    /// Gets the password; one newline at its end is not part of it.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn read(&self, question: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        match self {
            Self::Prompt => prompt(question),
            Self::File(path) => from_file(path, true),
            // The kernel's name for an open descriptor; opening it is safe code, taking it over is not.
            Self::Descriptor(fd) => from_file(Path::new(&format!("/dev/fd/{fd}")), false),
        }
    }
}

fn prompt(question: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let answer = rpassword::prompt_password(question).map_err(PasswordError::Terminal)?;
    checked(Zeroizing::new(answer.into_bytes()))
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
    // Room for one byte more than allowed, so that what is too long is seen, and the buffer never moves.
    let limit = MAX_PASSWORD + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * limit));
    (file.take(limit as u64).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    checked(bytes)
}

fn checked(password: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if (1..=MAX_PASSWORD).contains(&password.len()) && !password.contains(&b'\n') {
        Ok(password)
    } else {
        Err(PasswordError::Length)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::fd::AsRawFd, os::unix::fs::PermissionsExt};

    use super::*;

    fn file(bytes: &[u8], mode: u32) -> (tempfile::TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, Source::File(path))
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_it() {
        for (bytes, password) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b" \xff \n", b" \xff "),
        ] {
            let (_dir, source) = file(bytes, 0o600);
            assert_eq!(&source.read("").unwrap()[..], password);
        }
        for bytes in [
            &b""[..],
            b"\n",
            b"two\nlines",
            b"secret\n\n",
            &[b'x'; 129],
            &[b'x'; 999],
        ] {
            let (_dir, source) = file(bytes, 0o600);
            assert!(
                matches!(source.read(""), Err(PasswordError::Length)),
                "{bytes:?}"
            );
        }
        let (_dir, longest) = file(&[&[b'x'; 128][..], b"\n"].concat(), 0o400);
        assert_eq!(longest.read("").unwrap().len(), 128);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o620] {
            let (_dir, source) = file(b"secret", mode);
            let error = source.read("").unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_descriptor_is_read() {
        let (mut writer, reader) = {
            let (reader, writer) = io::pipe().unwrap();
            (writer, reader)
        };
        io::Write::write_all(&mut writer, b"secret\n").unwrap();
        drop(writer);
        let fd = u32::try_from(reader.as_raw_fd()).unwrap();
        assert_eq!(&Source::Descriptor(fd).read("").unwrap()[..], b"secret");
        assert!(Source::Descriptor(9999).read("").is_err());
    }
}
