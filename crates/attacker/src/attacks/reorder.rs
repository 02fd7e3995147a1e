//! Delivers two messages to the server in the other order.
//!
//! # Flaw
//! The faithful server decrypts messages one by one, each from the first byte of the keystream on. No message has a
//! number.
//!
//! # Attack
//! Hold the second message back until the third has gone by.
//!
//! # What it proves
//! Each message can be genuine while the conversation is not: "yes" is an answer to the question before it.
//!
//! # Defence
//! The tag covers the record's number. A record that comes early has a number that is not due yet, so its tag is wrong.
//!
//! # In the wild
//! Terrapin, CVE-2023-48795: an attacker could shift sequence numbers during SSH's handshake. So messages could be
//! deleted from the beginning of the session without a trace.

use crate::{
    Attack, Claim, Goal, Order, Run,
    path::{Action, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "reorder",
    title: "swap two messages",
    goal: Goal::Reorder(Order::Swapped),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| {
        on_each_message(dialect, Claim::Reordered, |message| match message.number {
            HELD => Action::Hold,
            _ => Action::Pass,
        })
    }),
    ..Attack::PLAIN
};

/// This message is held back until the next one has gone by.
const HELD: usize = 1;
