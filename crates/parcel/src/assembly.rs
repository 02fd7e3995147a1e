//! Finds the parts among the messages of a store: which message holds which part of which file.
//!
//! It keeps no bytes of files, only some 100 bytes for each message that it was given. So nothing that a message
//! claims makes it use more memory. The messages may come in any order, and more than once: the result is the same.

use std::collections::{BTreeMap, BTreeSet};

use latchstring_protocol::hardened::{
    message::{Fingerprint, UserName},
    primitives::hash,
};

use crate::{Head, Part, PartError};

/// The sender of a message. Message ids belong to a user *and* a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    /// The user.
    pub user: UserName,
    /// The user's key.
    pub key: Fingerprint,
}

/// A message as a store has it.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Its id. The ids of a sender go up in the order of sending.
    pub id: u64,
    /// When the server stored it, in seconds since 1970; `None` if the store does not know.
    pub at: Option<u64>,
    /// Its text.
    pub text: &'a str,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A part of a file.
    Part,
    /// A text that is no part: left alone, and counted.
    Other,
    /// A text that begins like a part, and is none.
    Bad(PartError),
}

/// A message that begins like a part, and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPart {
    /// The sender.
    pub sender: Sender,
    /// The id of the message.
    pub id: u64,
    /// The fault.
    pub why: PartError,
}

/// One copy of a part: when it came, and the hash of its bytes.
#[derive(Debug, Clone, Copy)]
struct Copy {
    at: Option<u64>,
    content: [u8; 32],
}

/// The copies of one part, by the id of their message.
type Copies = BTreeMap<u64, Copy>;

/// The parts that were found.
#[derive(Debug, Default)]
pub struct Assembly {
    files: BTreeMap<(Sender, Head), BTreeMap<u32, Copies>>,
    others: BTreeMap<Sender, BTreeSet<u64>>,
    bad: BTreeMap<(Sender, u64), PartError>,
}

impl Assembly {
    /// Takes one message.
    pub fn add(&mut self, sender: &Sender, message: Received<'_>) -> Kind {
        let Received { id, at, text } = message;
        match Part::parse(text) {
            Ok(Some(part)) => {
                let content = hash(&[&part.bytes]);
                let parts = self.files.entry((sender.clone(), part.head)).or_default();
                let copies = parts.entry(part.number).or_default();
                copies.entry(id).or_insert(Copy { at, content });
                Kind::Part
            }
            Ok(None) => {
                self.others.entry(sender.clone()).or_default().insert(id);
                Kind::Other
            }
            Err(why) => {
                self.bad.insert((sender.clone(), id), why);
                Kind::Bad(why)
            }
        }
    }

    /// Every file of which at least one part came, complete or not, by sender and name.
    pub fn files(&self) -> impl Iterator<Item = FileParts<'_>> {
        self.files.iter().map(|((sender, head), parts)| FileParts {
            sender,
            head,
            parts,
        })
    }

    /// How many messages of each sender were no parts.
    pub fn others(&self) -> impl Iterator<Item = (&Sender, usize)> {
        (self.others.iter()).map(|(sender, ids)| (sender, ids.len()))
    }

    /// The messages that begin like parts, and are none.
    pub fn bad(&self) -> impl Iterator<Item = BadPart> {
        self.bad.iter().map(|((sender, id), why)| BadPart {
            sender: sender.clone(),
            id: *id,
            why: *why,
        })
    }
}

/// A file of a sender, and the parts of it that came.
///
/// The *first* copy of each part counts. So nothing that is sent later changes a file, or the time at which it was
/// complete.
#[derive(Debug, Clone, Copy)]
pub struct FileParts<'a> {
    /// The sender.
    pub sender: &'a Sender,
    /// Hash, length and name.
    pub head: &'a Head,
    parts: &'a BTreeMap<u32, Copies>,
}

impl<'a> FileParts<'a> {
    /// Whether every part is there. [`crate::join`] then checks the hash.
    pub fn is_complete(&self) -> bool {
        // No part has a number above the count: the parser refuses it.
        self.parts.len() == self.head.count() as usize
    }

    /// The numbers of the parts that are missing.
    pub fn missing(&self) -> impl Iterator<Item = u32> + use<'a> {
        let parts = self.parts;
        (1..=self.head.count()).filter(|number| !parts.contains_key(number))
    }

    /// The ids of the messages that hold the parts which are there, in the order of the parts.
    pub fn messages(&self) -> impl Iterator<Item = u64> + use<'a> {
        let first = |copies: &Copies| copies.keys().next().copied();
        self.parts.values().filter_map(first)
    }

    /// When the file became complete, once for each time that all of it came. `None` is a time that the store does not
    /// know.
    ///
    /// The n-th time is that of the last of the n-th copies. Parts that were sent twice, because a sender lost its
    /// journal, make no second time: only a second copy of *every* part does.
    pub fn times(&self) -> Vec<Option<u64>> {
        if !self.is_complete() {
            return Vec::new();
        }
        let good: Vec<Vec<Option<u64>>> = self.parts.values().map(good_copies).collect();
        let rounds = good.iter().map(Vec::len).min().unwrap_or(0);
        let latest = |round: usize| {
            let times = good.iter().map(|copies| copies[round]);
            times
                .reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b)))
                .flatten()
        };
        (0..rounds).map(latest).collect()
    }

    /// How many copies have other bytes than the first copy of their part. They are left out.
    pub fn differing(&self) -> usize {
        let left_out = |copies: &Copies| copies.len() - good_copies(copies).len();
        self.parts.values().map(left_out).sum()
    }
}

/// The times of the copies that are equal to the first one, in the order of their messages.
fn good_copies(copies: &Copies) -> Vec<Option<u64>> {
    let first = copies.values().next();
    let same = |copy: &&Copy| first.is_some_and(|first| first.content == copy.content);
    copies.values().filter(same).map(|copy| copy.at).collect()
}
