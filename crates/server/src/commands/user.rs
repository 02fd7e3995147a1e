//! `user add | list | remove | passwd`.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    hygiene,
    keyfile::load_public,
    password::{Source, descriptor_number},
    print,
    protocol::hardened::{message::UserName, signature::Signer},
};
use latchstring_store::{
    Account, Accounts, Removed,
    password::{Cost, hash},
};

use super::{Place, now};
use crate::password::read_new;

/// The commands for users.
#[derive(Debug, clap::Subcommand)]
pub(super) enum User {
    /// Add a user with a public key and a password
    #[command(
        after_help = "The program asks for the password twice unless a file or a file descriptor gives it.\n\n\
                      Examples:\n  \
                      latchstring-server user add alice --key alice.pub.pem\n  \
                      latchstring-server user add bob --key bob.pub.pem --password-fd 3 3< password"
    )]
    Add {
        /// Name the new user: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter
        name: UserName,
        /// Read the user's public key: RSA, 3072 or 4096 bits, PEM
        #[arg(long, value_name = "FILE.pub.pem")]
        key: PathBuf,
        #[command(flatten)]
        password: PasswordOptions,
    },
    /// List all users: name and fingerprint of the key, one a line
    #[command(after_help = "Example:\n  latchstring-server user list")]
    List,
    /// Remove a user, and revoke an invitation for the name. The messages stay; an open session ends at its next message
    #[command(after_help = "Example:\n  latchstring-server user remove alice")]
    Remove {
        /// Name the user
        name: UserName,
    },
    /// Give a user a new password, valid from the next login on
    #[command(
        after_help = "Example:\n  latchstring-server user passwd alice --password-file new-password"
    )]
    Passwd {
        /// Name the user
        name: UserName,
        #[command(flatten)]
        password: PasswordOptions,
    },
}

/// Where the password comes from; without any of these, a prompt.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct PasswordOptions {
    /// Read the password from a file that only you can read
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the password from an open file descriptor
    #[arg(long, value_name = "N", value_parser = descriptor_number)]
    password_fd: Option<u32>,
}

impl PasswordOptions {
    /// The new password's hash, at this cost.
    fn hashed(self, cost: Cost) -> anyhow::Result<String> {
        let source = match (self.password_file, self.password_fd) {
            (Some(path), _) => Source::File(path),
            (None, Some(fd)) => Source::Descriptor(fd),
            (None, None) => Source::Prompt,
        };
        Ok(hash(&read_new(&source)?, OsEntropy.array(), cost)?)
    }
}

impl User {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::Add {
                name,
                key,
                password,
            } => add(place, name, key, password).await,
            Self::List => list(place).await,
            Self::Remove { name } => {
                let Removed {
                    account,
                    invitation,
                } = place.store().await?.remove(&name).await?;
                let done = match (account, invitation) {
                    (true, false) => format!("Removed {name}."),
                    (true, true) => format!("Removed {name}, and revoked an invitation."),
                    // The store says so if there was neither.
                    (false, _) => {
                        format!("{name} had no account yet. The invitation is revoked.")
                    }
                };
                Ok(print::line(done)?)
            }
            Self::Passwd { name, password } => {
                let cost = place.config()?.passwords.cost;
                let store = place.store().await?;
                let known = store.list().await?.iter().any(|a| a.user == name);
                // Before anybody types a password in vain.
                ensure!(known, "there is no user {name}");
                store.set_password(&name, &password.hashed(cost)?).await?;
                Ok(print::line(format_args!("{name} has a new password."))?)
            }
        }
    }
}

async fn add(
    place: &Place,
    name: UserName,
    key: PathBuf,
    password: PasswordOptions,
) -> anyhow::Result<()> {
    let spki = load_public(&key).context("cannot use the user's key")?;
    let config = place.config()?;
    let host = Place::host_key(&config)?;
    ensure!(
        spki != host.public_key(),
        "{} is the host's own key; a user needs a different key",
        key.display()
    );
    let store = place.store().await?;
    let enrolled = store.list().await?;
    ensure!(
        !enrolled.iter().any(|a| a.user == name),
        "user {name} exists already; remove the account first if it is to be replaced"
    );
    let others = enrolled.iter().map(|a| &a.spki[..]);
    hygiene::check(&spki, others.chain([host.public_key()]))
        .with_context(|| format!("{} is not enrolled", key.display()))?;
    let account = Account::new(name, spki, password.hashed(config.passwords.cost)?, now()?);
    store.add(&account).await?;
    Ok(print::line(format_args!(
        "Added {} with key {}.",
        account.user, account.kid
    ))?)
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let mut output = print::Output::new();
    for account in place.store().await?.list().await? {
        output.line(format_args!("{}\t{}", account.user, account.kid))?;
    }
    Ok(output.finish()?)
}
