//! Makes the server hear a message twice.
//!
//! # Flaw
//! A faithful message is a ciphertext and nothing else. Nothing in it says that it was sent once, or when.
//!
//! # Attack
//! Pass the payment on, and a moment later the same bytes again. Its meaning need not be known to be worth repeating.
//!
//! # What it proves
//! A message that is genuine is not for that reason new.
//!
//! # Defence
//! The tag covers the record's number, which goes up by one: the copy has the number of a record that was read already.
//!
//! # In the wild
//! IPsec and DTLS carry a number in every packet and keep a window of those already seen, for this and nothing else
//! (RFC 4303, section 3.4.3; RFC 9147, section 4.5.1).

use crate::{
    Attack, Claim, Goal, Order, Report, Run, Story,
    capture::trace::Side,
    path::Messages,
    protocol::hardened::defence::Defence,
    vantage::{Dialect, Middle},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "message-replay",
    title: "make the server hear a message twice",
    goal: Goal::Reorder(Order::Twice),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| Box::new(Replay::new(dialect))),
    ..Attack::PLAIN
};

/// The second message is the one that is worth repeating.
const PAYMENT: usize = 1;

struct Replay {
    messages: Messages,
    copy: Vec<u8>,
    story: Story,
    copied: bool,
}

impl Replay {
    fn new(dialect: &Dialect) -> Self {
        Self {
            messages: Messages::new(dialect),
            copy: Vec::new(),
            story: Story::default(),
            copied: false,
        }
    }
}

impl Middle for Replay {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        if from == Side::Client {
            let pieces = self.messages.push(bytes);
            if let Some(payment) = pieces.iter().find(|piece| piece.message == Some(PAYMENT)) {
                self.story.tell(format!(
                    "client -> server: the second message, {} bytes; Mallory keeps a copy",
                    payment.bytes.len()
                ));
                self.copy.clone_from(&payment.bytes);
                self.copied = true;
            }
        }
        bytes.to_vec()
    }

    fn afterthought(&mut self) -> Vec<u8> {
        let copy = std::mem::take(&mut self.copy);
        if !copy.is_empty() {
            self.story.tell("Mallory -> server: the same bytes again");
        }
        copy
    }

    fn report(self: Box<Self>) -> Report {
        let claim = match self.copied {
            true => Claim::Reordered,
            false => Claim::Nothing,
        };
        Report::new(claim, self.story)
    }
}
