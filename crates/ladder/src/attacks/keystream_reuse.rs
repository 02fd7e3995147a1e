//! Reads texts without a key, because they are under one keystream.
//!
//! The XOR of two ciphertexts under one keystream is the XOR of the texts. From a book of likely phrases the attack looks
//! for two whose XOR is the one on the wire. From rung 1 on each message has its number in the counter block, so no two
//! share keystream.

use crate::{
    attack::{Attack, Claim, Goal, Program},
    frame::Frame,
    path::texts_of,
    rung::Rung,
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "keystream-reuse",
    title: "read texts that share a keystream, without a key",
    goal: Goal::Read,
    needs: None,
    program: Program::Sniff(run),
};

/// Phrases that people type. Some of them will be there; the attacker does not know which.
const PHRASES: [&str; 12] = [
    "good morning",
    "pay bob 10",
    "pay bob 100",
    "see you soon",
    "the meeting is at noon",
    "the meeting is at nine",
    "do not tell anyone",
    "hello my name is alice",
    "hello my name is carol",
    "where is the report",
    "yes",
    "no",
];

fn run(rung: Rung, tap: &Tap) -> Claim {
    let frames = texts_of(rung, &tap.client);
    let frames: Vec<Frame> = (frames.iter())
        .filter_map(|bytes| Frame::decode(rung, bytes).ok())
        .collect();
    let mut read = Vec::new();
    for (i, first) in frames.iter().enumerate() {
        for second in &frames[i + 1..] {
            read.extend(explained(&first.ciphertext, &second.ciphertext));
        }
    }
    read.sort_unstable();
    read.dedup();
    match read.is_empty() {
        true => Claim::Nothing,
        false => Claim::Read(read),
    }
}

/// The two phrases of which these are the ciphertexts, if they share a keystream and both phrases are in the book.
fn explained(first: &[u8], second: &[u8]) -> Vec<Vec<u8>> {
    let fits = |length: usize| PHRASES.iter().filter(move |phrase| phrase.len() == length);
    for one in fits(first.len()) {
        for other in fits(second.len()) {
            let on_the_wire = first.iter().zip(second).map(|(a, b)| a ^ b);
            let of_the_texts = one.bytes().zip(other.bytes()).map(|(a, b)| a ^ b);
            if one != other && on_the_wire.eq(of_the_texts) {
                return [one, other].map(|text| text.as_bytes().to_vec()).to_vec();
            }
        }
    }
    Vec::new()
}
