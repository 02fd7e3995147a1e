//! Which messages stay, and which ones may be removed.

use latchstring_store::protocol::hardened::message::{Fingerprint, UserName};

/// Rules for which messages stay. A message that any rule does not keep may be removed; no rule keeps all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Keep messages that came at this time or later, in seconds since 1970.
    pub since: Option<u64>,
    /// Keep the last messages of each key.
    pub last_of_key: Option<u64>,
    /// Keep the last messages of all keys together.
    pub messages: Option<u64>,
    /// Keep the last messages of all keys together whose texts have this many bytes.
    pub bytes: Option<u64>,
}

/// The messages that are to be removed: the first ones of some logs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The logs, by user and key.
    pub logs: Vec<PlannedLog>,
}

/// A log whose first messages are to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLog {
    /// The key of the user in the store.
    pub(crate) user_hash: [u8; 32],
    /// The key of the log.
    pub kid: Fingerprint,
    /// The user; `None` when the account was removed.
    pub user: Option<UserName>,
    /// The last message that is to be removed, with all before it.
    pub last: u64,
    /// How many there are.
    pub messages: u64,
    /// How many bytes their texts have.
    pub bytes: u64,
}

impl Plan {
    /// How many messages are to be removed.
    pub fn messages(&self) -> u64 {
        self.logs.iter().map(|log| log.messages).sum()
    }

    /// How many bytes their texts have.
    pub fn bytes(&self) -> u64 {
        self.logs.iter().map(|log| log.bytes).sum()
    }
}
