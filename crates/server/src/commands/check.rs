//! `check`: everything that an operator should know before users notice it.

mod finding;
mod metrics;
mod passwords;
mod sink;

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use latchstring_keys::RsaKey;
use latchstring_net::{
    keyfile::load_public,
    print::Output,
    protocol::hardened::{message::Fingerprint, signature::Signer},
};
use latchstring_server_core::{
    config::{Config, HOST_PUBLIC_KEY},
    store::{Account, password::Cost},
    throttle,
};
use latchstring_store::{Accounts, users};
use latchstring_store_sqlite::{Sqlite, StoreLock};
use nix::sys::{
    resource::{RLIM_INFINITY, Resource, getrlimit},
    statvfs::{FsFlags, statvfs},
};

use self::finding::{Finding, Level};
use super::{Place, now, serve::advice};

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Print each finding as one line of JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let found = findings(place).await;
        let mut output = Output::new();
        for finding in &found {
            match self.json {
                true => output.line(serde_json::to_string(finding)?)?,
                false => output.line(finding)?,
            }
        }
        output.finish()?;
        let errors = found.iter().filter(|one| one.level == Level::Error);
        let errors = errors.count();
        ensure!(
            errors == 0,
            "errors: {errors}; each line above says what to do"
        );
        Ok(())
    }
}

/// All that is found, as far as there is a configuration.
async fn findings(place: &Place) -> Vec<Finding> {
    let config = match place.config() {
        Ok(config) => config,
        Err(why) => return vec![Finding::error("configuration", format_args!("{why:#}"))],
    };
    let path = place.config_path();
    let mut found = vec![Finding::ok("configuration", path.display())];
    found.extend(host_key(&config));
    let server = server(&config, &mut found);
    found.extend(metrics::finding(&config.metrics, server));
    found.push(Finding::descriptors(&config.limits, descriptors(server)));
    let memory =
        memory().map(|there_is| Finding::memory(&config.limits, config.passwords.cost, there_is));
    found.extend(memory);
    found.extend(passwords::files(&config));
    found.push(disk(&config.database));
    found.push(sink::sink(&config.sink));
    match place.store().await {
        Err(why) => found.push(Finding::error("account store", format_args!("{why:#}"))),
        Ok(store) => {
            let read = accounts(&store, &config, &mut found).await;
            if let Err(why) = read {
                found.push(Finding::error("account store", format_args!("{why:#}")));
            }
            store.close().await;
        }
    }
    found
}

/// The host key, and the public half beside it, which operators give to others.
fn host_key(config: &Config) -> Vec<Finding> {
    let about = "host key";
    let key = match Place::host_key(config) {
        Ok(key) => key,
        Err(why) => return vec![Finding::error(about, format_args!("{why:#}"))],
    };
    let fingerprint = Fingerprint::of(key.public_key());
    let mut found = vec![Finding::ok(about, fingerprint)];
    found.extend(other_half(
        &key,
        &config.host_key.with_file_name(HOST_PUBLIC_KEY),
    ));
    found
}

fn other_half(key: &RsaKey, path: &Path) -> Option<Finding> {
    // Nobody needs the file.
    let public = path.exists().then(|| load_public(path))?;
    let wrong = match public {
        Ok(public) if public == key.public_key() => return None,
        Ok(_) => "is not the public half of the host key".to_owned(),
        Err(why) => format!("cannot be used: {why}"),
    };
    let path = path.display();
    Some(Finding::warning(
        "public host key",
        format_args!(
            "{path} {wrong}; make it anew with: openssl pkey -in host_key.pem -pubout -out {HOST_PUBLIC_KEY}"
        ),
    ))
}

/// The process that serves, if there is one. Without one, the address must be free.
fn server(config: &Config, found: &mut Vec<Finding>) -> Option<u32> {
    let (about, listen) = ("server", config.listen);
    let process = match StoreLock::holder(&config.database) {
        Ok(process) => process,
        Err(why) => {
            found.push(Finding::error(about, why));
            return None;
        }
    };
    found.push(match process {
        Some(process) => Finding::ok(about, format_args!("process {process} serves")),
        None => match TcpListener::bind(listen) {
            Ok(_) => Finding::ok(about, format_args!("none serves, and {listen} is free")),
            Err(why) => Finding::error(
                about,
                format_args!(
                    "none serves, and it could not listen on {listen}: {why}{}",
                    advice(why.kind())
                ),
            ),
        },
    });
    process
}

/// How many descriptors the server may have, or one that is started from here, which takes all that it may. `None` is no
/// bound.
fn descriptors(server: Option<u32>) -> Option<u64> {
    let limits = server.map(|process| fs::read_to_string(format!("/proc/{process}/limits")));
    if let Some(Ok(limits)) = limits {
        let line = limits
            .lines()
            .find_map(|line| line.strip_prefix("Max open files"))?;
        return line.split_whitespace().next()?.parse().ok();
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    (hard != RLIM_INFINITY).then_some(hard)
}

/// The memory that there is for a server, in bytes: the machine's, or what the control group allows.
fn memory() -> Option<u64> {
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let total = all
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    Some(group.unwrap_or(u64::MAX).min(total * 1024))
}

/// The room beside the store.
fn disk(store: &Path) -> Finding {
    let folder = store.parent().filter(|path| !path.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    match statvfs(&folder) {
        Err(why) => Finding::error(
            "disk",
            format_args!("cannot look at {}: {why}", folder.display()),
        ),
        Ok(about) if about.flags().contains(FsFlags::ST_RDONLY) => Finding::error(
            "disk",
            format_args!("{} is read-only; mount it for writing", folder.display()),
        ),
        Ok(about) => Finding::room(
            about
                .blocks_available()
                .saturating_mul(about.fragment_size()),
        ),
    }
}

/// The users, the cost of their passwords, and the time that the store has seen.
async fn accounts(store: &Sqlite, config: &Config, found: &mut Vec<Finding>) -> anyhow::Result<()> {
    let accounts = store.list().await?;
    found.push(Finding::ok(
        "account store",
        format_args!("in order; users: {}", users(&accounts)),
    ));
    let costs = accounts
        .iter()
        .map(|account| Cost::of(&account.password_hash).ok());
    let costs: Vec<_> = costs.collect();
    found.push(Finding::password_hashes(config.passwords.cost, &costs));
    found.extend(passwords::without_pepper(&config.passwords, &accounts));
    for Account { user, kid, .. } in &accounts {
        if store.failures(user, kid).await? >= throttle::MOST_GUESSES {
            found.push(Finding::warning(
                "user",
                format_args!(
                    "{user} is locked out with the key {kid} after {} wrong passwords; if the user did not type them, the key is \
                     stolen: latchstring-server user key remove. Otherwise: latchstring-server user unlock {user}",
                    throttle::MOST_GUESSES
                ),
            ));
        }
    }
    found.extend(sink::waiting(store.count_waiting().await?));
    let now = now().context("cannot read the clock")?;
    found.push(Finding::clock(now, store.latest_time().await?));
    Ok(())
}
