//! What every command that logs in has in common: whose account it is, the key, the password, the known hosts.

use std::{
    io::{self, BufRead, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::anyhow;
use latchstring_client_core::{
    Client, ClientError,
    address::Address,
    dial::{Dial, Person},
    known_hosts::KnownHosts,
    password::{PasswordError, Source},
    retry::{Retry, Why},
};
use latchstring_keys::{AwsLc, RsaKey, keyfile::load_private};
use latchstring_net::{
    entropy::OsEntropy,
    keyfile::KeyFileError,
    password::descriptor_number,
    picture::picture,
    print,
    protocol::hardened::{full::Full, message::Fingerprint},
};

use super::{
    MAX_WAIT, WAIT, home,
    screen::{Report, Screen},
    source,
};

/// The options of a login.
#[derive(Debug, clap::Args)]
pub(super) struct Access {
    /// Name the user and the host; IPv6 goes in brackets [default port: 22223]
    #[arg(value_name = "USER@HOST[:PORT]")]
    pub(super) address: Address,
    /// Keep known hosts, key and unacknowledged messages in this directory [default: ~/.latchstring]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
    /// Log in with this private key [default: D/id.pem]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Expect this fingerprint of the host, from its operator; it is remembered if the host proves it
    #[arg(long, value_name = "SHA256:…")]
    fingerprint: Option<Fingerprint>,
    /// Read the password from a file that only you can read
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// Read the password from an open file descriptor: one line of it
    #[arg(long, value_name = "N", value_parser = descriptor_number)]
    password_fd: Option<u32>,
    /// Show only errors and the server's messages
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Try again for this number of seconds while the server has no room; 0 tries once
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT, value_parser = clap::value_parser!(u64).range(..=MAX_WAIT))]
    wait: u64,
}

impl Access {
    /// Gets everything that a login needs, and hands it to `then`.
    ///
    /// # Errors
    /// Anything; [`super::exit_code`] sorts them.
    pub(super) async fn dial<T>(
        self,
        screen: &Screen,
        then: impl AsyncFnOnce(Dial<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let dir = home(self.dir)?;
        let key = load_key(&self.key.unwrap_or_else(|| dir.join("id.pem")))?;
        let source = source(self.password_file, self.password_fd);
        if source == Source::Prompt && !io::stdin().is_terminal() {
            return Err(ClientError::from(PasswordError::NoTerminal).into());
        }
        let client = client(&self.address, key);
        let dial = Dial {
            client: &client,
            address: &self.address,
            given: self.fingerprint,
            source: &source,
            outboxes: dir.join("outbox"),
            hosts: KnownHosts::load(&dir.join("known_hosts"))?,
            retry: Retry::new(Duration::from_secs(self.wait), &OsEntropy),
            person: screen,
        };
        then(dial).await
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

fn load_key(path: &Path) -> anyhow::Result<RsaKey> {
    load_private(path).map_err(|error| match error {
        KeyFileError::Io { ref source, .. } if source.kind() == io::ErrorKind::NotFound => anyhow!(
            "there is no key at {}; make one with `latchstring-client keygen`, or name yours with --key",
            path.display()
        ),
        _ => error.into(),
    })
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
