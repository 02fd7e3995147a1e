//! The sink: where messages go besides the store.
//!
//! The store is the truth about ids and duplicates. A sink gets its messages from the store, in order. A message is
//! acknowledged only when the store *and* the sink have it.

use latchstring_net::protocol::hardened::message::{Fingerprint, UserName};
use latchstring_store::Answer;

/// Knows which stored messages the sink has.
pub trait Delivery: Send + Sync {
    /// Waits until the sink has this stored message durably. A sink that cannot tell has a message when it took it.
    /// [`StoreError::Undelivered`](latchstring_store::StoreError::Undelivered) when that takes too long.
    fn delivered<'a>(&'a self, user: &'a UserName, kid: &'a Fingerprint, id: u64)
    -> Answer<'a, ()>;
}

/// There is no sink besides the store.
#[derive(Debug, Clone, Copy)]
pub struct StoreOnly;

impl Delivery for StoreOnly {
    fn delivered<'a>(&'a self, _: &'a UserName, _: &'a Fingerprint, _: u64) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
