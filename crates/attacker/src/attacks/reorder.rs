//! Makes the server hear two messages in the other order.
//!
//! # Flaw
//! Faithful messages are decrypted one by one, each from the first byte of the keystream on. No message has a place.
//!
//! # Attack
//! Hold the second message back until the third has gone by.
//!
//! # What it proves
//! Each message can be genuine and the conversation still be another one: "yes" is an answer to the question before it.
//!
//! # Defence
//! The tag covers the record's number. A record that comes early has a number that is not due yet, and its tag is wrong.
//!
//! # In the wild
//! Terrapin, CVE-2023-48795: numbers that an attacker could shift during SSH's handshake let messages be deleted from
//! its beginning without anybody noticing.

use crate::{
    Attack, Claim, Goal, Order, Report, Run, Story,
    capture::trace::Side,
    path::Messages,
    protocol::hardened::defence::Defence,
    vantage::{Dialect, Middle},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "reorder",
    title: "make two messages change places",
    goal: Goal::Reorder(Order::Swapped),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| Box::new(Swap::new(dialect))),
    ..Attack::PLAIN
};

/// This message is held back until the next one has gone by.
const HELD: usize = 1;

struct Swap {
    messages: Messages,
    held: Vec<u8>,
    due: bool,
    story: Story,
}

impl Swap {
    fn new(dialect: &Dialect) -> Self {
        Self {
            messages: Messages::new(dialect),
            held: Vec::new(),
            due: false,
            story: Story::default(),
        }
    }
}

impl Middle for Swap {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        if from == Side::Server {
            return bytes.to_vec();
        }
        let mut passed = Vec::new();
        for piece in self.messages.push(bytes) {
            if piece.message == Some(HELD) {
                self.story
                    .tell("client -> server: the second message; Mallory holds it back");
                self.held = piece.bytes;
                continue;
            }
            if piece.message == Some(HELD + 1) {
                self.story
                    .tell("client -> server: the third message; Mallory lets it go first");
                self.due = true;
            }
            passed.extend(piece.bytes);
        }
        passed
    }

    fn afterthought(&mut self) -> Vec<u8> {
        match self.due {
            true => std::mem::take(&mut self.held),
            false => Vec::new(),
        }
    }

    fn report(self: Box<Self>) -> Report {
        let claim = match self.due || !self.held.is_empty() {
            true => Claim::Reordered,
            false => Claim::Nothing,
        };
        Report::new(claim, self.story)
    }
}
