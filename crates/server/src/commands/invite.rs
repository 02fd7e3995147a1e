//! `invite`: a line of text that lets one person make one account.

use anyhow::Context;
use latchstring_net::{
    entropy::{Entropy, OsEntropy},
    keyfile::load_private,
    protocol::hardened::{
        message::{Fingerprint, Invite, Token, UserName},
        signature::Signer,
    },
};
use latchstring_store::{Accounts, Invite as Kept};

use super::{Place, now};

/// Options of `invite`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Name of the new user: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter
    name: UserName,
}

impl Options {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let host = load_private(&place.config()?.host_key).context("cannot use the host key")?;
        let invite = Invite {
            user: self.name,
            host: Fingerprint::of(host.public_key()),
            token: Token::new(OsEntropy.array()),
        };
        let kept = Kept::new(invite.user.clone(), invite.token.hash(), now()?);
        place.store().await?.invite(&kept).await?;
        // The line alone, so that a script can hand it on.
        println!("{invite}");
        let user = &invite.user;
        eprintln!(
            "Give this line to {user} by a way that you both trust, and to nobody else: whoever has it can become {user}.\n\
             It is good once, for 24 hours. {user} then runs: latchstring-client enrol {user}@THIS-HOST"
        );
        Ok(())
    }
}
