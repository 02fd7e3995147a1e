//! The user's configuration: names for hosts, and what belongs to each, in the manner of `ssh_config`.
//!
//! ```text
//! Host work
//!     HostName latch.example.org
//!     User alice
//!     IdentityFile ~/.latchstring/work.pem
//! ```
//!
//! As with `ssh_config`, the first value that is found counts, so general settings come last. Unlike `ssh`, an unknown
//! keyword, a second value and a wrong value are errors: a setting that silently does nothing is worse than none.

mod parse;
mod pattern;

use std::{
    env, io,
    io::Read,
    path::{Path, PathBuf},
};

use latchstring_client_core::{address::Address, place::Place};
use latchstring_net::{
    files,
    protocol::hardened::{
        DEFAULT_PORT,
        message::{Fingerprint, UserName},
    },
};

use self::pattern::Pattern;
use crate::usage::Usage;

/// The longest time that a setting or an option may give, in seconds: a day.
pub(crate) const MAX_WAIT: u64 = 24 * 60 * 60;
/// The file is no longer than this, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// What the file says about one host; `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The host's name or address, where the typed name is an alias.
    pub(crate) host_name: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<UserName>,
    /// The private key.
    pub(crate) identity_file: Option<PathBuf>,
    /// The passphrase of the private key.
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) password_file: Option<PathBuf>,
    /// The fingerprint of the host's key.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// How long to try while the server has no room, in seconds.
    pub(crate) wait: Option<u64>,
    /// How long to come again after a session has broken off, in seconds.
    pub(crate) reconnect: Option<u64>,
}

/// A `Host` line and what follows it.
#[derive(Debug, Default)]
struct Block {
    patterns: Vec<Pattern>,
    settings: Settings,
}

/// The file's blocks, in order. Without a file there are none.
#[derive(Debug, Default)]
pub(crate) struct Config {
    path: Option<PathBuf>,
    blocks: Vec<Block>,
}

impl Config {
    /// Reads the file that was given, or the user's own: `$XDG_CONFIG_HOME/latchstring/config`, which is
    /// `~/.config/latchstring/config`. The user's own need not exist.
    ///
    /// # Errors
    /// [`Usage`], with the line that is wrong.
    pub(crate) fn load(given: Option<&Path>) -> Result<Self, Usage> {
        let (path, must_exist) = match given {
            Some(path) => (path.to_owned(), true),
            None => match own_path() {
                Some(path) => (path, false),
                None => return Ok(Self::default()),
            },
        };
        match read(&path)? {
            None if must_exist => Err(Usage(format!(
                "cannot read {}: there is no such file; name another one with -F",
                path.display()
            ))),
            None => Ok(Self::default()),
            Some(text) => Ok(Self {
                blocks: parse::blocks(&text, &path, env::home_dir().as_deref())?,
                path: Some(path),
            }),
        }
    }

    /// The file that was read.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The names of hosts that the file has, without patterns, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let patterns = self.blocks.iter().flat_map(|block| &block.patterns);
        patterns.filter_map(Pattern::name).collect()
    }

    /// What the file says about a host with this name: of each setting the first one.
    fn settings(&self, name: &str) -> Settings {
        let mut all = Settings::default();
        let matches = |block: &&Block| block.patterns.iter().any(|one| one.matches(name));
        for Block { settings, .. } in self.blocks.iter().filter(matches) {
            all.fill(settings);
        }
        all
    }

    /// The user and the host that `USER@HOST[:PORT]`, `HOST[:PORT]` or an alias stands for, and the other settings.
    ///
    /// # Errors
    /// [`Usage`].
    pub(crate) fn resolve(&self, typed: &str) -> Result<(Address, Settings), Usage> {
        let (user, host) = match typed.split_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, typed),
        };
        let (place, settings) = self.place(host)?;
        let user = match (user, &settings.user) {
            (Some(user), _) => UserName::parse(user).map_err(|why| {
                Usage(format!(
                    "{typed:?}: {why}; write USER@HOST or USER@HOST:PORT"
                ))
            })?,
            (None, Some(user)) => user.clone(),
            (None, None) => return Err(Usage(self.no_user(typed))),
        };
        Ok((Address { user, place }, settings))
    }

    /// The host that `HOST[:PORT]` or an alias stands for.
    ///
    /// # Errors
    /// [`Usage`].
    pub(crate) fn place(&self, typed: &str) -> Result<(Place, Settings), Usage> {
        let (name, port) = split_port(typed);
        let settings = self.settings(name);
        let host = settings.host_name.as_deref().unwrap_or(name);
        let port = match (port, settings.port) {
            (Some(typed), _) => typed.to_owned(),
            (None, Some(port)) => port.to_string(),
            (None, None) => DEFAULT_PORT.to_string(),
        };
        let place: Result<Place, _> = format!("{host}:{port}").parse();
        let wrong = |why: &str| {
            Usage(format!(
                "{typed:?} {why}; write USER@HOST or USER@HOST:PORT, such as alice@example.org or alice@[::1]:22223"
            ))
        };
        Ok((place.map_err(wrong)?, settings))
    }

    fn no_user(&self, typed: &str) -> String {
        let names = self.names();
        let nearest = latchstring_cli::suggest::nearest(typed, names);
        match self.path() {
            Some(path) => format!(
                "{typed:?} names no user, and {} has no User for it{nearest}; write USER@HOST, or add the line to the \
                 file",
                path.display()
            ),
            None => format!(
                "{typed:?} names no user; write USER@HOST or USER@HOST:PORT, such as alice@example.org or \
                 alice@[::1]:22223"
            ),
        }
    }
}

impl Settings {
    /// Takes over what is not said yet.
    fn fill(&mut self, other: &Self) {
        fn first<T: Clone>(one: &mut Option<T>, other: &Option<T>) {
            if one.is_none() {
                one.clone_from(other);
            }
        }
        first(&mut self.host_name, &other.host_name);
        first(&mut self.port, &other.port);
        first(&mut self.user, &other.user);
        first(&mut self.identity_file, &other.identity_file);
        first(&mut self.passphrase_file, &other.passphrase_file);
        first(&mut self.password_file, &other.password_file);
        first(&mut self.fingerprint, &other.fingerprint);
        first(&mut self.wait, &other.wait);
        first(&mut self.reconnect, &other.reconnect);
    }
}

/// The name and the port as they were typed. An address of IPv6 stands in brackets and has colons of its own.
fn split_port(typed: &str) -> (&str, Option<&str>) {
    let after_brackets = typed.rfind(']').map_or(0, |at| at + 1);
    match typed[after_brackets..].find(':') {
        Some(at) => {
            let at = after_brackets + at;
            (&typed[..at], Some(&typed[at + 1..]))
        }
        None => (typed, None),
    }
}

/// Where the user's own file is. A relative directory would be another one in each folder.
fn own_path() -> Option<PathBuf> {
    let absolute = |dir: &PathBuf| dir.is_absolute();
    let xdg = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || {
        env::home_dir()
            .filter(absolute)
            .map(|home| home.join(".config"))
    };
    let dir = xdg.filter(absolute).or_else(home)?;
    Some(dir.join("latchstring").join("config"))
}

/// The file's text; `None` if there is no file. Others must not be able to change it: it says which host is called, and
/// with which key.
fn read(path: &Path) -> Result<Option<String>, Usage> {
    let failed = |why: String| Usage(format!("cannot read {}: {why}", path.display()));
    let (file, about) = match files::open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(format!("{error}; name another file with -F"))),
    };
    if !about.is_file() {
        return Err(failed("it is a pipe; name a file with -F".to_owned()));
    }
    files::check_trusted(path, &about).map_err(|why| Usage(why.to_string()))?;
    let mut bytes = Vec::new();
    (file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(|why| failed(why.to_string()))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed(format!(
            "it has more than {MAX_FILE} bytes; name another file with -F"
        )));
    }
    let text = String::from_utf8(bytes);
    text.map(Some)
        .map_err(|_| failed("it is not UTF-8; save it as UTF-8 with a text editor".to_owned()))
}

#[cfg(test)]
mod tests;
