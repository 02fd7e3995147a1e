//! The scene: what is made for each student, and for each hidden instance.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use latchstring_attacker::protocol::hardened::defence::Defence;
use latchstring_cli::suggest::nearest;
use serde::Deserialize;

/// The parts that are made for a student: accounts and recordings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scene {
    /// Users of the faithful target, in the order of its list.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Users whose accounts come last in the list, and whose public keys nobody gets.
    #[serde(default)]
    pub unlisted: Vec<String>,
    /// People with a public key and without an account.
    #[serde(default)]
    pub strangers: Vec<String>,
    /// The folder in which the student finds their public keys.
    pub public_keys: Option<String>,
    /// Pools that words are drawn from: `{place}` or `{place.1}` is the first of its pool, `{place.2}` another.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
    /// Sessions that are really run and recorded.
    #[serde(default, rename = "session")]
    pub sessions: Vec<Recording>,
    /// Texts, such as the log of a server.
    #[serde(default, rename = "document")]
    pub documents: Vec<Document>,
}

/// A text file that is filled in with facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The prefix of its facts.
    pub id: String,
    /// The name of the file.
    pub file: String,
    /// Its text, with facts in braces.
    pub text: String,
}

/// One recorded session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recording {
    /// The prefix of its facts.
    pub id: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Leave these defences of the hardened protocol out, by their ids.
    #[serde(default)]
    pub without: Vec<String>,
    /// The capture file; facts in its name are filled in.
    pub file: String,
    /// The messages that the user types.
    pub messages: Vec<String>,
    /// Set all that the server says to zero: no session key to be seen.
    #[serde(default)]
    pub blank_server: bool,
}

impl Recording {
    /// The defences that are left out.
    ///
    /// # Errors
    /// When there is no such defence, or the protocol has none to leave out.
    pub fn left_out(&self) -> anyhow::Result<Vec<Defence>> {
        let (id, protocol) = (&self.id, self.protocol);
        ensure!(
            self.without.is_empty() || protocol == Protocol::Hardened,
            "the session {id:?} leaves defences out, and only the hardened protocol has any: take `without` out"
        );
        let find = |name: &String| {
            let unknown = || {
                let hint = nearest(name, Defence::ALL.iter().map(|defence| defence.id()));
                format!(
                    "the session {id:?} leaves out {name:?}, and there is no such defence{hint}; `latchstring-attack list` names them"
                )
            };
            Defence::find(name).with_context(unknown)
        };
        self.without.iter().map(find).collect()
    }
}

/// Faithful or hardened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// The report's; the first account is who logs in.
    Faithful,
    /// `latch/2`; alice logs in with the lab's published keys.
    Hardened,
}
