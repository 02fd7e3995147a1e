//! Which host has which key: a text file with a line `HOST:PORT SHA256:…` for each, comments kept.

use std::{
    fmt, fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use latchstring_net::protocol::hardened::message::Fingerprint;
use tempfile::NamedTempFile;
use thiserror::Error;

/// What went wrong with the file, and what to do about it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KnownHostsError {
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
    /// A line that says nothing certain. The file is not used in part: the broken line might be the one that matters.
    #[error("line {line} of {}: {why}; mend or delete the line", .path.display())]
    BrokenLine {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// What the file says about one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The fingerprint of its key.
    pub fingerprint: Fingerprint,
    /// Where it says so, counted from 1.
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
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(io_error("read", path, source)),
        };
        let mut this = Self {
            path: path.to_owned(),
            text: String::new(),
            hosts: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            this.read_line(number + 1, line)?;
        }
        this.text = text;
        Ok(this)
    }

    fn read_line(&mut self, line: usize, content: &str) -> Result<(), KnownHostsError> {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            return Ok(());
        }
        let broken = |why| KnownHostsError::BrokenLine {
            path: self.path.clone(),
            line,
            why,
        };
        let words: Vec<&str> = content.split_whitespace().collect();
        let [host, fingerprint] = words[..] else {
            return Err(broken("it is not HOST:PORT SHA256:…"));
        };
        let fingerprint = (fingerprint.parse())
            .map_err(|_| broken("the fingerprint is not SHA256: and 43 characters of base64"))?;
        if self.find(host).is_some() {
            return Err(broken("an earlier line names the same host"));
        }
        let known = Known { fingerprint, line };
        self.hosts.push((host.to_owned(), known));
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is known about `host_port`.
    pub fn find(&self, host_port: &str) -> Option<Known> {
        let entry = self.hosts.iter().find(|(host, _)| host == host_port);
        entry.map(|(_, known)| *known)
    }

    /// Decides which key the host must have: the known one; else the one that was given with `--fingerprint`; else
    /// `None`, and a person must be asked. What is given never overrides what is known.
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
    /// returns.
    ///
    /// # Errors
    /// [`KnownHostsError::Io`].
    pub fn add(&mut self, host: &str, fingerprint: Fingerprint) -> Result<(), KnownHostsError> {
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
}

/// A new file of mode 0600 beside the old one, flushed, then renamed over it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let dir = parent.unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    fs::File::open(dir)?.sync_all()
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
    /// What the file says.
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
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const HOST: &str = "example.org:22223";

    fn fingerprint(byte: u8) -> Fingerprint {
        Fingerprint([byte; 32])
    }

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("known_hosts");
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn a_given_fingerprint_does_not_override_a_known_one() {
        let (_dir, path) = file(&format!("# mine\n\n{HOST} {}\n", fingerprint(1)));
        let hosts = KnownHosts::load(&path).unwrap();
        // The attacker's key answers, and the user was talked into giving its fingerprint.
        let refusal = hosts.pin(HOST, Some(fingerprint(2))).unwrap_err();
        assert_eq!(refusal.known.line, 3);
        let text = refusal.to_string();
        for needle in [
            "HAS CHANGED",
            "line 3",
            "known_hosts",
            &fingerprint(1).to_string(),
            &fingerprint(2).to_string(),
        ] {
            assert!(text.contains(needle), "{needle} is missing in:\n{text}");
        }
        assert_eq!(
            hosts.pin(HOST, Some(fingerprint(1))),
            Ok(Some(fingerprint(1)))
        );
        assert_eq!(hosts.pin(HOST, None), Ok(Some(fingerprint(1))));
    }

    #[test]
    fn an_unknown_host_has_the_given_key_or_is_asked_about() {
        let (_dir, path) = file("");
        let hosts = KnownHosts::load(&path).unwrap();
        assert_eq!(
            hosts.pin(HOST, Some(fingerprint(2))),
            Ok(Some(fingerprint(2)))
        );
        assert_eq!(hosts.pin(HOST, None), Ok(None));
        // Another port is another host.
        assert!(hosts.refusal("example.org:22", fingerprint(1)).is_none());
    }

    #[test]
    fn adding_keeps_comments_and_is_read_back() {
        let (_dir, path) = file("# a comment, and no newline at the end");
        let mut hosts = KnownHosts::load(&path).unwrap();
        hosts.add(HOST, fingerprint(7)).unwrap();
        hosts.add("[::1]:22223", fingerprint(8)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# a comment, and no newline at the end\n"));
        let again = KnownHosts::load(&path).unwrap();
        let known = again.find(HOST).unwrap();
        assert_eq!((known.fingerprint, known.line), (fingerprint(7), 2));
        assert_eq!(again.find("[::1]:22223"), hosts.find("[::1]:22223"));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_as_it_was() {
        let (dir, path) = file(&format!("{HOST} {}\n", fingerprint(1)));
        let before = fs::read(&path).unwrap();
        let mut hosts = KnownHosts::load(&path).unwrap();
        // The rename fails: a directory stands where the file should go.
        hosts.path = dir.path().join("taken");
        fs::create_dir_all(hosts.path.join("x")).unwrap();
        assert!(hosts.add("other:1", fingerprint(2)).is_err());
        assert!(hosts.find("other:1").is_none());
        assert_eq!(fs::read(&path).unwrap(), before);
        let left_behind = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left_behind, 2, "the temporary file is gone");
    }

    #[test]
    fn a_broken_line_is_named() {
        let good = format!("{HOST} {}\n", fingerprint(1));
        for bad in [
            "example.org",
            "h:1 SHA256:short",
            "h:1 MD5:x",
            "a b c",
            &good,
        ] {
            let (_dir, path) = file(&format!("{good}{bad}"));
            let error = KnownHosts::load(&path).unwrap_err().to_string();
            assert!(error.contains("line 2 of"), "{error}");
        }
    }
}
