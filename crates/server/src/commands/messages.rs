//! `messages`: the messages of a user; and `messages prune`.

mod prune;

use std::time::{Duration, SystemTime};

use anyhow::ensure;
use latchstring_net::{
    print::{self, Output},
    protocol::hardened::message::{Fingerprint, UserName},
    terminal::visible,
};
use latchstring_store::{Accounts, StoredMessage};
use serde::Serialize;

use super::Place;

/// Options of `messages`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
pub(super) struct Options {
    #[command(flatten)]
    print: Option<Messages>,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    /// Remove old messages for ever. The server may keep running
    #[command(
        after_help = "Without a rule on the command line, the section [retention] of server.toml holds. The oldest messages of \
                      each key are removed. Numbers go on, and a client that sends a removed message again is recognised. \
                      Messages that wait for the sink stay. Files whose parts are removed cannot be collected any more: \
                      run `collect` first.\n\n\
                      Examples:\n  \
                      latchstring-server messages prune --older-than 90d --dry-run\n  \
                      latchstring-server messages prune --user alice --keep-last 1000 --yes"
    )]
    Prune(prune::Prune),
}

#[derive(Debug, clap::Args)]
struct Messages {
    /// Print the messages of this user
    #[arg(required = true)]
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

impl Options {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match (self.other, self.print) {
            (Some(Other::Prune(prune)), _) => prune.run(place).await,
            (None, Some(messages)) => messages.run(place).await,
            (None, None) => anyhow::bail!("no name was given; name the user"),
        }
    }
}

impl Messages {
    async fn run(self, place: &Place) -> anyhow::Result<()> {
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
            let messages = store.messages(&self.name, kid).await?;
            let last = store.last_message_id(&self.name, kid).await?;
            note_pruned(kid, messages.first().map_or(last + 1, |first| first.id));
            for message in messages {
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

/// Says which messages of a log are there no more.
fn note_pruned(kid: &Fingerprint, first: u64) {
    if first > 1 {
        print::note(format_args!(
            "Messages 1 to {} with the key {kid} were removed; the log begins with {first}.",
            first - 1
        ));
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
