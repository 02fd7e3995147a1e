//! `messages`: the messages of a user.

use anyhow::Context;
use latchstring_net::{print::Output, protocol::hardened::message::UserName, terminal::visible};
use latchstring_store::Accounts;

use super::Place;

/// Options of `messages`.
#[derive(Debug, clap::Args)]
pub(super) struct Messages {
    /// Print the messages of this user
    name: UserName,
}

impl Messages {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let store = place.store().await?;
        let accounts = store.list().await?;
        let account = accounts.iter().find(|a| a.user == self.name);
        let account = account.with_context(|| format!("there is no user {}", self.name))?;
        let mut output = Output::new();
        for message in store.messages(&account.user, &account.kid).await? {
            let text = escaped(&message.text);
            output.line(format_args!("{}\t{text}", message.id))?;
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
