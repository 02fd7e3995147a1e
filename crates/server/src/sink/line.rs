//! A message as one line of JSON.

use std::time::{Duration, SystemTime};

use latchstring_store_sqlite::Waiting;
use serde::{Deserialize, Serialize};

/// How each line begins. A line of another program begins otherwise.
pub(super) const BEGIN: &str = "{\"user\":\"";

/// The fields, in this order.
#[derive(Serialize)]
struct Line<'a> {
    user: &'a str,
    key: String,
    id: u64,
    /// UTC.
    received: Option<String>,
    kind: u8,
    text: &'a str,
}

/// The message that a line holds: together these are its name.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Name {
    pub(super) user: String,
    pub(super) key: String,
    pub(super) id: u64,
}

/// The line, with its end.
pub(super) fn line(waiting: &Waiting) -> anyhow::Result<String> {
    let message = &waiting.message;
    let received = message.received_at.map(|at| {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        humantime::format_rfc3339_seconds(at).to_string()
    });
    let line = Line {
        user: waiting.user.as_str(),
        key: waiting.kid.to_string(),
        id: message.id,
        received,
        kind: message.kind,
        text: &message.text,
    };
    let mut line = serde_json::to_string(&line)?;
    line.push('\n');
    Ok(line)
}

impl Name {
    /// The name in a whole line; `None` for a line of another program.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let ours = line.starts_with(BEGIN.as_bytes());
        ours.then(|| serde_json::from_slice(line).ok()).flatten()
    }

    pub(super) fn is_of(&self, waiting: &Waiting) -> bool {
        (self.user.as_str(), self.id) == (waiting.user.as_str(), waiting.message.id)
            && self.key == waiting.kid.to_string()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
    use latchstring_store::StoredMessage;

    use super::*;

    /// A message of alice.
    pub(in crate::sink) fn waiting(id: u64, text: &str) -> Waiting {
        Waiting {
            place: id,
            user: UserName::parse("alice").unwrap(),
            kid: Fingerprint([7; 32]),
            message: StoredMessage {
                id,
                kind: 0,
                text: text.to_owned(),
                session: None,
                received_at: Some(1_795_000_000),
            },
        }
    }

    #[test]
    fn a_message_is_one_line_whatever_is_in_it() {
        let text = "a\nb\r\u{0}\u{1b}[2J\u{2028}\"}{\\ größer";
        let line = line(&waiting(9, text)).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(line.starts_with(BEGIN) && line.ends_with('\n'), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"], text);
        assert_eq!(read["received"], "2026-11-18T11:06:40Z");
        let name = Name::read(line.trim_end().as_bytes()).unwrap();
        assert!(name.is_of(&waiting(9, "")));
        assert!(!name.is_of(&waiting(8, text)));
    }

    #[test]
    fn a_line_of_another_program_has_no_name() {
        for line in [
            "",
            "x",
            "{\"user\":\"alice\"",
            "{\"id\":1,\"user\":\"alice\",\"key\":\"k\"}",
        ] {
            assert_eq!(Name::read(line.as_bytes()), None, "{line}");
        }
    }
}
