//! Files that a person named: opened without waiting, and read to a limit. Their properties are read from the open
//! descriptor, so that nobody can exchange the file in between.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{errno::Errno, fcntl::OFlag, poll::PollFlags, unistd::Uid};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::print::wait_for;

/// The writer of a named pipe, such as `<(pass show x)`, must write within this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// From now on, a write to a file that has reached the limit on its size (`ulimit -f`) fails like one to a full disk.
/// Without this the signal that comes with it would end the program without a line. Call it in a Tokio runtime.
///
/// # Errors
/// When the system allows no handler.
pub fn outlive_size_limit() -> io::Result<()> {
    let number = nix::sys::signal::Signal::SIGXFSZ as i32;
    // The handler stays, also when nobody waits for the signal any more.
    signal(SignalKind::from_raw(number)).map(drop)
}

/// A file that other users of this machine could read or change.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Exposed {
    /// The file is secret, and others can read it.
    #[error("{} can be read by other users (mode {mode:04o}); run: chmod 600 {}", .path.display(), .path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file decides on trust, and others can change it.
    #[error("{} can be changed by other users (mode {mode:04o}); run: chmod go-w {}", .path.display(), .path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Its owner is neither this user nor root, and can do with it as they like.
    #[error("{} belongs to another user (uid {uid}); run: chown {us} {}", .path.display(), .path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// The user that this program runs as.
        us: u32,
    },
}

/// A secret: nobody but its owner may have any right to it, and the owner is this user or root.
///
/// # Errors
/// [`Exposed`].
pub fn check_secret(path: &Path, about: &Metadata) -> Result<(), Exposed> {
    let mode = about.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(Exposed::Readable { path, mode });
    }
    check_owner(path, about)
}

/// A file or a directory that decides whom to trust: others may read it, and not change it. `/tmp` may have the sticky
/// bit, but it also holds files of others. So a directory with this bit counts as one that others can change.
///
/// # Errors
/// [`Exposed`].
pub fn check_trusted(path: &Path, about: &Metadata) -> Result<(), Exposed> {
    let mode = about.mode() & 0o7777;
    if mode & 0o022 != 0 {
        let path = path.to_owned();
        return Err(Exposed::Writable { path, mode });
    }
    check_owner(path, about)
}

fn check_owner(path: &Path, about: &Metadata) -> Result<(), Exposed> {
    let (uid, us) = (about.uid(), Uid::effective().as_raw());
    if uid == us || uid == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(Exposed::Owner { path, uid, us })
}

/// Opens a file that this program keeps, as `options` say, and never waits for it. Any other kind of file with its
/// name, such as a named pipe, is an error.
///
/// # Errors
/// The error of the operating system, or that the path is no file.
pub fn open_ours(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let no_file = || io::Error::other("something else than a file has this name; move it away");
    // A pipe without a reader is refused like a socket.
    let opened = options.custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    let file = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENXIO) => no_file(),
        _ => error,
    })?;
    let is_file = file.metadata()?.is_file();
    if is_file { Ok(file) } else { Err(no_file()) }
}

/// Opens a regular file or a named pipe for reading, and never waits for it. A directory, a device or a socket is an
/// error.
///
/// # Errors
/// The error of the operating system, or the kind of thing that the path names instead of a file.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    // Without O_NONBLOCK a named pipe would wait for somebody who writes. Without O_NOCTTY a terminal could become ours.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = (options.read(true).custom_flags(flags.bits()).open(path)).map_err(|error| {
        match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
            Errno::ENXIO => io::Error::other("it is a socket, not a file"),
            _ => error,
        }
    })?;
    let about = file.metadata()?;
    let kind = about.file_type();
    let what = match () {
        () if kind.is_file() || kind.is_fifo() => return Ok((file, about)),
        () if kind.is_dir() => "it is a directory, not a file",
        () if kind.is_socket() => "it is a socket, not a file",
        () => "it is a device, not a file",
    };
    Err(io::Error::other(what))
}

/// Reads a file or a pipe with a writer, but no more than `limit` bytes of it.
///
/// # Errors
/// As [`open`]; also for a pipe without a writer, or whose writer is silent for half a minute.
pub fn read(path: &Path, limit: usize) -> io::Result<(Zeroizing<Vec<u8>>, Metadata)> {
    let (file, about) = open(path)?;
    // The buffer never moves, so no copy of a secret is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    if about.is_file() {
        file.take(limit as u64).read_to_end(&mut bytes)?;
    } else {
        read_pipe(file, limit, &mut bytes, PATIENCE)?;
    }
    Ok((bytes, about))
}

fn read_pipe(
    mut pipe: File,
    limit: usize,
    bytes: &mut Vec<u8>,
    patience: Duration,
) -> io::Result<()> {
    let until = Instant::now() + patience;
    while bytes.len() < limit {
        let missing = (limit - bytes.len()) as u64;
        match (&mut pipe).take(missing).read_to_end(bytes) {
            Ok(_) if bytes.is_empty() => {
                return Err(io::Error::other("it is a pipe that nobody writes to"));
            }
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() || !wait_for(&pipe, PollFlags::POLLIN, Some(left))? {
                    let seconds = patience.as_secs();
                    let why = format!("it is a pipe, and nothing came within {seconds} s");
                    return Err(io::Error::new(io::ErrorKind::TimedOut, why));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        io::Write,
        os::unix::{fs::PermissionsExt, net::UnixListener},
        thread,
    };

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    fn why(path: &Path) -> String {
        read(path, 100).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_file_is_named_and_nothing_hangs() {
        let dir = tempfile::tempdir().unwrap();
        assert!(why(dir.path()).contains("is a directory"));
        assert!(why(Path::new("/dev/zero")).contains("is a device"));
        let socket = dir.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert!(why(&socket).contains("is a socket"));
        let fifo = dir.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        assert!(why(&fifo).contains("nobody writes to"));
    }

    #[test]
    fn what_has_the_name_of_a_file_of_ours_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        for options in [
            OpenOptions::new().read(true).append(true),
            OpenOptions::new().write(true),
        ] {
            let error = open_ours(&fifo, options).unwrap_err().to_string();
            assert!(error.contains("something else than a file"), "{error}");
        }
        let file = dir.path().join("file");
        assert!(open_ours(&file, OpenOptions::new().append(true).create(true)).is_ok());
    }

    #[test]
    fn a_pipe_that_somebody_writes_to_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        // Opened for both, a pipe has a writer from the beginning.
        let mut writer = (OpenOptions::new().read(true).write(true).open(&fifo)).unwrap();
        let writing = thread::spawn(move || {
            writer.write_all(b"sec").unwrap();
            thread::sleep(Duration::from_millis(30));
            writer.write_all(b"ret").unwrap();
            thread::sleep(Duration::from_millis(30));
        });
        thread::sleep(Duration::from_millis(10));
        let (bytes, _) = read(&fifo, 100).unwrap();
        assert_eq!(&bytes[..], b"secret");
        writing.join().unwrap();
    }

    #[test]
    fn a_silent_pipe_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        let _writer = (OpenOptions::new().read(true).write(true).open(&fifo)).unwrap();
        let (pipe, _) = open(&fifo).unwrap();
        let error = read_pipe(pipe, 9, &mut Vec::new(), Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn who_else_could_read_or_change_a_file_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "x").unwrap();
        let looked = |mode: u32| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let about = fs::metadata(&path).unwrap();
            (check_secret(&path, &about), check_trusted(&path, &about))
        };
        assert_eq!(looked(0o600), (Ok(()), Ok(())));
        let (secret, trusted) = looked(0o644);
        assert!(matches!(secret, Err(Exposed::Readable { mode: 0o644, .. })));
        assert_eq!(trusted, Ok(()));
        for mode in [0o620, 0o602, 0o666] {
            let (secret, trusted) = looked(mode);
            assert!(secret.is_err());
            assert!(trusted.unwrap_err().to_string().contains("chmod go-w"));
        }
        if Uid::effective().is_root() {
            std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
            let (secret, trusted) = looked(0o600);
            assert_eq!(secret, trusted);
            let error = trusted.unwrap_err().to_string();
            assert!(error.contains("uid 12345"), "{error}");
        }
    }
}
