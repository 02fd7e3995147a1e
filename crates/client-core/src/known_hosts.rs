//! The key of each host: a text file with a line `HOST:PORT SHA256:…` for each, comments kept.
//!
//! An unclear line is an error, and so is a file that cannot be read: the person who wrote a pin relies on it.

use std::{
    fmt, fs,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use latchstring_net::{
    files::{self, Exposed},
    protocol::hardened::message::Fingerprint,
};
use tempfile::NamedTempFile;
use thiserror::Error;

use crate::place::Place;

/// The file is no longer than this, in bytes: some 10,000 hosts.
const MAX_FILE: u64 = 1 << 20;
/// Another client changes the file within this time, or is stuck.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// The error of the file, with the next step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KnownHostsError {
    /// The operating system says no.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// "read", "lock" or "write".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else can change the pins.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// A line that says nothing certain. The file is not used in part: the broken line might be the one that matters.
    #[error("line {line} of {}: {why}; mend or delete the line", .path.display())]
    BrokenLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The fault.
        why: String,
    },
    /// While this client met the host, another one met it too, and saw another key.
    #[error(transparent)]
    Changed(#[from] Box<Changed>),
}

/// The entry of one host in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// The number of its line, from 1.
    pub line: usize,
}

/// The file's lines.
#[derive(Debug)]
pub struct KnownHosts {
    path: PathBuf,
    text: String,
    hosts: Vec<(String, Known)>,
}

impl KnownHosts {
    /// Reads the file; one that does not exist is empty.
    ///
    /// # Errors
    /// [`KnownHostsError`]; also for two lines about one host.
    pub fn load(path: &Path) -> Result<Self, KnownHostsError> {
        let failed = |source| io_error("read", path, source);
        // The file itself, should its name be a link: a link to nothing is a file that is missing, and not an empty one.
        let path = match fs::symlink_metadata(path) {
            Ok(about) if about.is_symlink() => fs::canonicalize(path).map_err(failed)?,
            _ => path.to_owned(),
        };
        let mut this = Self {
            text: read_text(&path)?,
            path,
            hosts: Vec::new(),
        };
        this.read_lines()?;
        Ok(this)
    }

    fn read_lines(&mut self) -> Result<(), KnownHostsError> {
        for (number, line) in self.text.clone().lines().enumerate() {
            if let Err(why) = self.read_line(number + 1, line.trim()) {
                let (path, line) = (self.path.clone(), number + 1);
                return Err(KnownHostsError::BrokenLine { path, line, why });
            }
        }
        Ok(())
    }

    fn read_line(&mut self, line: usize, content: &str) -> Result<(), String> {
        // Some editors begin a new line at each of these. What looks like a pin in a line of its own must not be a part of
        // a comment.
        let other_ends = ['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
        if let Some(end) = content.chars().find(|c| other_ends.contains(c)) {
            let end = end.escape_default();
            return Err(format!(
                "it holds {end}, which ends no line here: end each line with a newline"
            ));
        }
        if content.is_empty() || content.starts_with('#') {
            return Ok(());
        }
        if content.starts_with('\u{feff}') {
            return Err("it begins with a byte order mark, which some editors add".to_owned());
        }
        let words: Vec<&str> = content.split_whitespace().collect();
        let [host, fingerprint] = words[..] else {
            return Err("it is not HOST:PORT SHA256:…".to_owned());
        };
        let fingerprint = (fingerprint.parse())
            .map_err(|_| "the fingerprint is not SHA256: and 43 characters of base64")?;
        let place: Place = (host.parse()).map_err(|why| format!("{host:?} {why}"))?;
        // In another spelling it would be found by nobody, and its pin would protect nothing.
        let host = (Some(place.to_string()).filter(|one| one == host))
            .ok_or_else(|| format!("no host is ever called {host:?}: write {place}"))?;
        if let Some(earlier) = self.find(&host) {
            return Err(format!("line {} names the same host", earlier.line));
        }
        self.hosts.push((host, Known { fingerprint, line }));
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The entry for `host_port`.
    pub fn find(&self, host_port: &str) -> Option<Known> {
        let entry = self.hosts.iter().find(|(host, _)| host == host_port);
        entry.map(|(_, known)| *known)
    }

    /// Every host of the file, as `HOST:PORT`, and the fingerprint of its key.
    pub fn all(&self) -> impl Iterator<Item = (&str, Fingerprint)> {
        self.entries()
            .map(|(host, known)| (host, known.fingerprint))
    }

    /// Every host of the file with its entry, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Known)> {
        self.hosts.iter().map(|(host, known)| (&host[..], *known))
    }

    /// Decides which key the host must have. It is the known one, or else the one from `--fingerprint`. Without both
    /// the result is `None`, and a person must be asked. A given key never overrides a known one.
    ///
    /// # Errors
    /// [`Changed`] when both exist and differ.
    pub fn pin(
        &self,
        host_port: &str,
        given: Option<Fingerprint>,
    ) -> Result<Option<Fingerprint>, Box<Changed>> {
        match (self.find(host_port), given) {
            (Some(known), Some(given)) if known.fingerprint != given => {
                Err(self.changed(host_port, known, given, true))
            }
            (Some(known), _) => Ok(Some(known.fingerprint)),
            (None, given) => Ok(given),
        }
    }

    /// The refusal for a host that presents another key than the known one; `None` if nothing is known about it.
    pub fn refusal(&self, host_port: &str, presented: Fingerprint) -> Option<Box<Changed>> {
        let known = self.find(host_port)?;
        Some(self.changed(host_port, known, presented, false))
    }

    fn changed(&self, host: &str, known: Known, other: Fingerprint, given: bool) -> Box<Changed> {
        Box::new(Changed {
            host: host.to_owned(),
            known,
            other,
            given,
            path: self.path.clone(),
        })
    }

    /// Adds a host that is not known yet. The file is replaced as a whole or not at all, and is on the disk when this
    /// returns. Entries that other clients have added since the file was read are kept.
    ///
    /// # Errors
    /// [`KnownHostsError`]; [`KnownHostsError::Changed`] when another client has added the same host with another key.
    pub fn add(&mut self, host: &str, fingerprint: Fingerprint) -> Result<(), KnownHostsError> {
        let _lock = lock(&self.path, LOCK_PATIENCE)?;
        *self = Self::load(&self.path)?;
        match self.find(host) {
            Some(known) if known.fingerprint == fingerprint => return Ok(()),
            Some(known) => return Err(self.changed(host, known, fingerprint, false).into()),
            None => {}
        }
        let mut text = self.text.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("{host} {fingerprint}\n"));
        replace(&self.path, &text).map_err(|source| io_error("write", &self.path, source))?;
        let line = text.lines().count();
        let known = Known { fingerprint, line };
        self.hosts.push((host.to_owned(), known));
        self.text = text;
        Ok(())
    }

    /// Removes a host, and returns its entry; `None` if the file has no such host. Comments and other lines stay. The file
    /// is replaced as a whole or not at all.
    ///
    /// # Errors
    /// [`KnownHostsError`].
    pub fn remove(&mut self, host: &str) -> Result<Option<Known>, KnownHostsError> {
        // Without a file there is nothing to remove, and no reason to make a lock.
        if self.find(host).is_none() {
            return Ok(None);
        }
        let _lock = lock(&self.path, LOCK_PATIENCE)?;
        *self = Self::load(&self.path)?;
        let Some(known) = self.find(host) else {
            return Ok(None);
        };
        let lines = self.text.split_inclusive('\n').enumerate();
        let others = lines.filter(|(at, _)| at + 1 != known.line);
        let text: String = others.map(|(_, line)| line).collect();
        replace(&self.path, &text).map_err(|source| io_error("write", &self.path, source))?;
        *self = Self::load(&self.path)?;
        Ok(Some(known))
    }
}

/// The file's text; nothing if there is no file. All else that keeps it from being read is an error.
fn read_text(path: &Path) -> Result<String, KnownHostsError> {
    let failed = |source| io_error("read", path, source);
    let (file, about) = match files::open(path) {
        Ok(opened) => opened,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(source) => return Err(failed(source)),
    };
    if !about.is_file() {
        return Err(failed(io::Error::other("it is a pipe, not a file")));
    }
    files::check_trusted(path, &about)?;
    if about.len() > MAX_FILE {
        let why = format!("it has more than {MAX_FILE} bytes");
        return Err(failed(io::Error::other(why)));
    }
    let mut text = String::new();
    (file.take(MAX_FILE).read_to_string(&mut text)).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => failed(io::Error::other(
            "it is not UTF-8; save it as UTF-8 with a text editor",
        )),
        _ => failed(error),
    })?;
    Ok(text)
}

/// Keeps other clients from changing the file until it is dropped. The lock is a separate file, since the file itself
/// is replaced.
fn lock(path: &Path, patience: Duration) -> Result<File, KnownHostsError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |source| io_error("lock", Path::new(&name), source);
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let file = files::open_ours(Path::new(&name), options).map_err(failed)?;
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                let seconds = patience.as_secs();
                let why =
                    format!("another latchstring-client has held it for {seconds} s; end that one");
                return Err(failed(io::Error::other(why)));
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// A new file of mode 0600 beside the old one, flushed, then renamed over it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = temporary_beside(path)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(directory_of(path))?.sync_all()
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(directory_of(path))
}

fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> KnownHostsError {
    let path = path.to_owned();
    KnownHostsError::Io {
        doing,
        path,
        source,
    }
}

/// A known host with another key: the one error that nobody may overlook, and that no option overrides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// `HOST:PORT`.
    pub host: String,
    /// The entry in the file.
    pub known: Known,
    /// The key that answered, or that was given.
    pub other: Fingerprint,
    /// Whether `other` was given with `--fingerprint`; then nothing was sent at all.
    pub given: bool,
    /// The file.
    pub path: PathBuf,
}

impl std::error::Error for Changed {}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("WARNING: THE KEY OF {} HAS CHANGED", self.host);
        let bar = "@".repeat(title.len() + 8);
        let (line, path) = (self.known.line, self.path.display());
        let other = if self.given { "given:  " } else { "answers:" };
        writeln!(f, "the host key has changed\n{bar}\n@   {title}   @\n{bar}")?;
        writeln!(
            f,
            "Somebody may be posing as this server, or its operator has made a new host key."
        )?;
        writeln!(f, "Neither your user name nor your password was sent.\n")?;
        writeln!(
            f,
            "  known:   {}  (line {line} of {path})",
            self.known.fingerprint
        )?;
        writeln!(f, "  {other} {}\n", self.other)?;
        writeln!(
            f,
            "Ask the operator, on a way that you trust, which one is right. If it is the new one, delete"
        )?;
        write!(
            f,
            "line {line} of {path} and connect again with --fingerprint."
        )
    }
}

#[cfg(test)]
mod tests;
