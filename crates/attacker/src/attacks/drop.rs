//! Drops a message while the conversation goes on.
//!
//! # Flaw
//! The faithful server does not know how many messages to expect, so it cannot miss one. The server never answers, so
//! the client cannot miss an answer.
//!
//! # Attack
//! Do not forward the second message. Forward everything else.
//!
//! # What it proves
//! Silence carries information too. Only a counter at both ends distinguishes "nothing was sent" from "a message was
//! dropped".
//!
//! # Defence
//! The tag covers the record's number, so the record after the missing one does not open. Messages have numbers too.
//! Each message is acknowledged, so both ends know which messages arrived.
//!
//! # In the wild
//! Terrapin, CVE-2023-48795: an attacker on the path could delete the first messages of an SSH session. Among them is
//! the message that asks for better defences.

use crate::{
    Attack, Claim, Goal, Order, Run,
    path::{Action, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "drop",
    title: "make a message disappear",
    goal: Goal::Reorder(Order::Missing),
    vantage: "on the path between client and server",
    returns_without: &[&[Defence::SequenceNumbers]],
    run: Run::OnPath(|dialect| {
        on_each_message(dialect, Claim::Reordered, |message| match message.number {
            VICTIM => Action::Swallow,
            _ => Action::Pass,
        })
    }),
    ..Attack::PLAIN
};

/// This message is not passed on.
const VICTIM: usize = 1;
