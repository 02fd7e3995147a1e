//! Ends a session early, and neither end notices.
//!
//! # Flaw
//! The faithful server takes the end of the connection for the end of the conversation. An attacker on the path can end
//! a connection: a TCP segment with FIN set needs no key.
//!
//! # Attack
//! Forward three messages. Then close the connection to the server. Go on reading from the client. The server never
//! answers in this protocol, so the client misses nothing. In a protocol with answers, close that connection too.
//!
//! # What it proves
//! An end is a message too, and the most valuable one to forge: all messages before it are genuine.
//!
//! # Defence
//! A session ends with a `CLOSE` that carries counters and a hash of the whole conversation. The ends report a session
//! without one as truncated, and list the messages that are in doubt.
//!
//! # In the wild
//! Cookie cutter (Bhargavan et al., 2014): browsers used HTTP headers that had been cut short. They took the end of a
//! TLS connection without its `close_notify` for the end of the data.

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::trace::Side,
    path::Messages,
    protocol::hardened::defence::Defence,
    vantage::{Cut, Dialect, Middle},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "truncation",
    title: "end a session early, unnoticed by both ends",
    goal: Goal::Truncate,
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::AuthenticatedClose]],
    run: Run::OnPath(|dialect| Box::new(Truncation::new(dialect))),
    ..Attack::PLAIN
};

/// The number of messages that are let through.
const LET_THROUGH: usize = 3;

struct Truncation {
    target: Target,
    messages: Messages,
    cut: bool,
    story: Story,
}

impl Truncation {
    fn new(dialect: &Dialect) -> Self {
        Self {
            target: dialect.target,
            messages: Messages::new(dialect),
            cut: false,
            story: Story::default(),
        }
    }
}

impl Middle for Truncation {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        if from == Side::Server {
            return bytes.to_vec();
        }
        let mut passed = Vec::new();
        for piece in self.messages.push(bytes) {
            if piece.message < Some(LET_THROUGH) {
                passed.extend(piece.bytes);
            } else if !self.cut {
                self.cut = true;
                self.story.tell(format!(
                    "after {LET_THROUGH} messages Mallory closes the connection to the server; no key is used"
                ));
            }
        }
        passed
    }

    fn cut(&self) -> Cut {
        match (self.cut, self.target) {
            (false, _) => Cut::Nothing,
            (true, Target::Faithful) => Cut::Server,
            (true, Target::Hardened) => Cut::Both,
        }
    }

    fn report(self: Box<Self>) -> Report {
        let after = LET_THROUGH;
        let claim = match self.cut {
            true => Claim::Truncated { after },
            false => Claim::Nothing,
        };
        Report::new(claim, self.story)
    }
}
