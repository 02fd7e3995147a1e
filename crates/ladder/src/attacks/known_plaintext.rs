//! Opens the other texts with one text that is known.
//!
//! Text and ciphertext give the keystream, and the keystream opens every message that shares it. From rung 1 on no message
//! does.

use crate::{
    attack::{Attack, Claim, Goal, Program},
    content::text_offset,
    frame::Frame,
    path::texts_of,
    rung::Rung,
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "known-plaintext",
    title: "open the other texts with one text that is known",
    goal: Goal::Read,
    needs: None,
    program: Program::Sniff(run),
};

/// What the user always says first.
const KNOWN: &[u8] = b"hello my name is alice";

fn run(rung: Rung, tap: &Tap) -> Claim {
    let frames = texts_of(rung, &tap.client);
    let body = |bytes: &Vec<u8>| Frame::decode(rung, bytes).map(|frame| frame.ciphertext);
    let bodies: Vec<Vec<u8>> = frames.iter().filter_map(|bytes| body(bytes).ok()).collect();
    let Some((first, others)) = bodies.split_first() else {
        return Claim::Nothing;
    };
    let from = text_offset(rung);
    let keystream: Vec<u8> = xor(first.get(from..).unwrap_or_default(), KNOWN);
    let texts = others.iter().filter_map(|body| {
        let body = body.get(from..)?;
        (body.len() <= keystream.len()).then(|| xor(body, &keystream))
    });
    let texts: Vec<Vec<u8>> = texts.filter(|text| text != b"change()").collect();
    match texts.is_empty() {
        true => Claim::Nothing,
        false => Claim::Read(texts),
    }
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}
