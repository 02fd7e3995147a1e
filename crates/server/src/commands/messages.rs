//! `messages`: the messages of a user.

use std::time::{Duration, SystemTime};

use anyhow::ensure;
use latchstring_net::{
    print::Output,
    protocol::hardened::message::{Fingerprint, UserName},
    terminal::visible,
};
use latchstring_store::{Accounts, StoredMessage};
use serde::Serialize;

use super::Place;

/// Options of `messages`.
#[derive(Debug, clap::Args)]
pub(super) struct Messages {
    /// Print the messages of this user
    name: UserName,
    /// Print each message as one line of JSON, with its key and time
    #[arg(long)]
    json: bool,
}

/// A message, for programs.
#[derive(Serialize)]
struct Line {
    key: String,
    id: u64,
    /// UTC; `None` for a message that an older version stored.
    received: Option<String>,
    text: String,
}

impl Line {
    fn of(kid: &Fingerprint, message: StoredMessage) -> Self {
        let received = message.received_at.map(|at| {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
            humantime::format_rfc3339_seconds(at).to_string()
        });
        Self {
            key: kid.to_string(),
            id: message.id,
            received,
            text: message.text,
        }
    }
}

impl Messages {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let store = place.store().await?;
        let logs = store.logs(&self.name).await?;
        let accounts = store.list().await?;
        let known = accounts.iter().any(|account| account.user == self.name);
        ensure!(
            known || !logs.is_empty(),
            "there is no user {}, and no message of one",
            self.name
        );
        let mut output = Output::new();
        for kid in &logs {
            for message in store.messages(&self.name, kid).await? {
                match self.json {
                    true => output.line(serde_json::to_string(&Line::of(kid, message))?)?,
                    false => {
                        let text = escaped(&message.text);
                        output.line(format_args!("{}\t{text}", message.id))?;
                    }
                }
            }
        }
        Ok(output.finish()?)
    }
}

/// The text on one line. A text from a stranger must not control the operator's terminal. A script can tell escaped
/// characters from those that the user typed.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', r"\\");
    visible(&text).replace('\t', r"\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_that_commands_no_terminal_and_hides_nothing() {
        for (text, shown) in [
            ("plain \"quoted\" größer 👋", "plain \"quoted\" größer 👋"),
            ("a\u{1b}[2J\r\nb\tc", r"a\u{1b}[2J\r\nb\tc"),
            (
                "a\u{202e}b\u{200b}c\u{e0041}",
                r"a\u{202e}b\u{200b}c\u{e0041}",
            ),
            (r"typed \u{202e}\n", r"typed \\u{202e}\\n"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }
}
