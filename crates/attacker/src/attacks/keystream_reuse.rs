//! Reads messages without the session key, because they are all encrypted under one keystream.
//!
//! # Flaw
//! Every message of a faithful session starts at counter 1 again: `c1 ^ c2 = p1 ^ p2`, and the key has dropped out.
//!
//! # Attack
//! The vantage has blanked all that the server said, so neither key nor IV can be seen. First a known plaintext: a
//! session ends with `change()` or `quit()`, which gives the first bytes of the keystream. Then crib dragging: words of
//! a list are tried at every place of every message, and kept where all the *other* messages then read like English.
//!
//! # What it proves
//! A keystream is used once. 256 bits of key do not help, since the key is never attacked.
//!
//! # Defence
//! A fresh nonce for every record, and keys of its own for each direction: `hardened::record`.
//!
//! # In the wild
//! Microsoft Word and Excel encrypted new versions of a document under the same RC4 keystream (Wu, eprint 2005/007);
//! MS-PPTP (1998) used one keystream in both directions; WEP's 24-bit nonces came round; KRACK (CVE-2017-13077) made
//! WPA2 start them again.

use crate::{
    Attack, Claim, Goal, Report, Run, Story,
    capture::{
        dissect::{self, Protocol},
        trace::Trace,
    },
    cryptanalysis::{WordList, render, solve},
    protocol::faithful::message::{CHANGE, QUIT},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "keystream-reuse",
    goal: Goal::Read,
    title: "read messages that share a keystream, without the key",
    vantage: "a sniffer who sees what the client sends; all that the server says is blanked",
    run: Run::SniffClientOnly(|trace| run(trace, &[])),
};

/// A byte is claimed when the solver is at least this sure of it.
const SURE: f32 = 0.5;

/// Runs the attack. `known` are messages that the attacker knows the whole text of, by their place in the session.
pub fn run(trace: &Trace, known: &[(usize, Vec<u8>)]) -> Report {
    let mut story = Story::default();
    let ciphertexts = match dissect::protocol(trace) {
        Protocol::Faithful => dissect::faithful(trace).messages,
        _ => dissect::hardened(trace)
            .client_records
            .into_iter()
            .skip(1)
            .map(|r| r.ciphertext)
            .collect(),
    };
    story.tell(format!(
        "sniffed: {} ciphertexts of the client, and nothing of the server",
        ciphertexts.len()
    ));
    if ciphertexts.len() < 2 {
        story.tell("one message alone gives nothing away: two are needed");
        return Report::new(Claim::Nothing, story);
    }

    let mut known = known.to_vec();
    known.extend(ending(&ciphertexts, &mut story));
    let recovered = solve(&ciphertexts, &WordList::english(), &known);
    let messages: Vec<_> = (0..ciphertexts.len())
        .map(|message| recovered.text(message, SURE))
        .collect();
    if messages.iter().flatten().flatten().next().is_none() {
        story.tell("no word of the list makes the other messages readable anywhere: they do not share a keystream");
        return Report::new(Claim::Nothing, story);
    }
    for message in &messages {
        story.tell(format!("read: \"{}\"", render(message, '_')));
    }
    Report::new(Claim::Read(messages), story)
}

/// The last message of a session is an in-band command, and its length says which.
fn ending(ciphertexts: &[Vec<u8>], story: &mut Story) -> Option<(usize, Vec<u8>)> {
    let last = ciphertexts.len() - 1;
    let command = [CHANGE, QUIT]
        .into_iter()
        .find(|command| command.len() == ciphertexts[last].len())?;
    story.tell(format!(
        "the last one has {} bytes, so it is \"{command}\": XOR gives the first {} bytes of the keystream",
        command.len(),
        command.len()
    ));
    Some((last, command.as_bytes().to_vec()))
}
