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
    Attack, Claim, Goal, Order, Run,
    path::{Deed, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "message-replay",
    title: "make the server hear a message twice",
    goal: Goal::Reorder(Order::Twice),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| {
        on_each_message(dialect, Claim::Reordered, |message| match message.number {
            PAYMENT => Deed::Repeat,
            _ => Deed::Pass,
        })
    }),
    ..Attack::PLAIN
};

/// The second message is the one that is worth repeating.
const PAYMENT: usize = 1;
