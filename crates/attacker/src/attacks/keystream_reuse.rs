//! Reads messages without the session key, because they are all encrypted under one keystream.
//!
//! # Flaw
//! AES in counter mode makes a keystream and XORs it with the text. The faithful protocol starts the counter at 1 again for
//! every message, so all messages of a session are under the *same* keystream, and the key drops out:
//!
//! ```text
//! c1 = p1 ^ k    c2 = p2 ^ k    so    c1 ^ c2 = p1 ^ p2
//! ```
//!
//! # Attack
//! Everything that the server sent is blanked, key and IV too, so there is no way to cheat.
//!
//! 1. *A known plaintext.* A session ends with `change()` or `quit()`, told apart by their length. XOR with the ciphertext
//!    gives the first 8 or 6 bytes of the keystream, and they open the beginning of every other message.
//! 2. *Crib dragging*, done by the computer: every keystream byte is tried at every place, from left to right. One that is
//!    right makes all messages go on like English at once; a wrong one makes letters and garbage.
//!
//! The text that reads best is no proof: of random bytes, too, it looks like words. So the attack computes how likely it
//! is that chance gives text as good, and claims nothing unless that is less than one in a million.
//!
//! Against hardened the attack looks for records that share a keystream: records end in zeros, so two under one keystream
//! would end alike. An underscore in what was read is a byte of which the attack is not sure.
//!
//! # What it proves
//! A nonce is a number used *once*. 256 bits of key do not help when the key is never attacked, nor does cycling through keys
//! have anything to do with it.
//!
//! # Defence
//! Every record has a counter block of its own, made of its sequence number; and each direction has keys of its own, so that the
//! two sequences do not meet.
//!
//! # In the wild
//! - Microsoft Word and Excel encrypted each new version of a document under the same RC4 keystream (Wu, IACR ePrint 2005/007).
//! - Microsoft's PPTP used one keystream for both directions (1998).
//! - WEP has nonces of 24 bits, so they come round.
//! - KRACK, CVE-2017-13077, made WPA2 start its nonces again.

use std::{collections::HashMap, iter::repeat};

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::{dissect, trace::Trace},
    cryptanalysis::{Evidence, Given, Keystream, Language, Mode, render, solve},
    cuts,
    protocol::{
        faithful::message::{CHANGE, QUIT},
        hardened::defence::Defence,
    },
    vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "keystream-reuse",
    goal: Goal::Read,
    title: "read messages that share a keystream, without the key",
    vantage: "a sniffer who sees what the client sends; all that the server says is blanked",
    returns_without: &[&[Defence::FreshNonce]],
    run: Run::SniffClientOnly(|wiretap| run(wiretap, &[])),
    ..Attack::PLAIN
};

/// A byte is claimed when the solver is at least this sure of it.
const SURE: f32 = 0.5;

/// Runs the attack. `known` are messages that the attacker knows the whole text of, by their place in the session.
pub fn run(wiretap: &Wiretap, known: &[(usize, Vec<u8>)]) -> Report {
    let mut story = Story::default();
    let mut lacks = Vec::new();
    let (ciphertexts, keystream) = match wiretap.dialect.target {
        Target::Faithful => {
            let session = dissect::faithful(&wiretap.trace);
            lacks.extend(session.places.iter().map(|place| place.lacks));
            (session.messages, Vec::new())
        }
        Target::Hardened => texts_of_records(&wiretap.trace, &mut story),
    };
    story.tell(format!(
        "sniffed: {} ciphertexts of the client that may share a keystream, and nothing of the server",
        ciphertexts.len()
    ));
    if ciphertexts.len() < 2 {
        story.tell("one message alone gives nothing away: two are needed");
        return Report::new(Claim::Nothing, story);
    }

    let mut known = known.to_vec();
    if lacks.last().is_none_or(|lacks| *lacks == 0) {
        known.extend(ending(&ciphertexts, &mut story));
    }
    let certain = Keystream::of(&ciphertexts, &known);
    let recovered = solve(&ciphertexts, Language::english(), &certain, Mode::Fast);
    let solved = ciphertexts.iter().enumerate();
    let solved =
        solved.map(|(i, ciphertext)| opened(ciphertext, &keystream, recovered.text(i, SURE)));
    let messages: Vec<_> = solved.collect();
    let given = known.iter().map(|(message, text)| Given {
        message: *message,
        offset: 0,
        length: text.len(),
    });
    let given: Vec<Given> = given.collect();
    let evidence = Evidence::of(&ciphertexts, &recovered, &given, Language::english());
    let nothing_sure = messages.iter().flatten().flatten().next().is_none();
    if nothing_sure || !evidence.is_convincing() {
        story.tell("under no keystream do the messages read like English better than chance does");
        story.tell(format!(
            "(random bytes give text as good as the best that was found {})",
            evidence.in_words()
        ));
        return Report::new(Claim::Nothing, story);
    }
    let mut claims = Vec::new();
    for (message, lacks) in messages.into_iter().zip(lacks.into_iter().chain(repeat(0))) {
        let text = render(&message, '_');
        story.tell(format!("read: \"{text}\"{}", cuts::lacks_in_words(lacks)));
        claims.push(cuts::with_lacking(message, lacks));
    }
    Report::new(Claim::Read(claims), story)
}

/// The last message of a faithful session is an in-band command, and its length says which.
fn ending(ciphertexts: &[Vec<u8>], story: &mut Story) -> Option<(usize, Vec<u8>)> {
    let last = ciphertexts.len() - 1;
    let of_its_length = |command: &&str| command.len() == ciphertexts[last].len();
    let command = [CHANGE, QUIT].into_iter().find(of_its_length)?;
    story.tell(format!(
        "the last one has {0} bytes, so it is \"{command}\": XOR gives the first {0} bytes of the keystream",
        command.len()
    ));
    Some((last, command.as_bytes().to_vec()))
}

/// Where the text begins in a hardened plaintext: behind type (1), length (2), id (8) and kind (1).
const TEXT_AT: usize = 12;
/// So many bytes at the end of a record are taken for padding, to see which records share a keystream.
const SURELY_PADDING: usize = 8;

/// The texts, still encrypted, of those hardened records that share a keystream, and what is known of that keystream.
///
/// A record ends in zeros, so under one keystream the last bytes of two records are equal.
fn texts_of_records(trace: &Trace, story: &mut Story) -> (Vec<Vec<u8>>, Vec<Option<u8>>) {
    // The client's first record is its login, under a key of its own; its last is a CLOSE, which is no text.
    let records = dissect::hardened(trace).client_records;
    let records: Vec<&[u8]> = match &records[..] {
        [_, between @ .., _] => between.iter().map(|record| record.ciphertext()).collect(),
        _ => Vec::new(),
    };
    let tail = |record: &[u8]| (record.len(), record.last_chunk::<SURELY_PADDING>().copied());
    let mut tails = HashMap::new();
    for record in &records {
        *tails.entry(tail(record)).or_insert(0_usize) += 1;
    }
    let alike = |record: &&[u8]| tails[&tail(record)];
    let most = records
        .iter()
        .copied()
        .max_by_key(alike)
        .filter(|record| alike(record) > 1);
    let shared: Vec<&[u8]> = match most {
        Some(most) => records
            .iter()
            .filter(|record| tail(record) == tail(most))
            .copied()
            .collect(),
        None => Vec::new(),
    };
    story.tell(format!(
        "a record ends in zeros, so under one keystream two records end alike: of {} records, {} do",
        records.len(),
        shared.len()
    ));
    let (ends, keystream) = strip_padding(&shared);
    let texts = shared
        .iter()
        .zip(ends)
        .map(|(record, end)| record[TEXT_AT..end].to_vec());
    (texts.filter(|text| !text.is_empty()).collect(), keystream)
}

/// Where each text ends, and the keystream where at least one text has ended: going backwards, the padding's bytes *are*
/// the keystream, until a record departs from the others because its text has begun.
fn strip_padding(records: &[&[u8]]) -> (Vec<usize>, Vec<Option<u8>>) {
    let width = records.first().map_or(TEXT_AT, |record| record.len());
    let mut ends = vec![TEXT_AT; records.len()];
    let mut keystream = vec![None; width - TEXT_AT];
    let mut padded: Vec<usize> = (0..records.len()).collect();
    for at in (TEXT_AT..width).rev() {
        let column: Vec<u8> = records.iter().map(|record| record[at]).collect();
        let byte = padding_byte(&column, &padded);
        keystream[at - TEXT_AT] = byte;
        padded.retain(|record| {
            let still_padding = Some(column[*record]) == byte;
            if !still_padding {
                ends[*record] = at + 1;
            }
            still_padding
        });
    }
    (ends, keystream)
}

/// The keystream byte of a column in which some records are padding: whichever it is, it must open the byte of every
/// record that is not padding to a printable character. (Two letters XORed are none, so a letter is not taken for one.)
fn padding_byte(column: &[u8], padded: &[usize]) -> Option<u8> {
    let opens_all = |key: &u8| {
        column
            .iter()
            .all(|byte| byte == key || (b' '..=b'~').contains(&(byte ^ key)))
    };
    let candidates = padded
        .iter()
        .map(|record| column[*record])
        .filter(opens_all);
    candidates.max_by_key(|key| {
        padded
            .iter()
            .filter(|record| column[**record] == *key)
            .count()
    })
}

/// Opens what the padding has given away of the keystream; the rest is the solver's.
fn opened(ciphertext: &[u8], keystream: &[Option<u8>], solved: Vec<Option<u8>>) -> Vec<Option<u8>> {
    let known = keystream.iter().copied().chain(std::iter::repeat(None));
    let bytes = ciphertext.iter().zip(known).zip(solved);
    bytes
        .map(|((byte, key), solved)| key.map(|key| byte ^ key).or(solved))
        .collect()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{
        capture::trace::{Chunk, Side},
        protocol::hardened::{message::Type, record::Sealer},
    };

    const TEXTS: [&str; 6] = [
        "hello my name is alice",
        "the meeting is at noon",
        "please send me the report",
        "i will be there in the morning",
        "do not tell anyone",
        "see you soon",
    ];

    fn heard(trace: Trace) -> Wiretap {
        Wiretap::of_deployed(trace)
    }

    /// A hardened client's side of a session: hello, a login of noise, then `records`.
    fn session(records: impl IntoIterator<Item = Vec<u8>>) -> Trace {
        let hello = [&b"latch/2\n"[..], &[2, 0], &[7; 64]].concat();
        let login = Sealer::new(&Zeroizing::new([1; 32]), 0).seal(Type::ClientAuth, &[9; 900]);
        let chunk = |bytes| Chunk {
            from: Side::Client,
            at: std::time::Duration::ZERO,
            bytes,
        };
        let close = Sealer::new(&Zeroizing::new([2; 32]), 1).seal(Type::Close, &[9; 49]);
        let sent = [hello, login.unwrap()].into_iter().chain(records);
        let sent = sent.chain(close);
        Trace {
            chunks: sent.map(chunk).collect(),
            ..Trace::default()
        }
    }

    fn body((id, text): (u64, &&str)) -> Vec<u8> {
        [&id.to_be_bytes()[..], &[0], text.as_bytes()].concat()
    }

    #[test]
    fn records_whose_nonce_repeats_are_read() {
        // A sealer that is made anew for each record starts at sequence number 0 each time: that *is* the flaw.
        let secret = Zeroizing::new([3; 32]);
        let seal = |message| {
            Sealer::new(&secret, 1)
                .seal(Type::Msg, &body(message))
                .unwrap()
        };
        let report = run(&heard(session((1..).zip(&TEXTS).map(seal))), &[]);
        let Claim::Read(messages) = report.claim else {
            panic!("nothing was read: {:?}", report.story);
        };
        let pairs = TEXTS.iter().zip(&messages);
        let right = pairs
            .flat_map(|(text, read)| text.bytes().zip(read))
            .filter(|(a, b)| Some(*a) == **b);
        let all: usize = TEXTS.iter().map(|text| text.len()).sum();
        assert!(right.count() * 10 >= all * 8, "{:?}", report.story);
    }

    /// Messages of a faithful session in which each has a keystream of its own, or that are no text at all.
    #[test]
    fn of_random_ciphertexts_nothing_is_read() {
        let login = vec![7; 128];
        for (count, length) in [(2, 40), (3, 17), (6, 33), (12, 60), (20, 21)] {
            let mut random = Sealer::new(&Zeroizing::new([count; 32]), 1);
            let mut message = || {
                let sealed = random.seal(Type::Msg, &[0; 200]).unwrap();
                sealed[8..8 + length].to_vec()
            };
            let mut sent = vec![login.clone()];
            sent.extend((0..count).map(|_| message()));
            // The last one is as long as an in-band command, which gives a crib.
            sent.push(message()[..6].to_vec());
            let chunk = |bytes| Chunk {
                from: Side::Client,
                at: std::time::Duration::ZERO,
                bytes,
            };
            let trace = Trace {
                chunks: sent.into_iter().map(chunk).collect(),
                ..Trace::default()
            };
            let mut wiretap = heard(trace);
            wiretap.dialect.target = Target::Faithful;
            let report = run(&wiretap, &[]);
            assert_eq!(report.claim, Claim::Nothing, "{:?}", report.story);
        }
    }

    #[test]
    fn records_with_a_fresh_nonce_each_are_not() {
        let mut sealer = Sealer::new(&Zeroizing::new([3; 32]), 1);
        let seal = |message| sealer.seal(Type::Msg, &body(message)).unwrap();
        let records: Vec<_> = (1..).zip(&TEXTS).map(seal).collect();
        assert_eq!(run(&heard(session(records)), &[]).claim, Claim::Nothing);
    }
}
