//! The program's command line. The output for an operator or a script is decided here and below; nothing here is
//! protocol.

mod backup;
mod calibrate;
mod check;
mod collect;
mod fingerprint;
mod init;
mod invite;
mod made;
mod messages;
mod pepper;
mod reload;
mod serve;
mod signals;
mod user;

use std::{path::PathBuf, time::SystemTime};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use latchstring_keys::{RsaKey, keyfile::load_private};
use latchstring_server_core::config::{self, Config};
use latchstring_store_sqlite::Sqlite;

/// Serve the hardened protocol, latch/2, and manage its users.
#[derive(Debug, Parser)]
#[command(
    version,
    name = "latchstring-server",
    after_help = "Examples:\n  \
                  latchstring-server init\n  \
                  latchstring-server user add alice --key alice.pub.pem\n  \
                  latchstring-server serve"
)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where the server's files are.
#[derive(Debug, clap::Args)]
struct Place {
    /// Use this directory of the server
    #[arg(
        long,
        value_name = "D",
        global = true,
        default_value = "latchstring-server.d"
    )]
    dir: PathBuf,
    /// Use this configuration [default: D/server.toml]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a server: a directory with host key, configuration and an empty account store
    #[command(
        after_help = "Example:\n  latchstring-server init --dir /srv/latchstring --listen 0.0.0.0:22223\n\nNothing that exists is overwritten."
    )]
    Init(init::Init),
    /// Serve clients until SIGTERM or SIGINT
    #[command(
        after_help = "The log goes to the standard error; RUST_LOG=debug adds lines. It never holds secrets or messages. \
                      SIGHUP reloads the limits in the configuration; accounts are read at each login anyway.\n\n\
                      Example:\n  latchstring-server serve --dir /srv/latchstring --log-format json"
    )]
    Serve(serve::Serve),
    /// Make the running server read its configuration again; sessions go on
    #[command(
        after_help = "The configuration is checked first. With an error in it, nothing happens. `listen`, `host_key`, `database`, [sink] \
                      and [metrics] need a restart. The log names each setting that has changed.\n\n\
                      Example:\n  latchstring-server reload --dir /srv/latchstring"
    )]
    Reload,
    /// Check files, keys, passwords, clock, memory and disk; print advice for each problem
    #[command(
        after_help = "One line for each thing: ok, warning or error. The server may be running. The exit code is 1 if there is an error.\n\n\
                      Examples:\n  \
                      latchstring-server check --dir /srv/latchstring\n  \
                      latchstring-server check --json"
    )]
    Check(check::Check),
    /// Find the cost of password hashes that suits this machine
    #[command(
        after_help = "The section for server.toml goes to the standard output. Run it on a machine that has nothing else to do.\n\n\
                      A longer time makes a stolen store harder to guess from, and each login slower. Above 300 ms, \
                      logins take longer than the 400 ms after which refusals are answered.\n\n\
                      Examples:\n  \
                      latchstring-server calibrate\n  \
                      latchstring-server calibrate --time 250 --memory 128"
    )]
    Calibrate(calibrate::Calibrate),
    /// Print the fingerprint of the host's key, and with --picture a picture of it
    #[command(after_help = "Give it to every user by a way that they trust.\n\n\
                      Examples:\n  \
                      latchstring-server fingerprint\n  \
                      latchstring-server fingerprint --picture --dir /srv/latchstring")]
    Fingerprint(fingerprint::Show),
    /// Make a pepper: a secret file that password hashes need, so that a stolen store alone is not enough to guess from
    #[command(
        subcommand,
        after_help = "Example:\n  latchstring-server pepper new /etc/latchstring/pepper"
    )]
    Pepper(pepper::Pepper),
    /// Add, show, disable and remove users; change passwords and keys. The server may keep running
    #[command(
        subcommand,
        after_help = "Examples:\n  \
                      latchstring-server user add alice --key alice.pub.pem\n  \
                      latchstring-server user list"
    )]
    User(user::User),
    /// Invite a person: print an invitation, with which the person can make one account, by default within 24 hours
    #[command(
        after_help = "The invitation goes to the standard output, and instructions go to the standard error. \
                      A new invitation for the same name replaces the old one.\n\n\
                      To invite a user whose name is \"list\" or \"revoke\", write -- before the name.\n\n\
                      Examples:\n  \
                      latchstring-server invite alice\n  \
                      latchstring-server invite --expires 1h bob\n  \
                      latchstring-server invite --from class.csv --out invitations\n  \
                      latchstring-server invite --dir /srv/latchstring -- list"
    )]
    Invite(invite::Options),
    /// Print the messages of a user: number and text, one a line, with control characters escaped
    #[command(
        after_help = "A user has one log for each key. They are printed one after the other. The messages of a removed user \
                      are printed too.\n\n\
                      To print the messages of a user whose name is \"prune\", write -- before the name.\n\n\
                      Examples:\n  \
                      latchstring-server messages alice\n  \
                      latchstring-server messages alice --json\n  \
                      latchstring-server messages prune --older-than 90d"
    )]
    Messages(messages::Options),
    /// Write the files that users have sent into a directory. The server may keep running
    #[command(
        after_help = "The file NAME of USER is DIR/USER/NAME. Beside it, NAME.received holds the time at which the server had all \
                      of it. Nothing that exists is overwritten: run the command again for the files that have come since. \
                      Of two contents under one name, the later one is HASH-NAME, with 16 digits of its SHA-256.\n\n\
                      Incomplete and broken files are reported on the standard error.\n\n\
                      Examples:\n  \
                      latchstring-server collect --dir /srv/latchstring handed-in\n  \
                      latchstring-server collect --json handed-in"
    )]
    Collect(collect::Collect),
    /// Copy all files of the server into a new directory. The server may keep running
    #[command(
        after_help = "Example:\n  latchstring-server backup --dir /srv/latchstring /root/latchstring-backup"
    )]
    Backup(backup::Backup),
    /// Make a server from a backup
    #[command(
        after_help = "Nothing that exists is overwritten. The copy is checked first. Open invitations are revoked.\n\n\
                      Example:\n  latchstring-server restore --dir /srv/latchstring /root/latchstring-backup"
    )]
    Restore(backup::Restore),
}

impl Options {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Anything; the text says what to do about it.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Init(init) => init.run(&self.place).await,
            Command::Serve(serve) => serve.run(&self.place).await,
            Command::Reload => reload::run(&self.place),
            Command::Check(check) => check.run(&self.place).await,
            Command::Calibrate(calibrate) => calibrate.run(),
            Command::Fingerprint(show) => show.run(&self.place),
            Command::Pepper(pepper) => pepper.run(),
            Command::User(user) => user.run(&self.place).await,
            Command::Invite(invite) => invite.run(&self.place).await,
            Command::Messages(messages) => messages.run(&self.place).await,
            Command::Collect(collect) => collect.run(&self.place).await,
            Command::Backup(backup) => backup.run(&self.place).await,
            Command::Restore(restore) => restore.run(&self.place).await,
        }
    }
}

impl Place {
    fn config_path(&self) -> PathBuf {
        match &self.config {
            Some(path) => path.clone(),
            None => self.dir.join(config::FILE),
        }
    }

    fn config(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config_path())?)
    }

    /// The host key that the configuration names.
    fn host_key(config: &Config) -> anyhow::Result<RsaKey> {
        let path = &config.host_key;
        ensure!(
            path.symlink_metadata().is_ok(),
            "there is no host key at {}; put it back from a backup, or make a new one with: \
             latchstring-server init --dir NEW-DIR, and copy its {} here",
            path.display(),
            config::HOST_KEY
        );
        load_private(path).context("cannot use the host key")
    }

    async fn store(&self) -> anyhow::Result<Sqlite> {
        let database = self.config()?.database;
        (Sqlite::open(&database).await).context("cannot open the account store")
    }
}

/// Seconds since 1970.
fn now() -> anyhow::Result<u64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Ok(now
        .context("this machine's clock is before 1970")?
        .as_secs())
}
