//! Delivers a message to the server twice.
//!
//! # Flaw
//! A faithful message is a ciphertext and nothing else. It has no number and no time.
//!
//! # Attack
//! Forward the payment, and send the same bytes again a moment later. The attacker does not need to know the meaning of
//! a message to repeat it.
//!
//! # What it proves
//! A genuine message is not always a new message.
//!
//! # Defence
//! The tag covers the record's number, which goes up by one. The copy has the number of a record that was already read.
//!
//! # In the wild
//! IPsec and DTLS carry a number in every packet, and keep a window of numbers already seen. They do so only to stop
//! replays (RFC 4303, section 3.4.3; RFC 9147, section 4.5.1).

use crate::{
    Attack, Claim, Goal, Order, Run,
    path::{Action, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "message-replay",
    title: "make the server accept a message twice",
    goal: Goal::Reorder(Order::Twice),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| {
        on_each_message(dialect, Claim::Reordered, |message| match message.number {
            PAYMENT => Action::Repeat,
            _ => Action::Pass,
        })
    }),
    ..Attack::PLAIN
};

/// The second message is the one that is worth repeating.
const PAYMENT: usize = 1;
