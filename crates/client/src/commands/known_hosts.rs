//! `known-hosts`: the hosts that are known, and their keys.

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use latchstring_client_core::known_hosts::KnownHosts;
use latchstring_net::{picture::picture, print, protocol::hardened::message::Fingerprint};
use serde::Serialize;

use super::{access::Aliases, home, screen::json_line};

/// Options of `known-hosts`.
#[derive(Debug, clap::Args)]
pub(super) struct KnownHostsOptions {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the known hosts, one a line: HOST:PORT, a space, the fingerprint
    #[command(after_help = "Examples:\n  \
                      latchstring-client known-hosts list\n  \
                      latchstring-client known-hosts list --picture\n  \
                      latchstring-client known-hosts list --json")]
    List(List),
    /// Add a host with the fingerprint that its operator gave you
    #[command(
        after_help = "A host that is known with another key stays as it is, and the exit code is 3.\n\n\
                      Example:\n  latchstring-client known-hosts add example.org SHA256:…"
    )]
    Add(Add),
    /// Remove a host, for example because its operator has made a new key
    #[command(
        after_help = "Ask the operator first: a changed key can also mean that somebody poses as the server. At the next \
                      connect the client asks for the new key.\n\n\
                      Example:\n  latchstring-client known-hosts remove example.org"
    )]
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Read known hosts from this directory [default: ~/.latchstring]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Draw the fingerprint of each host as a picture too
    #[arg(long, conflicts_with = "json")]
    picture: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    aliases: Aliases,
    /// Name the host, or a host of the configuration file; IPv6 goes in brackets [default port: 22223]
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
    /// Give the fingerprint of its key
    #[arg(value_name = "SHA256:…")]
    fingerprint: Fingerprint,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Remove {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    aliases: Aliases,
    /// Name the host, or a host of the configuration file; IPv6 goes in brackets [default port: 22223]
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// One host for a program.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    /// `known`, `added`, `known-already` or `removed`.
    found: &'a str,
    host: &'a str,
    fingerprint: String,
    /// The number of its line in the file, where it has one.
    line: Option<usize>,
}

impl Place {
    fn load(self) -> anyhow::Result<KnownHosts> {
        Ok(KnownHosts::load(&home(self.dir)?.join("known_hosts"))?)
    }
}

impl KnownHostsOptions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::List(options) => options.run(),
            What::Add(options) => options.run(),
            What::Remove(options) => options.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let hosts = self.place.load()?;
        for (host, known) in hosts.entries() {
            let fingerprint = known.fingerprint.to_string();
            print::line(match self.json {
                false => format!("{host} {fingerprint}"),
                true => json_line(&Entry {
                    found: "known",
                    host,
                    fingerprint,
                    line: Some(known.line),
                }),
            })?;
            if self.picture {
                print::line(picture(&known.fingerprint, "host key"))?;
            }
        }
        Ok(())
    }
}

impl Add {
    fn run(self) -> anyhow::Result<()> {
        let host = self.aliases.load()?.place(&self.host)?.0.to_string();
        let mut hosts = self.place.load()?;
        // The loud refusal, if the host has another key.
        hosts.pin(&host, Some(self.fingerprint))?;
        let is_new = hosts.find(&host).is_none();
        hosts.add(&host, self.fingerprint)?;
        let (found, said) = match is_new {
            true => ("added", "Added"),
            false => ("known-already", "Known already:"),
        };
        let line = hosts.find(&host).map(|known| known.line);
        tell(self.json, said, found, &host, self.fingerprint, line)
    }
}

impl Remove {
    fn run(self) -> anyhow::Result<()> {
        let host = self.aliases.load()?.place(&self.host)?.0.to_string();
        let mut hosts = self.place.load()?;
        let Some(known) = hosts.remove(&host)? else {
            let names = hosts.entries().map(|(name, _)| name);
            let nearest = latchstring_cli::suggest::nearest(&host, names);
            bail!(
                "{host} is not in {}{nearest}; the command known-hosts list shows the hosts that are",
                hosts.path().display()
            );
        };
        tell(
            self.json,
            "Removed",
            "removed",
            &host,
            known.fingerprint,
            None,
        )
    }
}

fn tell(
    json: bool,
    said: &str,
    found: &str,
    host: &str,
    fingerprint: Fingerprint,
    line: Option<usize>,
) -> anyhow::Result<()> {
    let fingerprint = fingerprint.to_string();
    print::line(match json {
        false => format!("{said} {host} {fingerprint}"),
        true => json_line(&Entry {
            found,
            host,
            fingerprint,
            line,
        }),
    })?;
    Ok(())
}
