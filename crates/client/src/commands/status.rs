//! `status`: who the user is here, which hosts are known, and what waits for which of them.

use std::{
    io,
    path::{Path, PathBuf},
};

use latchstring_client_core::{
    known_hosts::KnownHosts,
    outbox::{Content, survey},
};
use latchstring_keys::keyfile::{is_locked, load_private};
use latchstring_net::{
    keyfile::{KeyFileError, load_public, read},
    print,
    protocol::hardened::{message::Fingerprint, signature::Signer},
    report::{count, line},
};
use serde::Serialize;

use super::{access::Aliases, home_path, screen::json_line};
use crate::config::Config;

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    aliases: Aliases,
    /// Look at the files in this directory [default: ~/.latchstring]
    #[arg(long, value_name = "D")]
    dir: Option<PathBuf>,
    /// Look at this private key [default: D/id.pem]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// All that there is to say. Names and meanings stand in the operator's page.
#[derive(Debug, Serialize)]
struct Found {
    dir: PathBuf,
    key: Key,
    configuration: Option<PathBuf>,
    aliases: Vec<Alias>,
    known_hosts: Vec<Known>,
    outbox: Vec<Waiting>,
}

#[derive(Debug, Serialize)]
struct Key {
    path: PathBuf,
    fingerprint: Option<String>,
    /// Whether it has a passphrase; `None` if there is no key.
    has_passphrase: Option<bool>,
    /// Why it cannot be used.
    error: Option<String>,
}

/// A name of the configuration, and what it stands for.
#[derive(Debug, Serialize)]
struct Alias {
    name: String,
    address: Option<String>,
}

#[derive(Debug, Serialize)]
struct Known {
    host: String,
    fingerprint: String,
}

#[derive(Debug, Serialize)]
struct Waiting {
    path: PathBuf,
    user: String,
    /// The known hosts that have the host key.
    hosts: Vec<String>,
    host_key: Option<String>,
    user_key: Option<String>,
    messages: Option<usize>,
    error: Option<String>,
}

impl Status {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.aliases.load()?;
        let dir = home_path(self.dir)?;
        let known = KnownHosts::load(&dir.join("known_hosts"))?;
        let outbox = survey(&dir.join("outbox"))?;
        let found = Found {
            key: key(self.key.unwrap_or_else(|| dir.join("id.pem"))),
            configuration: config.path().map(Path::to_owned),
            aliases: aliases(&config),
            known_hosts: known
                .entries()
                .map(|(host, known)| Known {
                    host: host.to_owned(),
                    fingerprint: known.fingerprint.to_string(),
                })
                .collect(),
            outbox: outbox.into_iter().map(|one| waiting(one, &known)).collect(),
            dir,
        };
        match self.json {
            true => print::line(json_line(&found))?,
            false => found.tell()?,
        }
        Ok(())
    }
}

/// The key, as far as it can be known without its passphrase.
fn key(path: PathBuf) -> Key {
    let (fingerprint, has_passphrase, error) = match look_at(&path) {
        Ok((fingerprint, locked)) => (fingerprint, Some(locked), None),
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            (None, None, None)
        }
        Err(why) => (None, None, Some(line(&why))),
    };
    Key {
        path,
        fingerprint: fingerprint.map(|one| one.to_string()),
        has_passphrase,
        error,
    }
}

fn look_at(path: &Path) -> Result<(Option<Fingerprint>, bool), KeyFileError> {
    let (pem, _) = read(path)?;
    if is_locked(&pem) {
        // The public half beside it says which key this should be.
        let public = load_public(&path.with_extension("pub.pem")).ok();
        return Ok((public.map(|spki| Fingerprint::of(&spki)), true));
    }
    let key = load_private(path)?;
    Ok((Some(Fingerprint::of(key.public_key())), false))
}

fn aliases(config: &Config) -> Vec<Alias> {
    let alias = |name: &str| Alias {
        name: name.to_owned(),
        address: match config.resolve(name) {
            Ok((address, _)) => Some(address.to_string()),
            Err(_) => config.place(name).ok().map(|(place, _)| place.to_string()),
        },
    };
    config.names().into_iter().map(alias).collect()
}

fn waiting(content: Content, known: &KnownHosts) -> Waiting {
    let (host_key, user_key) = content.keys.unzip();
    let has_key = |one: &(&str, Fingerprint)| Some(one.1.to_string()) == host_key;
    let hosts = known.all().filter(has_key).map(|(host, _)| host.to_owned());
    Waiting {
        hosts: hosts.collect(),
        path: content.path,
        user: content.user,
        user_key,
        error: content.messages.as_ref().err().map(|why| line(why)),
        messages: content.messages.ok(),
        host_key,
    }
}

impl Found {
    fn tell(&self) -> anyhow::Result<()> {
        let mut lines = vec![
            format!("Directory: {}", self.dir.display()),
            self.key.sentence(),
        ];
        if let Some(path) = &self.configuration {
            lines.push(format!("Configuration: {}", path.display()));
        }
        for Alias { name, address } in &self.aliases {
            let address = address.as_deref().unwrap_or("(no valid host)");
            lines.push(format!("  {name} is {address}"));
        }
        lines.push(match self.known_hosts.len() {
            0 => "Known hosts: none".to_owned(),
            n => format!("Known hosts: {n}"),
        });
        for Known { host, fingerprint } in &self.known_hosts {
            lines.push(format!("  {host} {fingerprint}"));
        }
        let waits = self.outbox.iter().filter(|one| one.messages != Some(0));
        let waits: Vec<_> = waits.map(Waiting::sentence).collect();
        match waits.is_empty() {
            true => lines.push("Outbox: no message waits".to_owned()),
            false => lines.push("Outbox:".to_owned()),
        }
        lines.extend(waits);
        for line in lines {
            print::line(latchstring_net::terminal::visible(&line))?;
        }
        Ok(())
    }
}

impl Key {
    fn sentence(&self) -> String {
        let path = self.path.display();
        match (&self.error, self.has_passphrase, &self.fingerprint) {
            (Some(why), _, _) => format!("Key: cannot be used: {why}"),
            (None, None, _) => {
                format!("Key: there is none at {path}; make one with: latchstring-client keygen")
            }
            (None, Some(true), Some(print)) => format!("Key: {path} (with a passphrase) {print}"),
            (None, Some(true), None) => format!("Key: {path} (with a passphrase)"),
            (None, Some(false), print) => format!(
                "Key: {path} (without a passphrase) {}",
                print.as_deref().unwrap_or_default()
            ),
        }
    }
}

impl Waiting {
    fn sentence(&self) -> String {
        let Self {
            user,
            hosts,
            host_key,
            ..
        } = self;
        let host = match (hosts.is_empty(), host_key) {
            (false, _) => hosts.join(" or "),
            (true, Some(key)) => format!("an unknown host with the key {key}"),
            (true, None) => format!("an unknown host, in {}", self.path.display()),
        };
        match (self.messages, &self.error) {
            (Some(n), _) => format!("  {} of {user} for {host}", count(n as u64, "message")),
            (None, why) => format!(
                "  {} cannot be read: {}",
                self.path.display(),
                why.as_deref().unwrap_or_default()
            ),
        }
    }
}
