//! The host's signature, the one thing that a server computes for anybody who says hello.
//!
//! A signature takes about a millisecond of a processor. Few signatures are made at a time, in separate threads, so
//! that a crowd of strangers takes nothing from users who are logged in. A bounded number waits, and further
//! connections are dropped.

use std::sync::Arc;

use latchstring_net::protocol::hardened::{
    handshake::{ExpectClientAuth, accept_with},
    keys::Ephemeral,
    parts::Parts,
    signature::Signer,
};

use crate::{
    Limits,
    error::HandshakeError,
    load::QueueLoad,
    queue::{NotDone, Queue},
};

/// Signs for a few at a time.
pub(crate) struct SigningPool {
    host: Arc<dyn Signer>,
    queue: Queue,
}

/// The state that waits for the client, and the answer to its hello.
type Answered<D> = (ExpectClientAuth<D>, Vec<u8>);

impl SigningPool {
    pub(crate) fn new(host: Arc<dyn Signer>, limits: &Limits) -> Self {
        let queue = Queue::new(limits.signing_permits, limits.signing_queue);
        Self { host, queue }
    }

    pub(crate) fn set_limits(&self, limits: &Limits) {
        (self.queue).resize(limits.signing_permits, limits.signing_queue);
    }

    pub(crate) fn load(&self) -> QueueLoad {
        self.queue.load()
    }

    /// Answers a hello once it is its turn.
    pub(crate) async fn answer<D: Parts>(
        &self,
        hello: Vec<u8>,
        ephemeral: Ephemeral,
        defences: D,
    ) -> Result<Answered<D>, HandshakeError> {
        let host = Arc::clone(&self.host);
        let sign = move || accept_with(&hello, ephemeral, &*host, defences);
        match self.queue.compute(sign).await {
            Ok(answered) => Ok(answered?),
            Err(NotDone::Full) => Err(HandshakeError::SigningBusy),
            Err(NotDone::Stopping) => Err(HandshakeError::Stopping),
        }
    }
}
