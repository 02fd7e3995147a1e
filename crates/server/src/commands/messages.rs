//! `messages`: what a user has sent.

use anyhow::Context;
use latchstring_net::protocol::hardened::message::UserName;
use latchstring_store::Accounts;

use super::Place;

/// Options of `messages`.
#[derive(Debug, clap::Args)]
pub(super) struct Messages {
    /// Whose
    name: UserName,
}

impl Messages {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let store = place.store().await?;
        let accounts = store.list().await?;
        let account = accounts.iter().find(|a| a.user == self.name);
        let account = account.with_context(|| format!("there is no user {}", self.name))?;
        for message in store.messages(&account.user, &account.kid).await? {
            // Escaped: a text from afar must not be able to command the operator's terminal.
            println!("{}\t{}", message.id, message.text.escape_debug());
        }
        Ok(())
    }
}
