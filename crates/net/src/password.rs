//! Where a secret line comes from, a password or an invitation: a prompt without echo, a file, or a file descriptor.
//! Never the command line or the environment, which other users of the machine may read.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use filedescriptor::FileDescriptor;
use latchstring_protocol::hardened::message::MAX_PASSWORD;
use nix::poll::PollFlags;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    files::{self, Exposed},
    print::wait_for,
};

/// Why there is no password, or no invitation.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// The operating system says no.
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users can read it too.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The descriptor gives nothing.
    #[error(
        "cannot read file descriptor {descriptor}: {source}; open it for this program, as in {descriptor}<FILE"
    )]
    Descriptor {
        /// Its number.
        descriptor: u32,
        /// Why.
        source: io::Error,
    },
    /// There is nobody to ask.
    #[error(
        "the standard input is not a terminal, so nobody can be asked: use --password-file or --password-fd, and for an invitation --invite-file or --invite-fd"
    )]
    NoTerminal,
    /// The terminal failed.
    #[error("cannot ask for the password: {0}")]
    Terminal(io::Error),
    /// Empty or too long.
    #[error("a password, or an invitation, is one line of 1 to {MAX_PASSWORD} bytes")]
    Length,
}

/// Where the password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A person at the terminal.
    Prompt,
    /// A file that its owner alone can read, or a named pipe.
    File(PathBuf),
    /// An open file descriptor: one line is read from where it stands, and what follows is left in it.
    Descriptor(u32),
}

impl Source {
    /// Gets the password. The end of its line, `\n` or `\r\n`, is not part of it, and neither is a byte order mark
    /// before it.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn read(&self, question: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
        match self {
            Self::Prompt => prompt(question),
            Self::File(path) => from_file(path),
            Self::Descriptor(number) => from_descriptor(*number),
        }
    }
}

/// The number of a descriptor on the command line. 1 and 2 are where the program writes.
///
/// # Errors
/// When the text is not such a number.
pub fn descriptor_number(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(1 | 2) => Err("1 and 2 are for output: use 0, 3 or more".to_owned()),
        Ok(number) if i32::try_from(number).is_ok() => Ok(number),
        _ => Err("write the number of an open file descriptor, such as 3".to_owned()),
    }
}

fn prompt(question: &str) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let answer = rpassword::prompt_password(question).map_err(PasswordError::Terminal)?;
    checked(Zeroizing::new(answer.into_bytes()))
}

/// Asks a person for a secret that may be missing: `None` is an empty line.
///
/// # Errors
/// [`PasswordError`].
pub fn prompt_or_nothing(question: &str) -> Result<Option<Zeroizing<Vec<u8>>>, PasswordError> {
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let answer = rpassword::prompt_password(question).map_err(PasswordError::Terminal)?;
    match Zeroizing::new(answer.into_bytes()) {
        nothing if nothing.is_empty() => Ok(None),
        answer => checked(answer).map(Some),
    }
}

/// Room for the longest password, a byte order mark, `\r\n`, and one byte more, so that what is too long is seen.
const LIMIT: usize = MAX_PASSWORD + 6;

fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let failed = |source| PasswordError::Io {
        path: path.to_owned(),
        source,
    };
    let (bytes, about) = files::read(path, LIMIT).map_err(failed)?;
    if about.is_file() {
        files::check_secret(path, &about)?;
    }
    checked(bytes)
}

fn from_descriptor(descriptor: u32) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let line = take_descriptor(descriptor).and_then(read_line);
    checked(line.map_err(|source| PasswordError::Descriptor { descriptor, source })?)
}

/// The descriptor itself under a second number. Opening its name below `/dev/fd` is different. A file is read from its
/// beginning again, with the rights of this user, and a socket cannot be opened at all.
fn take_descriptor(number: u32) -> io::Result<File> {
    let not_open = || io::Error::other("it is not open");
    if is_our_own(number) {
        return Err(not_open());
    }
    let raw = i32::try_from(number).map_err(|_| not_open())?;
    let file = FileDescriptor::dup(&raw).map_err(|_| not_open())?;
    let file = file.as_file().map_err(io::Error::other)?;
    if file.is_terminal() {
        let why = "it is a terminal, which would show what is typed: leave the option out";
        return Err(io::Error::other(why));
    }
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    let reads = kind.is_file() || kind.is_fifo() || kind.is_socket() || kind.is_char_device();
    if reads { Ok(file) } else { Err(not_open()) }
}

/// Whether this program opened the descriptor for itself, such as for its event loop. All of those are closed on
/// exec; one that was inherited cannot have been. Without `/proc` nothing is known, and nothing is refused.
fn is_our_own(number: u32) -> bool {
    /// As `/proc/PID/fdinfo` shows it.
    const CLOSE_ON_EXEC: i32 = nix::fcntl::OFlag::O_CLOEXEC.bits();
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|octal| i32::from_str_radix(octal.trim(), 8).ok());
    flags.is_some_and(|flags| flags & CLOSE_ON_EXEC != 0)
}

/// One line, byte by byte: the rest belongs to the caller, such as a second secret or the messages.
fn read_line(mut file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    let mut byte = Zeroizing::new([0]);
    while line.len() < LIMIT {
        match file.read(&mut *byte) {
            Ok(0) => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_for(&file, PollFlags::POLLIN, None)?;
            }
            Err(error) => return Err(error),
        }
        if line.last() == Some(&b'\n') {
            break;
        }
    }
    Ok(line)
}

/// Takes off what editors add around a line, and checks the length.
fn checked(mut line: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    for end in *b"\n\r" {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    if line.starts_with(BYTE_ORDER_MARK) {
        line.drain(..BYTE_ORDER_MARK.len());
    }
    let one_line = !line.contains(&b'\n') && !line.contains(&b'\r');
    if (1..=MAX_PASSWORD).contains(&line.len()) && one_line {
        Ok(line)
    } else {
        Err(PasswordError::Length)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::Permissions,
        io::{Seek, Write},
        os::{
            fd::{AsRawFd, OwnedFd},
            unix::{fs::PermissionsExt, net::UnixStream},
        },
        thread,
        time::Duration,
    };

    use super::*;

    fn file(bytes: &[u8], mode: u32) -> (tempfile::TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (dir, Source::File(path))
    }

    #[test]
    fn what_editors_add_is_not_part_of_it() {
        for (bytes, password) in [
            (&b"secret"[..], &b"secret"[..]),
            (b"secret\n", b"secret"),
            (b"secret\r\n", b"secret"),
            (b"secret\r", b"secret"),
            (b"\xef\xbb\xbfsecret\r\n", b"secret"),
            (b" \xff \n", b" \xff "),
        ] {
            let (_dir, source) = file(bytes, 0o600);
            assert_eq!(&source.read("").unwrap()[..], password);
        }
        for bytes in [
            &b""[..],
            b"\n",
            b"\r\n",
            b"two\nlines",
            b"two\rlines",
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
        let longest = [b"\xef\xbb\xbf", &[b'x'; 128][..], b"\r\n"].concat();
        let (_dir, longest) = file(&longest, 0o400);
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
    fn one_line_is_read_from_where_the_descriptor_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"ignored\nfirst\nsecond\nthird\n").unwrap();
        file.seek(io::SeekFrom::Start(8)).unwrap();
        for expected in [&b"first\n"[..], b"second\n"] {
            let line = read_line(file.try_clone().unwrap()).unwrap();
            assert_eq!(&line[..], expected);
        }
        assert_eq!(file.stream_position().unwrap(), 21);
    }

    #[test]
    fn a_socket_that_does_not_block_is_waited_for() {
        let (mut far, near) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let writing = thread::spawn(move || {
            for part in [&b"sec"[..], b"ret\n"] {
                thread::sleep(Duration::from_millis(20));
                far.write_all(part).unwrap();
            }
        });
        let line = read_line(File::from(OwnedFd::from(near))).unwrap();
        assert_eq!(&line[..], b"secret\n");
        writing.join().unwrap();
    }

    #[test]
    fn a_descriptor_that_nobody_handed_over_is_not_open() {
        // As those of the event loop: open, but of this program.
        let (ours, _far) = UnixStream::pair().unwrap();
        let ours = u32::try_from(ours.as_raw_fd()).unwrap();
        for number in [ours, 9999, u32::MAX] {
            let error = Source::Descriptor(number).read("").unwrap_err();
            assert!(error.to_string().contains("is not open"), "{error}");
        }
    }

    #[test]
    fn numbers_of_descriptors_are_checked() {
        for (text, number) in [("0", Some(0)), ("3", Some(3)), ("63", Some(63))] {
            assert_eq!(descriptor_number(text).ok(), number);
        }
        for text in ["1", "2", "-1", "x", "", "4294967295"] {
            assert!(descriptor_number(text).is_err(), "{text}");
        }
    }
}
