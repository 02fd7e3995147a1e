//! The scene: what is made for each student, and for each hidden instance.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The parts that are made for a student: accounts and recordings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scene {
    /// Users of the faithful target, in the order of its list.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// The folder in which the student finds their public keys.
    pub public_keys: Option<String>,
    /// Pools that words are drawn from: `{place}` or `{place.1}` is the first of its pool, `{place.2}` another.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
    /// Sessions that are really run and recorded.
    #[serde(default, rename = "session")]
    pub sessions: Vec<Recording>,
}

/// One recorded session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recording {
    /// The prefix of its facts.
    pub id: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The capture file.
    pub file: String,
    /// The messages that the user types.
    pub messages: Vec<String>,
    /// Set all that the server says to zero: no session key to be seen.
    #[serde(default)]
    pub blank_server: bool,
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
