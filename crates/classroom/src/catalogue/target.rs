//! Which server the program of a trial meets.

use serde::Deserialize;

/// The live target of a trial.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The report's server.
    #[default]
    Faithful,
    /// The report's server on a small machine.
    Small(Small),
    /// A server that says of each RSA block whether its padding is right, with the key of the scene's envelope.
    Oracle,
}

/// The report's server on a small machine. It takes logins, and no messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Small {
    /// How long it works with each private key that it tries, in milliseconds.
    pub ms_per_key: u64,
    /// How long it waits for a login, in milliseconds; without a number it waits for ever.
    pub patience_ms: Option<u64>,
    /// Answer every login with a greeting, a session key and an IV, also one that fits no user.
    #[serde(default)]
    pub same_answer: bool,
}
