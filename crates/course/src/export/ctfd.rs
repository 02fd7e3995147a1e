//! CTFd: a challenge for each lab, and a flag for each player.
//!
//! The format of `challenge.yml` is that of CTFd's tool ctfcli (CTFd/ctfcli, `ctfcli/spec/challenge-example.yml` and
//! `ctfcli/core/lint.py`).
//!
//! No flag is in `challenge.yml`. Its flag has the type `latchstring`, which the plugin [`PLUGIN`] brings. The flag of a
//! player is an HMAC-SHA-256 over the lab and the player's address. Only the server and the instructor have the key. So
//! one player's flag is of no use to another. [`flag`] computes the same for the grader, which gives it to a student who has
//! passed.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use super::text::plain;

/// The plugin: put this text into `CTFd/plugins/latchstring/__init__.py`.
pub const PLUGIN: &str = include_str!("ctfd/plugin.py");

/// The shortest key, in bytes: as long as the output of the hash (RFC 2104, section 3).
pub const SHORTEST_KEY: usize = 32;

/// What CTFd shows of a lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The lab's id.
    pub lab: String,
    /// The title, by which other challenges require it.
    pub name: String,
    /// The author.
    pub author: String,
    /// The category.
    pub category: String,
    /// The text of the challenge, in Markdown.
    pub description: String,
    /// The points.
    pub value: u32,
    /// The hints in their order, each with its price in points.
    pub hints: Vec<(String, u32)>,
    /// The titles of the labs that come before.
    pub requirements: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Files in the folder of `challenge.yml` that players get.
    pub files: Vec<String>,
}

/// Writes `challenge.yml`. The challenge is hidden until the instructor shows it.
pub fn challenge(challenge: &Challenge) -> String {
    let mut yaml = String::from(
        "# The flag of a player comes from the plugin latchstring: HMAC-SHA-256 over the lab and the player's address.\n",
    );
    let texts = [
        ("name", &challenge.name),
        ("author", &challenge.author),
        ("category", &challenge.category),
        ("description", &challenge.description),
        ("attribution", &challenge.author),
    ];
    // Writing to a string cannot fail.
    for (key, text) in texts {
        let _ = writeln!(yaml, "{key}: {}", scalar(text));
    }
    let _ = writeln!(yaml, "value: {}\ntype: \"standard\"", challenge.value);
    let _ = writeln!(
        yaml,
        "flags:\n  - type: \"latchstring\"\n    content: {}\n    data: \"\"",
        scalar(&challenge.lab)
    );
    list(&mut yaml, "tags", &challenge.tags);
    list(&mut yaml, "files", &challenge.files);
    list(&mut yaml, "requirements", &challenge.requirements);
    if !challenge.hints.is_empty() {
        yaml.push_str("hints:\n");
    }
    for (content, cost) in &challenge.hints {
        let _ = writeln!(yaml, "  - content: {}\n    cost: {cost}", scalar(content));
    }
    yaml + "state: \"hidden\"\nversion: \"0.1\"\n"
}

fn list(yaml: &mut String, key: &str, texts: &[String]) {
    if !texts.is_empty() {
        let _ = writeln!(yaml, "{key}:");
    }
    for text in texts {
        let _ = writeln!(yaml, "  - {}", scalar(text));
    }
}

/// A double-quoted scalar of YAML, the one kind that holds any text ([YAML 1.2.2, section 7.3.1]). What is no printable
/// ASCII is escaped, so that no reader takes a character for a line end.
///
/// [YAML 1.2.2, section 7.3.1]: https://yaml.org/spec/1.2.2/#731-double-quoted-style
fn scalar(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in plain(text).chars() {
        let _ = match (c, u32::from(c)) {
            ('"' | '\\', _) => write!(quoted, "\\{c}"),
            ('\n', _) => write!(quoted, "\\n"),
            (' '..='~', _) => write!(quoted, "{c}"),
            (_, code @ ..=0xffff) => write!(quoted, "\\u{code:04X}"),
            (_, code) => write!(quoted, "\\U{code:08X}"),
        };
    }
    quoted + "\""
}

/// Why there is no flag.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FlagError {
    /// A key that could be found by trying.
    #[error(
        "the key of the flags has {0} bytes, and must have {SHORTEST_KEY} or more; make one with: openssl rand -hex 32"
    )]
    ShortKey(usize),
    /// A player without an address has no flag.
    #[error("the student has no e-mail address, from which the flag is made; add it to roster.csv")]
    NoAddress,
}

/// The flag of the player with this address for this lab. Letters of both cases count as equal in an address.
///
/// # Errors
/// When the key is too short, or there is no address.
///
/// # Panics
/// Never: an HMAC takes a key of any length.
pub fn flag(key: &[u8], lab: &str, email: &str) -> Result<String, FlagError> {
    if key.len() < SHORTEST_KEY {
        return Err(FlagError::ShortKey(key.len()));
    }
    if email.is_empty() {
        return Err(FlagError::NoAddress);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC takes any key");
    // The zero bytes keep the parts apart: neither an id nor an address holds one.
    for part in ["latchstring/ctfd/1", lab, &email.to_lowercase()] {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    let tag = hex::encode(&mac.finalize().into_bytes()[..16]);
    Ok(format!("latch{{{tag}}}"))
}
