//! Reads messages without the session key, because all of them are encrypted under one keystream.
//!
//! # Flaw
//! AES in counter mode makes a keystream and XORs it with the text. The faithful protocol starts the counter at 1 again
//! for every message, so all messages of a session are under the *same* keystream. The keystream k cancels out:
//!
//! ```text
//! c1 = p1 ^ k    c2 = p2 ^ k    so    c1 ^ c2 = p1 ^ p2
//! ```
//!
//! # Attack
//! All bytes that the server sent are blanked, with the key and the IV, so the attack cannot cheat.
//!
//! 1. *A known plaintext.* A session ends with `change()` or `quit()`, and their lengths differ. An XOR with the
//!    ciphertext gives the first 8 or 6 bytes of the keystream. These bytes open the beginning of every other message.
//!    If the results are no text, the last message is another one of that length.
//! 2. *Crib dragging*, done by the computer. The attack tries every keystream byte at every place, from left to right.
//!    A right byte makes all messages go on like English at once; a wrong one makes letters and garbage.
//!
//! The wire does not show where a message ends, and a segment may hold several messages or a part of one. Once some of
//! the keystream is known, the beginning of a message shows: the bytes from there on are readable. So the attack cuts
//! the messages again, and solves them again.
//!
//! The text that reads best is no proof, because even random bytes can look like words. So the attack computes the
//! probability that chance gives text as good. It claims nothing unless that probability is below one in a million.
//!
//! Against hardened the attack looks for records that share a keystream. Records end in zeros, so two records under one
//! keystream would end alike. An underscore in the result marks a byte of which the attack is not sure.
//!
//! # What it proves
//! A nonce is a number used *once*. This attack never touches the key, so 256 bits of key do not help. For the same
//! reason it has nothing to do with cycling through keys.
//!
//! # Defence
//! The sequence number gives every record another counter block. Each direction has different keys, so the two
//! sequences never share a keystream.
//!
//! # In the wild
//! - Microsoft Word and Excel encrypted each new version of a document under the same RC4 keystream (Wu, IACR ePrint
//!   2005/007).
//! - Microsoft's PPTP used one keystream for both directions (1998).
//! - WEP has nonces of 24 bits, so they repeat.
//! - KRACK, CVE-2017-13077, made WPA2 start its nonces again.

mod hypotheses;
mod records;

use std::iter::repeat;

use self::{
    hypotheses::{Solved, best_cuts, leave_out_what_is_no_text, solved},
    records::{opened, texts_of_records},
};
use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::{dissect, trace::Trace},
    cryptanalysis::{Evidence, render},
    cuts,
    protocol::hardened::defence::Defence,
    vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "keystream-reuse",
    goal: Goal::Read,
    title: "read messages that share a keystream, without the key",
    vantage: "a sniffer who sees the client's bytes; the server's bytes are blanked",
    returns_without: &[&[Defence::FreshNonce]],
    run: Run::SniffClientOnly(|wiretap| run(wiretap, &[])),
    ..Attack::PLAIN
};

/// A byte is claimed when the solver is at least this sure of it.
const SURE: f32 = 0.5;

/// Runs the attack. `known` are messages that the attacker knows the whole text of, by their place in the session.
pub fn run(wiretap: &Wiretap, known: &[(usize, Vec<u8>)]) -> Report {
    match wiretap.dialect.target {
        Target::Faithful => against_faithful(&wiretap.trace, known),
        Target::Hardened => against_hardened(&wiretap.trace, known),
    }
}

fn told_how_many(ciphertexts: &[Vec<u8>], story: &mut Story) {
    story.tell(format!(
        "sniffed: {} ciphertexts of the client that may share a keystream, and nothing of the server",
        ciphertexts.len()
    ));
}

/// Claims what was read, if chance hardly gives text as good.
fn report(
    messages: Vec<Vec<Option<u8>>>,
    lacks: impl Iterator<Item = u64>,
    evidence: Evidence,
    mut story: Story,
) -> Report {
    let nothing_sure = messages.iter().flatten().flatten().next().is_none();
    if nothing_sure || !evidence.is_convincing() {
        story.tell("no keystream makes the messages read more like English than chance does");
        story.tell(format!(
            "(random bytes give text as good as the best result {})",
            evidence.in_words()
        ));
        return Report::new(Claim::Nothing, story);
    }
    let mut claims = Vec::new();
    for (message, lacks) in messages.into_iter().zip(lacks) {
        let text = render(&message, '_');
        story.tell(format!("read: \"{text}\"{}", cuts::lacks_in_words(lacks)));
        claims.push(cuts::with_lacking(message, lacks));
    }
    Report::new(Claim::Read(claims), story)
}

fn against_hardened(trace: &Trace, known: &[(usize, Vec<u8>)]) -> Report {
    let mut story = Story::default();
    let (ciphertexts, keystream) = texts_of_records(trace, &mut story);
    told_how_many(&ciphertexts, &mut story);
    if ciphertexts.len() < 2 {
        story.tell("one message alone reveals nothing: the attack needs two");
        return Report::new(Claim::Nothing, story);
    }
    let Solved {
        recovered,
        evidence,
        ..
    } = solved(&ciphertexts, known);
    let texts = ciphertexts.iter().enumerate();
    let texts =
        texts.map(|(i, ciphertext)| opened(ciphertext, &keystream, recovered.text(i, SURE)));
    report(texts.collect(), repeat(0), evidence, story)
}

fn against_faithful(trace: &Trace, known: &[(usize, Vec<u8>)]) -> Report {
    let mut story = Story::default();
    let mut session = dissect::faithful(trace);
    told_how_many(&session.messages, &mut story);
    if session.messages.len() < 2 {
        story.tell("one segment alone reveals nothing, even with several messages in it: nothing shows where each message begins");
        return Report::new(Claim::Nothing, story);
    }
    let known: Vec<(u64, &[u8])> = (known.iter())
        .filter_map(|(number, text)| {
            // A message whose text is known begins where its segment does.
            let place = session.places.get_mut(*number)?;
            place.joined = false;
            Some((place.offset, &text[..]))
        })
        .collect();
    let (session, solved, cut_otherwise) = best_cuts(session, &known);
    if let Some(command) = solved.ending {
        story.tell(format!(
            "the last message has {0} bytes, so it is \"{command}\": XOR gives the first {0} bytes of the keystream",
            command.len()
        ));
    }
    if cut_otherwise {
        story.tell(cuts::CUTS_ARE_A_GUESS);
    }
    let texts = 0..session.messages.len();
    let mut texts: Vec<_> = texts.map(|i| solved.recovered.text(i, SURE)).collect();
    if !solved.evidence.is_convincing() {
        story.tell("(perhaps the messages are few, short or not English, or the segments are not the messages)");
    } else if let unreadable @ 1.. = leave_out_what_is_no_text(&mut texts) {
        story.tell(cuts::unreadable_in_words(unreadable, texts.len()));
    }
    let lacks = session.places.iter().map(|place| place.lacks);
    report(texts, lacks, solved.evidence, story)
}

#[cfg(test)]
mod tests;
