//! A message on its way to the sink.

use latchstring_store::{
    StoredMessage,
    protocol::hardened::message::{Fingerprint, UserName},
};

/// A message that the sink does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The place in the order of delivery. Places go up, and are never used twice.
    pub place: u64,
    /// The sender.
    pub user: UserName,
    /// The key with which the message came.
    pub kid: Fingerprint,
    /// The message.
    pub message: StoredMessage,
}
