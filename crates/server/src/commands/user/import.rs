//! `user import`: the users of another server, all of them or none.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, bail, ensure};
use latchstring_net::{
    files, hygiene,
    keyfile::public_from_pem,
    print,
    protocol::hardened::{
        message::{Fingerprint, UserName},
        signature::Signer,
    },
};
use latchstring_server_core::PasswordRules;
use latchstring_store::{
    Account, Accounts,
    password::{Peppers, check_foreign},
};

use super::record::{Record, RecordKey};
use crate::commands::{Place, now};

/// The longest file, of some 50,000 users.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// A clock may be this far behind the one of the other server.
const SLACK: u64 = 60;

/// Options of `user import`.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Import {
    /// Read this file, which `user export` has made
    file: PathBuf,
    /// Check every line, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Skip users that exist already, and leave them as they are
    #[arg(long)]
    skip_existing: bool,
}

impl Import {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let config = place.config()?;
        let rules = PasswordRules::load(&config.passwords)?;
        let host = Place::host_key(&config)?;
        let text = read(&self.file)?;
        let store = place.store().await?;
        let enrolled = store.list().await?;
        let mut checked = Checked::new(&enrolled, host.public_key(), rules.peppers(), now()?);
        let faults = checked.all(&text, self.skip_existing);
        for (line, why) in &faults {
            print::note(format_args!(
                "{}: line {line}: {why:#}",
                self.file.display()
            ));
        }
        let faults = faults.len();
        ensure!(
            faults == 0,
            "faulty lines: {faults}, each named above. Nothing was imported; correct these lines, or take them out"
        );
        let Checked {
            accounts, skipped, ..
        } = checked;
        let users = accounts
            .chunk_by(|(one, _), (next, _)| one.user == next.user)
            .count();
        let keys = accounts.len();
        let [add, skip] = match self.dry_run {
            true => ["Nothing was changed. An import would add", "skip"],
            false => {
                store.import(&accounts).await?;
                ["Added", "skipped"]
            }
        };
        Ok(print::line(format_args!(
            "{add} {users} users with {keys} keys, and {skip} {skipped} users that exist already."
        ))?)
    }
}

/// The text of a private file. Its hashes are worth guessing from, so others must not read it.
fn read(path: &Path) -> anyhow::Result<String> {
    let opened = files::open(path).with_context(|| format!("cannot read {}", path.display()));
    let (file, about) = opened?;
    let shown = path.display();
    ensure!(
        about.is_file(),
        "{shown} is a pipe; write the lines into a file that only you can read"
    );
    files::check_secret(path, &about)?;
    ensure!(
        about.len() <= MAX_FILE,
        "{shown} is longer than 64 MiB; import it in parts, each a file of whole lines"
    );
    let mut text = String::new();
    let read = file.take(MAX_FILE).read_to_string(&mut text);
    read.with_context(|| format!("cannot read {shown} as UTF-8 text"))?;
    Ok(text)
}

/// What has been checked so far.
struct Checked<'a> {
    peppers: &'a Peppers,
    now: u64,
    /// Users of this server.
    existing: Vec<&'a UserName>,
    /// Every key that another one could share a prime with.
    keys: Vec<Vec<u8>>,
    /// Users of the file, and the line of each.
    seen: BTreeMap<String, usize>,
    /// Ready for the store.
    accounts: Vec<(Account, u32)>,
    skipped: usize,
}

impl<'a> Checked<'a> {
    fn new(enrolled: &'a [Account], host: &[u8], peppers: &'a Peppers, now: u64) -> Self {
        let mut keys: Vec<_> = enrolled
            .iter()
            .map(|account| account.spki.clone())
            .collect();
        keys.push(host.to_vec());
        Self {
            peppers,
            now,
            existing: enrolled.iter().map(|account| &account.user).collect(),
            keys,
            seen: BTreeMap::new(),
            accounts: Vec::new(),
            skipped: 0,
        }
    }

    /// Checks every line; the number of each faulty one, and what is wrong with it.
    fn all(&mut self, text: &str, skip_existing: bool) -> Vec<(usize, anyhow::Error)> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty());
        lines
            .filter_map(|(number, line)| {
                Some((number, self.line(number, line, skip_existing).err()?))
            })
            .collect()
    }

    fn line(&mut self, number: usize, line: &str, skip_existing: bool) -> anyhow::Result<()> {
        let record: Record = serde_json::from_str(line).map_err(|why| {
            let why = why.to_string();
            let why = why.split(" at line ").next().unwrap_or_default().to_owned();
            anyhow::anyhow!("it is no line of `user export` ({why}); export the users again")
        })?;
        let user: UserName = record.user.parse().context(
            "a name has 1 to 32 of a-z, 0-9, _ and -, and begins with a letter; rename this user",
        )?;
        if let Some(first) = self.seen.insert(record.user.clone(), number) {
            bail!("{user} is in line {first} too; take one of the two lines out");
        }
        if self.existing.contains(&&user) {
            ensure!(
                skip_existing,
                "user {user} exists already, and an import overwrites nothing; use --skip-existing, or remove the account first"
            );
            self.skipped += 1;
            return Ok(());
        }
        let accounts = self.accounts_of(&user, &record)?;
        self.keys
            .extend(accounts.iter().map(|(account, _)| account.spki.clone()));
        self.accounts.extend(accounts);
        Ok(())
    }

    /// One account for each key.
    fn accounts_of(&self, user: &UserName, record: &Record) -> anyhow::Result<Vec<(Account, u32)>> {
        let created = humantime::parse_rfc3339(&record.created).ok();
        let created = created.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let created = created
            .map(|since| since.as_secs())
            .filter(|seconds| *seconds <= self.now.saturating_add(SLACK));
        let created = created.with_context(|| {
            format!(
                "`created` is {:?}; write a time of the past as in 2026-11-28T09:00:00Z",
                record.created
            )
        })?;
        check_foreign(&record.password_hash, self.peppers)?;
        ensure!(
            !record.keys.is_empty(),
            "{user} has no key, and could not log in; add one, or leave the user out"
        );
        let mut accounts: Vec<(Account, u32)> = Vec::new();
        for key in &record.keys {
            let own = accounts.iter().map(|(account, _)| &account.spki[..]);
            let others = self.keys.iter().map(|key| &key[..]);
            let spki = usable(key, others.chain(own))?;
            let hash = record.password_hash.clone();
            let mut account = Account::new(user.clone(), spki, hash, created);
            account.disabled = record.disabled;
            accounts.push((account, key.wrong_passwords));
        }
        Ok(accounts)
    }
}

/// A key by the same rules as in `user add`.
fn usable<'a>(
    key: &RecordKey,
    others: impl Iterator<Item = &'a [u8]> + Clone,
) -> anyhow::Result<Vec<u8>> {
    let spki = public_from_pem(key.public_key.as_bytes())?;
    let fingerprint = Fingerprint::of(&spki);
    if let Some(said) = &key.fingerprint {
        ensure!(
            *said == fingerprint.to_string(),
            "the key has the fingerprint {fingerprint}, and not {said}; export the users again"
        );
    }
    hygiene::check(&spki, others)?;
    Ok(spki)
}
