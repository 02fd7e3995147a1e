//! `user key add | remove`: one key for each computer of a user.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use latchstring_net::{
    hygiene,
    keyfile::load_public,
    print,
    protocol::hardened::{
        message::{Fingerprint, UserName},
        signature::Signer,
    },
};
use latchstring_server_core::config::Config;
use latchstring_store::{Account, Accounts};

use crate::commands::{Place, now};

/// The commands for the keys of a user.
#[derive(Debug, clap::Subcommand)]
pub(in crate::commands) enum Key {
    /// Give a user one more key, for another computer
    #[command(
        after_help = "The password is the same with each key. Each key numbers its messages separately.\n\n\
                      Example:\n  latchstring-server user key add alice --key alice-at-home.pub.pem"
    )]
    Add {
        /// Name the user
        name: UserName,
        /// Read the public key: RSA, 3072 or 4096 bits, PEM
        #[arg(long, value_name = "FILE.pub.pem")]
        key: PathBuf,
    },
    /// Take a key from a user, for example that of a lost computer. An open session with it ends at its next message
    #[command(
        after_help = "The messages that came with the key stay. `user show` prints the fingerprints.\n\n\
                      Example:\n  \
                      latchstring-server user key remove alice SHA256:ILS0GyByYda/WRks9zlbnrZoYoo8QmO4jKBe66WpygQ"
    )]
    Remove {
        /// Name the user
        name: UserName,
        /// Take the key with this fingerprint
        fingerprint: Fingerprint,
    },
}

impl Key {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let store = place.store().await?;
        let done = match self {
            Self::Add { name, key } => {
                let enrolled = store.list().await?;
                let known = enrolled.iter().any(|account| account.user == name);
                ensure!(
                    known,
                    "there is no user {name}; make one with: latchstring-server user add"
                );
                let spki = usable(&key, &place.config()?, &enrolled)?;
                store.add_key(&name, &spki, now()?).await?;
                format!("{name} has one more key, {}.", Fingerprint::of(&spki))
            }
            Self::Remove { name, fingerprint } => {
                store.remove_key(&name, &fingerprint).await?;
                format!("{name} no longer has the key {fingerprint}.")
            }
        };
        Ok(print::line(done)?)
    }
}

/// A new user's public key: neither the host's, nor weak alone or beside another one.
pub(super) fn usable(
    path: &Path,
    config: &Config,
    enrolled: &[Account],
) -> anyhow::Result<Vec<u8>> {
    let spki = load_public(path).context("cannot use the user's key")?;
    let host = Place::host_key(config)?;
    ensure!(
        spki != host.public_key(),
        "{} is the host's own key; a user needs a different key",
        path.display()
    );
    let others = enrolled.iter().map(|account| &account.spki[..]);
    hygiene::check(&spki, others.chain([host.public_key()]))
        .with_context(|| format!("{} is not enrolled", path.display()))?;
    Ok(spki)
}
