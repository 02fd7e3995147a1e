//! The program's command line. The output for a person or a script is decided here and below; nothing here is protocol.

mod access;
mod connect;
mod editor;
mod enrol;
mod exit_codes;
mod interrupted;
mod keygen;
mod known_hosts;
mod outbox_notes;
mod passphrase;
mod screen;
mod send;
mod send_file;
mod signals;
mod status;
mod talk;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use latchstring_client_core::password::Source;
use latchstring_net::{files::check_trusted, password::descriptor_number};

pub(crate) use self::exit_codes::exit_code;

use self::access::{Access, Aliases};
use crate::config::MAX_WAIT;

/// In seconds: a class that logs in together is in after a minute.
const WAIT: u64 = 60;

const EXAMPLES: &str = "\
Examples:
  latchstring-client enrol alice@example.org
  latchstring-client send alice@example.org 'the door is open'
  latchstring-client connect alice@example.org
  latchstring-client connect --quiet --password-file pw alice@[::1] <lines
  latchstring-client send-file alice@example.org hand-in.zip";

/// Log in with the hardened protocol, latch/2, and send messages.
#[derive(Debug, Parser)]
#[command(
    version,
    name = "latchstring-client",
    after_help = format!("{}\n\n{EXAMPLES}", exit_codes::help())
)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key: NAME.pem for you alone, NAME.pub.pem for the server's operator
    #[command(
        after_help = "At a terminal the client asks for a passphrase, and encrypts the private key with it. An empty \
                      passphrase leaves the key as it is, and so does a script that gives none. The file is PKCS#8; \
                      openssl pkey reads it. An existing key is never overwritten.\n\n\
                      Examples:\n  \
                      latchstring-client keygen --bits 4096\n  \
                      latchstring-client keygen --name work --passphrase-file phrase\n  \
                      latchstring-client keygen --change-passphrase"
    )]
    Keygen(Keygen),
    /// Make your account with an invitation: a line from the server's operator
    #[command(
        after_help = "The invitation holds the fingerprint of the host's key, so you need not confirm it. The client \
                      makes a key if you have no key. It asks for the invitation unless a file or a file descriptor gives \
                      it. The command line never holds it, because other users of this machine could read it there.\n\n\
                      Examples:\n  \
                      latchstring-client enrol alice@example.org\n  \
                      latchstring-client enrol --invite-file invitation alice@[::1]:22223"
    )]
    Enrol(Enrol),
    /// Log in and send each line of the standard input as a message
    #[command(
        after_help = "The client asks for the password only if the host's key is known, given (--fingerprint) or confirmed \
                      by you. If a known host shows another key, the client refuses it; no option overrides that.\n\n\
                      Messages that the server has not acknowledged are kept and sent again at the next connect. An error \
                      gives the number of lines that were taken; the rest is left in the input. The end of the input \
                      (Ctrl-D) ends the session.\n\n\
                      Examples:\n  \
                      latchstring-client connect alice@example.org\n  \
                      latchstring-client connect alice@[2001:db8::1] --fingerprint SHA256:…\n  \
                      latchstring-client connect --json --password-file pw alice@[::1] <lines"
    )]
    Connect(Connect),
    /// Send one message, wait until the server has stored it, and print a receipt
    #[command(
        after_help = "The text comes from the command line, where other users of this machine can see it, or from the \
                      standard input. After a session that broke off the client logs in again, and the message arrives \
                      once. If the time for that is over, the message waits in the outbox (exit code 5): the next send or \
                      connect delivers it.\n\n\
                      Examples:\n  \
                      latchstring-client send alice@example.org 'the door is open'\n  \
                      date | latchstring-client send --json --password-file pw work\n  \
                      latchstring-client send --file hand-in.zip alice@example.org"
    )]
    Send(send::SendOne),
    /// Send a file as messages, and write a receipt when the server has stored all of it
    #[command(
        after_help = "While the file is on its way, FILE.sending notes which parts the server has acknowledged. After any \
                      error, run the same command again: the client asks the server for the parts that it holds, and sends \
                      the others. At the end, FILE.receipt.json holds the SHA-256 of the file, the fingerprint of the \
                      host's key, and the number of each message at the server.\n\n\
                      The server stores the parts as messages. Its operator puts the file together.\n\n\
                      Examples:\n  \
                      latchstring-client send-file alice@example.org hand-in.zip\n  \
                      latchstring-client send-file --password-file pw --name lab-1.zip alice@[::1] /tmp/out.zip"
    )]
    SendFile(send_file::SendFile),
    /// List, add or remove hosts whose keys are known
    #[command(after_help = "Example:\n  latchstring-client known-hosts list")]
    KnownHosts(known_hosts::KnownHostsOptions),
    /// Show your key, the known hosts, and the messages that wait for a server
    #[command(
        after_help = "The command reads files of yours, changes none of them, and calls no server.\n\n\
                      Examples:\n  \
                      latchstring-client status\n  \
                      latchstring-client status --json"
    )]
    Status(status::Status),
}

#[derive(Debug, clap::Args)]
struct Keygen {
    /// Write into this directory [default: ~/.latchstring]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
    /// Make an RSA key of this size, in bits
    #[arg(long, value_name = "BITS", default_value = "3072", value_parser = ["3072", "4096"])]
    bits: String,
    /// Give the two files this name
    #[arg(long, value_name = "NAME", default_value = "id", value_parser = file_stem)]
    name: String,
    /// Read the new passphrase from a file that only you can read
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Make no key, and give the key of this name another passphrase
    #[arg(long, conflicts_with = "bits")]
    change_passphrase: bool,
    /// Read the old passphrase from a file that only you can read
    #[arg(long, value_name = "FILE", requires = "change_passphrase")]
    old_passphrase_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Connect {
    #[command(flatten)]
    access: Access,
    /// Print one JSON object a line to the standard output, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Enrol {
    /// Name the user and the host, or a host of the configuration file; IPv6 goes in brackets [default port: 22223]
    #[arg(value_name = "USER@HOST[:PORT]")]
    to: String,
    #[command(flatten)]
    aliases: Aliases,
    /// Keep known hosts and key in this directory [default: ~/.latchstring]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
    /// Log in with this private key [default: D/id.pem]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read the passphrase of the key from a file that only you can read
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the invitation from a file that only you can read
    #[arg(long, value_name = "FILE", conflicts_with = "invite_fd")]
    invite_file: Option<PathBuf>,
    /// Read the invitation from an open file descriptor: one line of it
    #[arg(long, value_name = "N", value_parser = descriptor_number)]
    invite_fd: Option<u32>,
    /// Read your new password from a file that only you can read
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// Read your new password from an open file descriptor: one line of it
    #[arg(long, value_name = "N", value_parser = descriptor_number)]
    password_fd: Option<u32>,
    /// Try again for this number of seconds while the server has no room; 0 tries once [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=MAX_WAIT))]
    wait: Option<u64>,
}

impl Options {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Anything; [`exit_codes::exit_code`] sorts them.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Keygen(options) => keygen::run(options),
            Command::Enrol(options) => enrol::run(options).await,
            Command::Connect(options) => connect::run(options).await,
            Command::Send(options) => options.run().await,
            Command::SendFile(options) => options.run().await,
            Command::KnownHosts(options) => options.run(),
            Command::Status(options) => options.run(),
        }
    }
}

/// Where a secret comes from: without a file or a descriptor, from a person.
fn source(file: Option<PathBuf>, descriptor: Option<u32>) -> Source {
    match (file, descriptor) {
        (Some(path), _) => Source::File(path),
        (None, Some(fd)) => Source::Descriptor(fd),
        (None, None) => Source::Prompt,
    }
}

/// The directory that was given, or `~/.latchstring`.
fn home_path(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    Ok(match given {
        Some(dir) => dir,
        // With HOME="" it would be wherever the program was started, and known_hosts there.
        None => (std::env::home_dir().filter(|home| home.is_absolute()))
            .context("cannot tell where your home directory is: set HOME, or use --dir")?
            .join(".latchstring"),
    })
}

/// The same, made if it is not there.
fn home(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt};
    let dir = home_path(given)?;
    (DirBuilder::new().recursive(true).mode(0o700).create(&dir))
        .with_context(|| format!("cannot make the directory {}", dir.display()))?;
    // Others could put a key or a known_hosts of theirs in it.
    let about = std::fs::metadata(&dir);
    check_trusted(
        &dir,
        &about.with_context(|| format!("cannot look at {}", dir.display()))?,
    )?;
    Ok(dir)
}

fn file_stem(name: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("use letters, digits, . _ and -, beginning with a letter or digit".to_owned())
    }
}
