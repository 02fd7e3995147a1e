//! `server.toml`: where a server listens, which files it uses, and its limits.

mod listen;
mod metrics;
mod passwords;
mod retention;
mod sink;

use std::{
    io,
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use latchstring_net::files::{self, Exposed};
use serde::{Deserialize, Deserializer, de::Error as _};
use thiserror::Error;

use crate::{Limits, balancers::Balancers};

pub use listen::parse as parse_listen;
pub use metrics::Metrics;
pub use passwords::Passwords;
pub use retention::Retention;
pub use sink::Sink;

/// Name of the file in a server's directory.
pub const FILE: &str = "server.toml";
/// Name of the private host key beside it, unless the file says otherwise.
pub const HOST_KEY: &str = "host_key.pem";
/// Name of the public half beside that, with which anybody can compute the fingerprint by other means.
pub const HOST_PUBLIC_KEY: &str = "host_key.pub.pem";
/// Name of the account store beside it, unless the file says otherwise.
pub const DATABASE: &str = "accounts.db";
/// No such file is longer.
const MAX_FILE: usize = 64 * 1024;

/// The content of the file; paths are ready to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The private host key.
    pub host_key: PathBuf,
    /// The account store.
    pub database: PathBuf,
    /// The balancers that connect for clients.
    #[serde(default)]
    pub balancers: Balancers,
    /// How much the server takes on.
    #[serde(default)]
    pub limits: Limits,
    /// What a stored password costs to try.
    #[serde(default)]
    pub passwords: Passwords,
    /// Where messages go besides the store.
    #[serde(default)]
    pub sink: Sink,
    /// How long messages stay in the store.
    #[serde(default)]
    pub retention: Retention,
    /// Where a monitoring system reads how the server is doing.
    #[serde(default)]
    pub metrics: Metrics,
}

/// Why there is no configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no such file.
    #[error("there is no {}; make a server with: latchstring-server init --dir DIR", .0.display())]
    Missing(PathBuf),
    /// The operating system says no.
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could choose the host key and the account store.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// Such a file is not read in part.
    #[error("{} is longer than 64 KiB; the configuration is a short file, see: latchstring-server init", .0.display())]
    TooLong(PathBuf),
    /// Bytes that are no text.
    #[error("{} is not UTF-8 text; save it as UTF-8 with a text editor", .0.display())]
    NotText(PathBuf),
    /// A setting of an earlier version. To pass over it in silence would leave its operator in the belief that it holds.
    #[error("{}: line {line}: the setting `{name}` no longer exists: {why}; delete this line", .path.display())]
    Retired {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// The setting.
        name: &'static str,
        /// The reason.
        why: &'static str,
    },
    /// The file says something that means nothing here.
    #[error("{}: {at}{why}", .path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// `line N, column N: `, where that is known.
        at: String,
        /// What.
        why: String,
    },
}

impl Config {
    /// Reads the file. Relative paths in it are relative to it.
    ///
    /// # Errors
    /// [`ConfigError`]; an unknown or missing field, or a value out of range, with its line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        if let Some((line, name, why)) = retired(&text) {
            let path = path.to_owned();
            return Err(ConfigError::Retired {
                path,
                line,
                name,
                why,
            });
        }
        let mut config: Self = toml::from_str(&text).map_err(|error| slip(path, &text, &error))?;
        config.metrics.beside(config.listen).map_err(|why| {
            let (path, at) = (path.to_owned(), String::new());
            ConfigError::Toml { path, at, why }
        })?;
        let beside = path.parent().unwrap_or(Path::new(""));
        config.host_key = beside.join(config.host_key);
        config.database = beside.join(config.database);
        for path in config.passwords.files_mut() {
            *path = beside.join(&*path);
            check_directory(path)?;
        }
        // The helper files of SQLite are made beside the store, so its directory counts as much as the store itself.
        check_directory(&config.host_key)?;
        check_directory(&config.database)?;
        if let Some(path) = config.sink.path_mut() {
            *path = beside.join(&path);
            // Other users could put another file there, and read the messages in it.
            check_directory(path)?;
        }
        Ok(config)
    }
}

impl Config {
    /// The same configuration after a move of its file from `from` to `to`.
    pub fn moved(mut self, from: &Path, to: &Path) -> Self {
        let beside = to.parent().unwrap_or(Path::new(""));
        let paths = [&mut self.host_key, &mut self.database];
        let named = self.sink.path_mut().into_iter();
        let named = named.chain(self.passwords.files_mut());
        for path in paths.into_iter().chain(named) {
            // An absolute path stays: only a relative one was made by joining.
            if let Ok(relative) = path.strip_prefix(from) {
                *path = beside.join(relative);
            }
        }
        self
    }

    /// The settings of a new file that a running server cannot take over.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let settings = [
            ("listen", self.listen != new.listen),
            ("host_key", self.host_key != new.host_key),
            ("database", self.database != new.database),
            ("sink", self.sink != new.sink),
            ("metrics.listen", self.metrics != new.metrics),
            ("balancers", self.balancers != new.balancers),
        ];
        let changed = settings.into_iter().filter(|(_, changed)| *changed);
        changed.map(|(name, _)| name).collect()
    }

    /// The settings that a running server takes over: `name old -> new` for each that has changed.
    pub fn changes(&self, new: &Self) -> Vec<String> {
        let mut changes = self.limits.changes(&new.limits);
        changes.extend(self.passwords.changes(&new.passwords));
        changes.extend(self.retention.changes(&new.retention));
        changes
    }
}

/// The first setting in the file that earlier versions had: its line, its name, and what holds instead.
fn retired(text: &str) -> Option<(usize, &'static str, &'static str)> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Earlier {
        limits: EarlierLimits,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct EarlierLimits {
        max_message: Option<toml::Spanned<toml::Value>>,
    }
    // What is wrong with the rest of the file is for the real reader to say. A list would be read by position.
    let table: toml::Table = text.parse().ok()?;
    table.get("limits")?.as_table()?;
    let earlier: Earlier = toml::from_str(text).ok()?;
    let start = earlier.limits.max_message?.span().start;
    let line = text[..start].lines().count();
    let why = "every server takes messages of up to 16372 bytes, the protocol's own limit";
    Some((line, "max_message", why))
}

/// The text of a file that nobody else can change, in a directory where nobody else can put another one.
fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ConfigError::Missing(path.to_owned()),
        _ => ConfigError::Io {
            path: path.to_owned(),
            source,
        },
    };
    check_directory(path)?;
    let (bytes, about) = files::read(path, MAX_FILE + 1).map_err(failed)?;
    files::check_trusted(path, &about)?;
    if bytes.len() > MAX_FILE {
        return Err(ConfigError::TooLong(path.to_owned()));
    }
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| ConfigError::NotText(path.to_owned()))?;
    // Some editors begin a text with this mark.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The directory of a file: a person who can write to it can put another file in its place.
pub(crate) fn check_directory(file: &Path) -> Result<(), ConfigError> {
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    // One that is not there is for the file's own error.
    let Ok(about) = directory.metadata() else {
        return Ok(());
    };
    files::check_trusted(directory, &about)?;
    let whole = directory.canonicalize().unwrap_or_default();
    whole.ancestors().skip(1).try_for_each(check_above)
}

/// A directory further up: where everybody may write, everybody may put another directory in the place of ours. With the
/// sticky bit, as in /tmp, they may not.
fn check_above(directory: &Path) -> Result<(), ConfigError> {
    let mode = directory
        .metadata()
        .map_or(0, |about| about.mode() & 0o7777);
    if mode & 0o1002 == 0o002 {
        let path = directory.to_owned();
        return Err(Exposed::Writable { path, mode }.into());
    }
    Ok(())
}

/// TOML's error in one line.
fn slip(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().and_then(|span| text.get(..span.start));
    let at = at.map(|before| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        format!("line {line}, column {column}: ")
    });
    let words: Vec<_> = error.message().split_whitespace().collect();
    ConfigError::Toml {
        path: path.to_owned(),
        at: at.unwrap_or_default(),
        why: words.join(" "),
    }
}

fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    listen::parse(&text).map_err(D::Error::custom)
}

/// The text of a new file, with every setting and what it means.
pub fn new_file(listen: SocketAddr) -> String {
    let Limits {
        max_connections,
        max_unauthenticated,
        max_unauthenticated_per_source,
        early_drop_from,
        early_drop_percent,
        connection_burst,
        connections_per_minute,
        signing_permits,
        signing_queue,
        password_permits,
        password_queue,
        rekey_seconds,
    } = Limits::default();
    let passwords = Passwords::section(Passwords::default().cost);
    format!(
        r#"# The configuration of latchstring-server. Relative paths are relative to this file. An unknown name is an error.

# Listen on this address and port. 127.0.0.1 accepts only this machine, "0.0.0.0:22223" every IPv4 network of this
# machine, "[::]:22223" every network.
listen = "{listen}"

# Files for the private host key (mode 0600), and for the accounts and their messages (mode 0600).
host_key = "{HOST_KEY}"
database = "{DATABASE}"

# Addresses or networks of balancers that connect for clients and speak the PROXY protocol (version 1 or 2), for example
# ["192.0.2.7"]. The client's address in their headers is believed, and in nobody else's.
balancers = []

# `latchstring-server reload` makes a running server read this file again. The settings above need a restart.

# The cost of a password hash: argon2id with one lane, over this much memory, this often. New passwords get it, and each
# stored password at its user's next login. `latchstring-server calibrate` finds the numbers for this machine.
{passwords}# A file of random bytes that new hashes need as well, on another disk than the store. A thief of the store alone cannot
# guess passwords then. Make it with: latchstring-server pepper new FILE
# pepper_file = "/etc/latchstring/pepper"
# Refuse new passwords that are in this list: the SHA-1 file of Have I Been Pwned, or its directory of range files.
# breached = "/srv/pwned-passwords"

[limits]

# Most connections at the same time, logged in or not.
max_connections = {max_connections}
# Most connections that are not logged in: of all sources together, and of one source. A source is an IPv4 address or
# an IPv6 /64.
max_unauthenticated = {max_unauthenticated}
max_unauthenticated_per_source = {max_unauthenticated_per_source}
# Above this count of connections that are not logged in, drop new ones at random, starting at this percentage and
# rising to 100 %.
early_drop_from = {early_drop_from}
early_drop_percent = {early_drop_percent}
# Most connections that one source may open at once, and then in each minute.
connection_burst = {connection_burst}
connections_per_minute = {connections_per_minute}
# Host signatures that are computed at the same time. Each takes a processor for about 1 ms.
signing_permits = {signing_permits}
# Most connections that wait for a host signature. Further connections are dropped.
signing_queue = {signing_queue}
# Passwords that are checked at the same time. Each takes the memory above, and a processor: 0.15 s for 64 MiB and 3 passes.
password_permits = {password_permits}
# Most logins that wait for a password check. Further logins are dropped.
password_queue = {password_queue}
# Seconds until a session changes its keys; 900 at most.
rekey_seconds = {rekey_seconds}

{retention}
{sink}
{metrics}"#,
        retention = Retention::SECTION,
        sink = Sink::SECTION,
        metrics = Metrics::SECTION,
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, text).unwrap();
        let config = Config::load(&path).map_err(|e| e.to_string());
        config.map(|config| Config {
            host_key: config
                .host_key
                .strip_prefix(dir.path())
                .map_or(config.host_key.clone(), Path::to_owned),
            database: config
                .database
                .strip_prefix(dir.path())
                .map_or(config.database.clone(), Path::to_owned),
            ..config
        })
    }

    const SHORT: &str = "listen = \"127.0.0.1:1\"\nhost_key = \"k\"\ndatabase = \"/var/a.db\"\n";

    #[test]
    fn a_new_file_says_the_defaults() {
        let config = load(&new_file("127.0.0.1:22223".parse().unwrap())).unwrap();
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.passwords, Passwords::default());
        assert_eq!(config.sink, Sink::default());
        assert_eq!(config.retention, Retention::default());
        assert_eq!(config.listen, "127.0.0.1:22223".parse().unwrap());
        assert_eq!(config.host_key, Path::new(HOST_KEY));
    }

    #[test]
    fn relative_paths_are_relative_to_the_file_and_absolute_ones_stay() {
        let config = load(SHORT).unwrap();
        assert_eq!(config.host_key, Path::new("k"));
        assert_eq!(config.database, Path::new("/var/a.db"));
        assert_eq!(config.limits, Limits::default());
    }

    #[test]
    fn the_files_of_passwords_are_relative_to_the_file_too_and_move_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let more = "[passwords]\npepper_file = [\"p\", \"/etc/p\"]\nbreached = \"list\"\n";
        fs::write(&path, format!("{SHORT}{more}")).unwrap();
        let passwords = Config::load(&path).unwrap().passwords;
        assert_eq!(
            passwords.pepper_files,
            [dir.path().join("p"), "/etc/p".into()]
        );
        assert_eq!(passwords.breached, Some(dir.path().join("list")));
        let moved = Config::load(&path).unwrap();
        let moved = moved.moved(dir.path(), Path::new("/srv/server.toml"));
        let moved = moved.passwords.pepper_files;
        assert_eq!(moved, [Path::new("/srv/p"), Path::new("/etc/p")]);
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, SHORT).unwrap();
        for (mode, good) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Config::load(&path).is_ok(), good, "{mode:o}");
        }
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, SHORT).unwrap();
        for (mode, good) in [
            (0o700, true),
            (0o755, true),
            (0o770, false),
            (0o777, false),
            (0o1777, false),
        ] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            let loaded = Config::load(&path).map_err(|e| e.to_string());
            assert_eq!(loaded.is_ok(), good, "{mode:o} {loaded:?}");
            if let Err(error) = loaded {
                assert!(error.contains("run: chmod"), "{error}");
            }
        }
    }

    #[test]
    fn a_directory_further_up_may_be_open_to_all_only_with_the_sticky_bit() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("below");
        fs::create_dir(&below).unwrap();
        fs::set_permissions(&below, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(below.join(FILE), SHORT).unwrap();
        for (mode, good) in [(0o755, true), (0o1777, true), (0o777, false)] {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            let loaded = Config::load(&below.join(FILE));
            assert_eq!(loaded.is_ok(), good, "{mode:o} {loaded:?}");
        }
    }

    /// Only root can give a file away.
    #[test]
    fn files_of_another_user_are_refused() {
        if !nix::unistd::Uid::effective().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, SHORT).unwrap();
        std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(
            error.contains("another user") && error.contains("chown 0"),
            "{error}"
        );
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
        std::os::unix::fs::chown(dir.path(), Some(65_534), None).unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        assert!(error.contains("another user"), "{error}");
    }

    #[test]
    fn what_is_no_short_text_is_refused_and_nothing_hangs() {
        let long = format!("{SHORT}{}", "# more\n".repeat(10_000));
        assert!(load(&long).unwrap_err().contains("longer than 64 KiB"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let error = || Config::load(&path).unwrap_err().to_string();
        fs::write(&path, b"listen = \"\xff\"").unwrap();
        assert!(error().contains("not UTF-8"));
        fs::remove_file(&path).unwrap();
        assert!(error().contains("latchstring-server init"));
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(error().contains("pipe"), "{}", error());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(error().contains("directory"), "{}", error());
    }

    #[test]
    fn every_error_is_one_line() {
        for text in [
            "listen = ",
            "listen = \"127.0.0.1:1\"\nlisten = 2",
            "[limits]\nmax_connections = \"x\"",
            "= \u{1b}[2J",
            "\"\"\"",
            "x",
        ] {
            let error = load(&format!("{SHORT}{text}")).unwrap_err();
            assert!(!error.contains('\n'), "{error}");
            assert!(error.contains("line "), "{error}");
        }
    }

    #[test]
    fn what_is_not_known_or_out_of_range_is_refused_with_its_line() {
        for (more, line, word) in [
            ("hostkey = \"k\"\n", 4, "hostkey"),
            ("[limits]\nmax_conections = 1\n", 5, "max_conections"),
            ("[limits]\nmax_connections = 0\n", 5, "use 1 to"),
            ("[limits]\npassword_permits = -1\n", 5, "-1"),
            ("[limits]\nmax_connections = \"9\"\n", 5, "a whole number"),
            ("[limits]\nmax_connections = 9.5\n", 5, "a whole number"),
            (
                "[limits]\nmax_connections = 99999999999999999999\n",
                5,
                "use 1 to",
            ),
            ("[[limits]]\nmax_connections = 9\n", 4, "expected"),
            ("[limits]\nmax_message = 200\n", 5, "delete this line"),
            (
                "[limits]\n\n  max_message = \"x\" # old\n",
                6,
                "delete this line",
            ),
        ] {
            let error = load(&format!("{SHORT}{more}")).unwrap_err();
            assert!(error.contains(&format!("line {line}")), "{error}");
            assert!(error.contains(word), "{error}");
        }
        assert!(
            load("listen = \"127.0.0.1:1\"\n")
                .unwrap_err()
                .contains("host_key")
        );
        assert!(
            load("listen = \"localhost\"\n")
                .unwrap_err()
                .contains("line 1")
        );
    }
}
