//! `user add | list | show | passwd | key | disable | enable | unlock | remove | export | import`.

mod export;
mod import;
mod key;
mod record;
mod show;

use std::path::PathBuf;

use anyhow::ensure;
use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    password::{Source, descriptor_number},
    print,
    protocol::hardened::message::UserName,
};
use latchstring_server_core::{PasswordRules, config::Config};
use latchstring_store::{Account, Accounts, Removed};

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
    /// List all users: name and fingerprint, one line for each key; "disabled" marks a disabled user
    #[command(after_help = "Example:\n  latchstring-server user list")]
    List,
    /// Show a user: keys, messages, wrong passwords, the cost of the stored password
    #[command(
        after_help = "Examples:\n  latchstring-server user show alice\n  latchstring-server user show alice --json"
    )]
    Show {
        /// Name the user
        name: UserName,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Add and remove keys of a user: one for each computer
    #[command(
        subcommand,
        after_help = "Example:\n  latchstring-server user key add alice --key alice-at-home.pub.pem"
    )]
    Key(key::Key),
    /// Disable a user: no login, until it is enabled. An open session ends at its next message
    #[command(
        after_help = "Keys, password and messages stay.\n\nExample:\n  latchstring-server user disable alice"
    )]
    Disable {
        /// Name the user
        name: UserName,
    },
    /// Enable a disabled user
    #[command(after_help = "Example:\n  latchstring-server user enable alice")]
    Enable {
        /// Name the user
        name: UserName,
    },
    /// Forget the wrong passwords of a user; the password stays the same
    #[command(
        after_help = "Did the user type them? If not, a key is stolen: take it away with `user key remove`.\n\n\
                      Example:\n  latchstring-server user unlock alice"
    )]
    Unlock {
        /// Name the user
        name: UserName,
    },
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
    /// Write every user as a line of JSON: keys, password hash, and the rest, without messages
    #[command(
        after_help = "The lines hold password hashes, from which passwords can be guessed. Keep them as safe as the server.\n\n\
                      Examples:\n  \
                      latchstring-server user export --out users.jsonl\n  \
                      latchstring-server user export | age -r KEY > users.jsonl.age"
    )]
    Export(export::Export),
    /// Add the users of another server, from a file of `user export`: all of them, or none
    #[command(
        after_help = "Every faulty line is named, with its number. Nothing that exists is overwritten. Keys obey the same rules as \
                      in `user add`, also among each other. Hashes must be argon2id, within the bounds of [passwords].\n\n\
                      Examples:\n  \
                      latchstring-server user import --dry-run users.jsonl\n  \
                      latchstring-server user import --skip-existing users.jsonl"
    )]
    Import(import::Import),
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
    /// The hash of a new password that the configuration allows.
    fn hashed(self, config: &Config) -> anyhow::Result<String> {
        // Before anybody types a password in vain.
        let rules = PasswordRules::load(&config.passwords)?;
        let source = match (self.password_file, self.password_fd) {
            (Some(path), _) => Source::File(path),
            (None, Some(fd)) => Source::Descriptor(fd),
            (None, None) => Source::Prompt,
        };
        let password = read_new(&source)?;
        rules.allow(&password)?;
        Ok(rules.hash(&password, OsEntropy.array())?)
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
            Self::Show { name, json } => show::show(&place.store().await?, name, json).await,
            Self::Key(key) => key.run(place).await,
            Self::Export(export) => export.run(place).await,
            Self::Import(import) => import.run(place).await,
            Self::Disable { name } => {
                place.store().await?.set_disabled(&name, true).await?;
                Ok(print::line(format_args!("{name} cannot log in any more."))?)
            }
            Self::Enable { name } => {
                place.store().await?.set_disabled(&name, false).await?;
                Ok(print::line(format_args!("{name} can log in again."))?)
            }
            Self::Unlock { name } => unlock(place, name).await,
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
                let config = place.config()?;
                let store = place.store().await?;
                let known = store.list().await?.iter().any(|a| a.user == name);
                // Before anybody types a password in vain.
                ensure!(known, "there is no user {name}");
                store
                    .set_password(&name, &password.hashed(&config)?)
                    .await?;
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
    let config = place.config()?;
    let store = place.store().await?;
    let enrolled = store.list().await?;
    ensure!(
        !enrolled.iter().any(|a| a.user == name),
        "user {name} exists already; remove the account first if it is to be replaced"
    );
    let spki = key::usable(&key, &config, &enrolled)?;
    let account = Account::new(name, spki, password.hashed(&config)?, now()?);
    store.add(&account).await?;
    Ok(print::line(format_args!(
        "Added {} with key {}.",
        account.user, account.kid
    ))?)
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let mut output = print::Output::new();
    for account in place.store().await?.list().await? {
        let disabled = if account.disabled { "\tdisabled" } else { "" };
        output.line(format_args!("{}\t{}{disabled}", account.user, account.kid))?;
    }
    Ok(output.finish()?)
}

async fn unlock(place: &Place, name: UserName) -> anyhow::Result<()> {
    let store = place.store().await?;
    let accounts = store.list().await?;
    let of_user: Vec<_> = accounts.iter().filter(|one| one.user == name).collect();
    ensure!(!of_user.is_empty(), "there is no user {name}");
    for account in of_user {
        store.set_failures(&name, &account.kid, 0).await?;
    }
    Ok(print::line(format_args!(
        "The wrong passwords of {name} are forgotten."
    ))?)
}
