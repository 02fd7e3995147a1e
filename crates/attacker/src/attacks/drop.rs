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
    Attack, Claim, Goal, Order, Run,
    path::{Deed, on_each_message},
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
            VICTIM => Deed::Swallow,
            _ => Deed::Pass,
        })
    }),
    ..Attack::PLAIN
};

/// This message is not passed on.
const VICTIM: usize = 1;
