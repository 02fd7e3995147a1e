//! `backup` and `restore`: a copy of everything that a server is made of, and the way back.

use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use latchstring_keys::keyfile::{load_private, save_private, save_public};
use latchstring_net::{
    files,
    print::Output,
    protocol::hardened::{message::Fingerprint, signature::Signer},
};
use latchstring_server_core::config::{Config, DATABASE, FILE, HOST_KEY, HOST_PUBLIC_KEY};
use latchstring_store::{Accounts, users};
use latchstring_store_sqlite::{Sqlite, StoreLock};

use super::{
    Place,
    made::{Made, beside_store, make_private, new_file, sync},
};

/// Options of `backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    /// Write the copy into this new directory
    #[arg(value_name = "NEW-DIR")]
    to: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// Read this directory, which `backup` made
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let config = place.config()?;
        let host = Place::host_key(&config)?;
        let store = place.store().await?;
        let to = &self.to;
        let made = DirBuilder::new().mode(0o700).create(to);
        made.with_context(|| {
            format!(
                "cannot make the directory {}: name one that does not exist yet",
                to.display()
            )
        })?;
        let mut copy = Made::directory(to);
        store.copy_to(&to.join(DATABASE)).await?;
        copy.add(to.join(DATABASE));
        save_private(&host, &to.join(HOST_KEY))?;
        copy.add(to.join(HOST_KEY));
        save_public(&host, &to.join(HOST_PUBLIC_KEY))?;
        copy.add(to.join(HOST_PUBLIC_KEY));
        // Last: while it is missing, this is no backup.
        let text = fs::read(place.config_path())?;
        new_file(&to.join(FILE), &mut &text[..])?;
        copy.add(to.join(FILE));
        sync(to)?;
        copy.keep();

        let mut output = Output::new();
        output.line(format_args!(
            "Made a backup in {}: {} users, host key {}.",
            to.display(),
            users(&store.list().await?),
            Fingerprint::of(host.public_key())
        ))?;
        output.line("Keep it as safe as the server: it holds the host key, password hashes and all messages.")?;
        not_in_it(&config, &mut output)?;
        Ok(output.finish()?)
    }
}

impl Restore {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let from = &self.from;
        ensure!(
            from.join(FILE).exists(),
            "{} holds no complete backup: there is no {FILE} in it",
            from.display()
        );
        // As it will be read from its new place: relative paths in it are relative to that.
        let config = Config::load(&from.join(FILE))?.moved(from, &place.config_path());
        let host =
            load_private(&from.join(HOST_KEY)).context("cannot use the host key of the backup")?;
        make_private(&place.dir)?;
        let public = config.host_key.with_file_name(HOST_PUBLIC_KEY);
        // Also where somebody has deleted the files of a server that still runs.
        let _lock = StoreLock::acquire(&config.database).context("cannot restore")?;
        refuse_to_overwrite(place, &config, &public)?;

        let mut copy = Made::default();
        copy_store(&from.join(DATABASE), &config.database, &mut copy)?;
        save_private(&host, &config.host_key)?;
        copy.add(config.host_key.clone());
        save_public(&host, &public)?;
        copy.add(public);
        copy.add_store(&config.database);
        // Checks the file from its first to its last page.
        let store = Sqlite::open(&config.database).await?;
        let users = users(&store.list().await?);
        // A line that was used since would be good again.
        let revoked = store.revoke_all().await?;
        store.close().await;
        let text = fs::read(from.join(FILE))?;
        // Last: while it is missing, `serve` says that there is no server here.
        new_file(&place.config_path(), &mut &text[..])?;
        sync(&place.dir)?;
        copy.keep();

        let mut output = Output::new();
        output.line(format_args!(
            "Restored a server in {}: {users} users, host key {}.",
            place.dir.display(),
            Fingerprint::of(host.public_key())
        ))?;
        if revoked > 0 {
            output.line(format_args!(
                "Revoked {revoked} invitations, since they may have been used after the backup. Make new ones with: invite NAME"
            ))?;
        }
        not_in_it(&config, &mut output)?;
        Ok(output.finish()?)
    }
}

/// A pepper must lie elsewhere than the store and its copies. So no backup holds one, and its owner should know that.
fn not_in_it(config: &Config, output: &mut Output) -> anyhow::Result<()> {
    for path in &config.passwords.pepper_files {
        output.line(format_args!(
            "The pepper {} is not in the backup: keep a copy elsewhere. Without it, nobody whose password hash needs it can log in.",
            path.display()
        ))?;
    }
    Ok(())
}

/// Nothing may be where something is to be put; nor what SQLite would take for a part of the restored store.
fn refuse_to_overwrite(place: &Place, config: &Config, public: &Path) -> anyhow::Result<()> {
    let beside = beside_store(&config.database);
    let wanted = [
        place.config_path(),
        config.database.clone(),
        config.host_key.clone(),
        public.to_owned(),
    ];
    for path in wanted.into_iter().chain(beside) {
        if path.symlink_metadata().is_ok() {
            bail!(
                "{} exists already and nothing is overwritten; stop the server, and move its directory away or restore into another one",
                path.display()
            );
        }
    }
    Ok(())
}

/// Copies a store, and what a copy of a server's directory may have beside it: its newest commits.
fn copy_store(from: &Path, to: &Path, copy: &mut Made) -> anyhow::Result<()> {
    copy_secret(from, to, copy)?;
    let ([log, ..], [to, ..]) = (beside_store(from), beside_store(to));
    if log.exists() {
        copy_secret(&log, &to, copy)?;
    }
    Ok(())
}

fn copy_secret(from: &Path, to: &Path, copy: &mut Made) -> anyhow::Result<()> {
    let failed = || format!("cannot read {}", from.display());
    let (mut file, about): (File, _) = files::open(from).with_context(failed)?;
    files::check_secret(from, &about)?;
    ensure!(about.is_file(), "{} is not a file", from.display());
    copy.add(to.to_owned());
    new_file(to, &mut file)
}
