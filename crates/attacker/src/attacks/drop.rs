//! Makes a message disappear while the conversation goes on.
//!
//! # Flaw
//! The faithful server does not know how many messages there should be, so it cannot miss one; and it never answers, so
//! the client cannot miss an answer.
//!
//! # Attack
//! Do not pass the second message on. Pass on everything else.
//!
//! # What it proves
//! Silence is a message too. Only a count that both ends keep can tell "nothing was said" from "somebody took it".
//!
//! # Defence
//! The tag covers the record's number: the record after the missing one does not open. Messages are numbered as well,
//! and each is acknowledged, so that both ends know what arrived.
//!
//! # In the wild
//! Terrapin, CVE-2023-48795: the first messages of an SSH session, among them the one that asks for better defences,
//! could be deleted by somebody on the path.

use crate::{
    Attack, Claim, Goal, Order, Report, Run, Story,
    capture::trace::Side,
    path::Messages,
    protocol::hardened::defence::Defence,
    vantage::{Dialect, Middle},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "drop",
    title: "make a message disappear",
    goal: Goal::Reorder(Order::Missing),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| Box::new(Swallow::new(dialect))),
    ..Attack::PLAIN
};

/// This message is not passed on.
const VICTIM: usize = 1;

struct Swallow {
    messages: Messages,
    story: Story,
    swallowed: bool,
}

impl Swallow {
    fn new(dialect: &Dialect) -> Self {
        Self {
            messages: Messages::new(dialect),
            story: Story::default(),
            swallowed: false,
        }
    }
}

impl Middle for Swallow {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        if from == Side::Server {
            return bytes.to_vec();
        }
        let mut passed = Vec::new();
        for piece in self.messages.push(bytes) {
            if piece.message == Some(VICTIM) {
                self.swallowed = true;
                self.story.tell(format!(
                    "client -> server: the second message, {} bytes; Mallory does not pass it on",
                    piece.bytes.len()
                ));
            } else {
                passed.extend(piece.bytes);
            }
        }
        passed
    }

    fn report(self: Box<Self>) -> Report {
        let claim = match self.swallowed {
            true => Claim::Reordered,
            false => Claim::Nothing,
        };
        Report::new(claim, self.story)
    }
}
