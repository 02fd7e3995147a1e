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
    Attack, Claim, Goal, Order, Run,
    path::{Deed, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "reorder",
    title: "make two messages change places",
    goal: Goal::Reorder(Order::Swapped),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| {
        on_each_message(dialect, Claim::Reordered, |message| match message.number {
            HELD => Deed::Hold,
            _ => Deed::Pass,
        })
    }),
    ..Attack::PLAIN
};

/// This message is held back until the next one has gone by.
const HELD: usize = 1;
