//! What every command that logs in has in common: whose account it is, the key, the password, the known hosts.

use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use latchstring_client_core::{
    Client, ClientError,
    address::Address,
    dial::{Dial, Person},
    known_hosts::KnownHosts,
    password::{PasswordError, Source},
    redial::Redial,
    retry::{Retry, Why},
};
use latchstring_keys::{AwsLc, RsaKey};
use latchstring_net::{
    entropy::OsEntropy,
    password::descriptor_number,
    picture::picture,
    print,
    protocol::hardened::{full::Full, message::Fingerprint},
};

use super::{
    WAIT, home,
    passphrase::load_key,
    screen::{Report, Screen},
    source,
};
use crate::{
    config::{Config, MAX_WAIT},
    usage::Usage,
};

/// Where names of hosts are looked up.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Aliases {
    /// Read hosts from this configuration file [default: ~/.config/latchstring/config]
    #[arg(long, short = 'F', value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Aliases {
    /// # Errors
    /// The line that is wrong.
    pub(super) fn load(&self) -> Result<Config, Usage> {
        Config::load(self.config.as_deref())
    }
}

/// The options of a login.
#[derive(Debug, clap::Args)]
pub(super) struct Access {
    /// Name the user and the host, or a host of the configuration file; IPv6 goes in brackets [default port: 22223]
    #[arg(value_name = "USER@HOST[:PORT]")]
    to: String,
    #[command(flatten)]
    aliases: Aliases,
    /// Keep known hosts, key and unacknowledged messages in this directory [default: ~/.latchstring]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
    /// Log in with this private key [default: D/id.pem]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read the passphrase of the key from a file that only you can read
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Expect this fingerprint of the host, from its operator; it is remembered if the host proves it
    #[arg(long, value_name = "SHA256:…")]
    fingerprint: Option<Fingerprint>,
    /// Read the password from a file that only you can read
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// Read the password from an open file descriptor: one line of it
    #[arg(long, value_name = "N", value_parser = descriptor_number)]
    pub(super) password_fd: Option<u32>,
    /// Show only errors and the server's messages
    #[arg(long, short)]
    quiet: bool,
    /// Try again for this number of seconds while the server has no room; 0 tries once [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=MAX_WAIT))]
    wait: Option<u64>,
    /// Log in again for this number of seconds after a session that broke off; 0 ends with it [default: 60 for send, else 0]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=MAX_WAIT))]
    reconnect: Option<u64>,
}

/// A login with everything that the options and the configuration say about it.
pub(super) struct Login {
    pub(super) address: Address,
    pub(super) quiet: bool,
    dir: Option<PathBuf>,
    key: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    fingerprint: Option<Fingerprint>,
    source: Source,
    wait: u64,
    reconnect: Option<u64>,
}

impl Access {
    /// Looks the host up. An option wins over the configuration.
    ///
    /// # Errors
    /// The line of the configuration that is wrong, or the fault of the address.
    pub(super) fn resolve(self) -> Result<Login, Usage> {
        let (address, settings) = self.aliases.load()?.resolve(&self.to)?;
        let from_file = match self.password_fd {
            Some(_) => None,
            None => self.password_file.or(settings.password_file),
        };
        Ok(Login {
            address,
            quiet: self.quiet,
            dir: self.dir,
            key: self.key.or(settings.identity_file),
            passphrase_file: self.passphrase_file.or(settings.passphrase_file),
            fingerprint: self.fingerprint.or(settings.fingerprint),
            source: source(from_file, self.password_fd),
            wait: self.wait.or(settings.wait).unwrap_or(WAIT),
            reconnect: self.reconnect.or(settings.reconnect),
        })
    }
}

impl Login {
    /// Gets everything that a login needs, and hands it to `then`. Unless the user says otherwise, it comes again for
    /// `reconnect` after a session that broke off.
    ///
    /// # Errors
    /// Anything; [`super::exit_codes::exit_code`] sorts them.
    pub(super) async fn redial<T>(
        self,
        screen: &Screen,
        reconnect: Duration,
        then: impl AsyncFnOnce(Redial<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let dir = home(self.dir)?;
        let key = self.key.unwrap_or_else(|| dir.join("id.pem"));
        let key = load_key(&key, self.passphrase_file.as_deref())?;
        if self.source == Source::Prompt && !io::stdin().is_terminal() {
            return Err(ClientError::from(PasswordError::NoTerminal).into());
        }
        let client = client(&self.address, key);
        let dial = Dial {
            client: &client,
            address: &self.address,
            given: self.fingerprint,
            source: &self.source,
            outboxes: dir.join("outbox"),
            hosts: KnownHosts::load(&dir.join("known_hosts"))?,
            retry: Retry::new(Duration::from_secs(self.wait), &OsEntropy),
            person: screen,
        };
        let reconnect = self.reconnect.map_or(reconnect, Duration::from_secs);
        then(Redial::new(dial, reconnect)).await
    }
}

/// The deployed client: constant-time RSA, the operating system's randomness, every defence.
pub(super) fn client(address: &Address, key: RsaKey) -> Client {
    Client {
        user: address.user.clone(),
        key: Arc::new(key),
        verifier: Arc::new(AwsLc),
        entropy: Arc::new(OsEntropy),
        defences: Full,
    }
}

impl Person for Screen {
    fn can_be_asked(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Anything but a clear yes is a no.
    fn confirm(&self, host: &str, met: Fingerprint) -> io::Result<Option<Fingerprint>> {
        print::note(format_args!(
            "The host {host} is not known. Its key has the fingerprint\n\n  {met}\n\n{}\n",
            picture(&met, "host key")
        ));
        print::note(format_args!(
            "Compare it with the one that the operator gave you (the picture only helps: a similar picture is no proof), then type `yes` or paste that one:"
        ));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(match answer.trim() {
            "yes" => Some(met),
            other => other.parse().ok(),
        })
    }

    fn note(&self, text: &str) {
        Self::note(self, text);
    }

    fn warn(&self, text: &str) {
        Self::warn(self, text);
    }

    fn waiting(&self, why: Why, wait: Duration, attempt: u32) {
        let why = match why {
            Why::NoRoom => "The server has no room for this connection yet",
            Why::TooSlow => "The server did not answer in time",
            Why::CutOff => "The connection broke off",
            Why::Gone => "The server cannot be reached",
        };
        let seconds = wait.as_secs_f64();
        self.note(&format!(
            "{why}. Attempt {attempt} follows in {seconds:.1} s."
        ));
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        // Whether somebody reads shows at the next report.
        let _ = self.report(&Report::Waiting {
            milliseconds,
            attempt,
        });
    }
}
