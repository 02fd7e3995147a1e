//! What two ends of a session should know of each other's messages, kept in the plainest way.

use latchstring_protocol::hardened::primitives::hash;

/// One direction: every message that was ever sent, and how far they are acknowledged.
#[derive(Debug, Clone)]
pub struct Account {
    first: u64,
    chain0: [u8; 32],
    texts: Vec<(u8, String)>,
    /// How many of them are acknowledged.
    pub acknowledged: usize,
    /// Whether the sender has closed.
    pub closed: bool,
}

impl Account {
    /// Nothing sent yet; `last` is the id of the last message of the sessions before.
    pub fn new(last: u64, chain0: [u8; 32]) -> Self {
        Self {
            first: last,
            chain0,
            texts: Vec::new(),
            acknowledged: 0,
            closed: false,
        }
    }

    /// The id of the last message.
    pub fn last(&self) -> u64 {
        self.first + self.texts.len() as u64
    }

    /// The id up to which all are acknowledged.
    pub fn acked(&self) -> u64 {
        self.first + self.acknowledged as u64
    }

    /// How many wait for their acknowledgement.
    pub fn open(&self) -> usize {
        self.texts.len() - self.acknowledged
    }

    /// Whether this id waits for its acknowledgement.
    pub fn waits(&self, id: u64) -> bool {
        (self.acked() + 1..=self.last()).contains(&id)
    }

    /// Adds a message.
    pub fn append(&mut self, kind: u8, text: &str) {
        self.texts.push((kind, text.to_owned()));
    }

    /// Marks all up to an id that waits as acknowledged.
    pub fn acknowledge(&mut self, id: u64) {
        self.acknowledged = (id - self.first) as usize;
    }

    /// The chain at an id, worked out from the first message: `H(chain ‖ id ‖ H(kind ‖ text))`.
    pub fn chain(&self, id: u64) -> [u8; 32] {
        let messages = (self.first + 1..=id).zip(&self.texts);
        messages.fold(self.chain0, |chain, (id, (kind, text))| {
            let content = hash(&[&[*kind], text.as_bytes()]);
            hash(&[&chain, &id.to_be_bytes(), &content])
        })
    }
}
