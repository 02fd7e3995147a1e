//! The memory of a client, for an attacker who sees it once.

use std::sync::{Arc, Mutex};

use latchstring_attacker::{
    protocol::hardened::{
        Error,
        defence::{Defence, Defences},
        message::Type,
        parts::{Exchange, Parts, RecordProtection},
        primitives::Secret,
        role::Role,
    },
    vantage::MemoryDump,
};
use zeroize::Zeroizing;

/// The epoch of the keys that a session has right after the login.
const AFTER_LOGIN: u32 = 1;

/// What is in a client's memory right after the login; clones share it.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<[u8; 32]>>>);

impl Memory {
    /// A copy of it.
    ///
    /// # Panics
    /// When the client has panicked.
    pub fn dump(&self) -> MemoryDump {
        let kept = self.0.lock().expect("no client panicked");
        MemoryDump {
            traffic_secrets: kept.iter().copied().map(Zeroizing::new).collect(),
        }
    }
}

/// The parts of a peer, and a copy of the secrets that they are given.
#[derive(Clone)]
pub(crate) struct Watched<D> {
    pub(crate) parts: D,
    pub(crate) memory: Memory,
}

impl<D: Defences> Defences for Watched<D> {
    fn keeps(&self, defence: Defence) -> bool {
        self.parts.keeps(defence)
    }
}

impl<D: Parts> Parts for Watched<D> {
    fn exchange(&self, role: Role, secret: &Secret) -> Box<dyn Exchange> {
        self.parts.exchange(role, secret)
    }

    fn share_len(&self, role: Role) -> usize {
        self.parts.share_len(role)
    }

    fn record_protection(&self, secret: &Secret, epoch: u32) -> Box<dyn RecordProtection> {
        if epoch == AFTER_LOGIN {
            let mut kept = self.memory.0.lock().expect("no client panicked");
            kept.push(**secret);
        }
        self.parts.record_protection(secret, epoch)
    }

    fn lengths(&self, exact: &'static [usize]) -> &'static [usize] {
        self.parts.lengths(exact)
    }

    fn signed(&self, role: Role, transcript: &[u8]) -> Vec<u8> {
        self.parts.signed(role, transcript)
    }

    fn traffic_labels(&self) -> [&'static str; 2] {
        self.parts.traffic_labels()
    }

    fn refusal(&self, reason: &str) -> Vec<u8> {
        self.parts.refusal(reason)
    }

    fn out_of_state(&mut self, typ: Type) -> Result<(), Error> {
        self.parts.out_of_state(typ)
    }
}
