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
//!    gives the first 8 or 6 bytes of the keystream, and they open the beginning of every other message. If those are no
//!    text, the last message is another one of that length.
//! 2. *Crib dragging*, done by the computer: every keystream byte is tried at every place, from left to right. One that is
//!    right makes all messages go on like English at once; a wrong one makes letters and garbage.
//!
//! Nothing on the wire says where a message ends, and a segment may hold several messages or a part of one. Once some of the
//! keystream is known, a message shows where it begins: from there on the bytes read. So the messages are cut anew, and
//! solved again.
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
    capture::{
        dissect::{self, Faithful},
        trace::Trace,
    },
    cryptanalysis::{Evidence, Given, Keystream, Language, Mode, Recovered, render, solve},
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
    match wiretap.dialect.target {
        Target::Faithful => against_faithful(&wiretap.trace, known),
        Target::Hardened => against_hardened(&wiretap.trace, known),
    }
}

/// What the solver makes of ciphertexts under one hypothesis.
struct Solved {
    recovered: Recovered,
    evidence: Evidence,
    /// The in-band command that the last message was taken for.
    ending: Option<&'static str>,
}

fn solved(ciphertexts: &[Vec<u8>], known: &[(usize, Vec<u8>)]) -> Solved {
    let certain = Keystream::of(ciphertexts, known);
    let english = Language::english();
    let recovered = solve(ciphertexts, english, &certain, Mode::Fast);
    let given = known.iter().map(|(message, text)| Given {
        message: *message,
        offset: 0,
        length: text.len(),
    });
    let given: Vec<Given> = given.collect();
    Solved {
        evidence: Evidence::of(ciphertexts, &recovered, &given, english),
        recovered,
        ending: None,
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
        story.tell("under no keystream do the messages read like English better than chance does");
        story.tell(format!(
            "(random bytes give text as good as the best that was found {})",
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
        story.tell("one message alone gives nothing away: two are needed");
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

/// A command is what most sessions end with, so it is believed unless it makes this much less sense (a natural logarithm) of
/// each other message. A wrong one makes noise of the beginning of each; a right one may begin it with a small letter.
const LEANING: f64 = 5.0;

/// So often the messages are cut anew, at most.
const ROUNDS: usize = 4;

fn against_faithful(trace: &Trace, known: &[(usize, Vec<u8>)]) -> Report {
    let mut story = Story::default();
    let mut session = dissect::faithful(trace);
    told_how_many(&session.messages, &mut story);
    if session.messages.len() < 2 {
        story.tell("one segment alone gives nothing away, also if it holds several messages: nothing shows where they begin");
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
            "the last one has {0} bytes, so it is \"{command}\": XOR gives the first {0} bytes of the keystream",
            command.len()
        ));
    }
    if cut_otherwise {
        story.tell(cuts::CUTS_ARE_A_GUESS);
    }
    let texts = 0..session.messages.len();
    let mut texts: Vec<_> = texts.map(|i| solved.recovered.text(i, SURE)).collect();
    if !solved.evidence.is_convincing() {
        story.tell("(the messages may be few or short, no English, or not what the segments are)");
    } else if let unreadable @ 1.. = leave_out_what_is_no_text(&mut texts) {
        story.tell(cuts::unreadable_in_words(unreadable, texts.len()));
    }
    let lacks = session.places.iter().map(|place| place.lacks);
    report(texts, lacks, solved.evidence, story)
}

/// A message that does not read as text is probably cut in the wrong place, so its bytes are not claimed. Tells how many
/// there are.
fn leave_out_what_is_no_text(texts: &mut [Vec<Option<u8>>]) -> usize {
    let mut left_out = 0;
    for text in texts {
        let known: Vec<u8> = text.iter().copied().flatten().collect();
        if !cuts::is_text(&known) {
            text.fill(None);
            left_out += 1;
        }
    }
    left_out
}

/// Solves the session as its segments cut it, and cuts it anew as long as that makes more sense of it. Tells too whether it
/// was cut anew.
fn best_cuts(segments: Faithful, known: &[(u64, &[u8])]) -> (Faithful, Solved, bool) {
    let sent: usize = segments.messages.iter().map(Vec::len).sum();
    let count = segments.messages.len();
    let try_cuts = |cuts: &Faithful| {
        let mut solved = solve_session(cuts, known);
        // Each message could begin at any byte.
        let moved = cuts.messages.len().abs_diff(count).max(1);
        solved.evidence = solved.evidence.best_of(moved as f64 * (sent as f64).ln());
        solved
    };
    let mut best = solve_session(&segments, known);
    let (mut session, mut cut_otherwise) = (segments, false);
    let mut next = cuts::without_probes(&session);
    for _ in 0..ROUNDS {
        if next.messages != session.messages && next.messages.len() >= 2 {
            let other = try_cuts(&next);
            if other.evidence > best.evidence {
                (session, best, cut_otherwise) = (next, other, true);
            }
        }
        next = cuts::recut(&session, &keystream(&session, &best.recovered));
        if next.messages == session.messages {
            break;
        }
    }
    (session, best, cut_otherwise)
}

/// Solves the messages as they are cut now. The last one may be an in-band command, or a text of the same length: what
/// reads better is taken.
fn solve_session(session: &Faithful, known: &[(u64, &[u8])]) -> Solved {
    let at = |offset: u64| {
        session
            .places
            .iter()
            .position(|place| place.offset == offset)
    };
    let known = known.iter();
    let known = known.filter_map(|(offset, text)| Some((at(*offset)?, text.to_vec())));
    let mut known: Vec<(usize, Vec<u8>)> = known.collect();
    let without = solved(&session.messages, &known);
    let last = session.messages.len() - 1;
    let is_known = known.iter().any(|(number, _)| *number == last);
    let Some(command) = ending(session).filter(|_| !is_known) else {
        return without;
    };
    known.push((last, command.as_bytes().to_vec()));
    let with = Solved {
        ending: Some(command),
        ..solved(&session.messages, &known)
    };
    match with.evidence >= without.evidence.best_of(LEANING * last as f64) {
        true => with,
        false => without,
    }
}

/// What is sure of the keystream.
fn keystream(session: &Faithful, recovered: &Recovered) -> Vec<Option<u8>> {
    let longest = session.messages.iter().map(Vec::len).max().unwrap_or(0);
    let mut keystream = vec![None; longest];
    for (i, ciphertext) in session.messages.iter().enumerate() {
        let text = recovered.text(i, SURE);
        for ((key, byte), plain) in keystream.iter_mut().zip(ciphertext).zip(text) {
            *key = key.or(plain.map(|plain| plain ^ byte));
        }
    }
    keystream
}

/// The last message of a faithful session is an in-band command, and its length says which.
fn ending(session: &Faithful) -> Option<&'static str> {
    let (last, place) = (session.messages.last()?, session.places.last()?);
    let of_its_length = |command: &&str| command.len() == last.len() && place.lacks == 0;
    [CHANGE, QUIT].into_iter().find(of_its_length)
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

    /// A faithful client's side of a session, in these segments, under one keystream.
    fn faithful(segments: &[Vec<u8>]) -> Wiretap {
        let chunk = |bytes: &Vec<u8>| Chunk {
            from: Side::Client,
            at: std::time::Duration::ZERO,
            bytes: bytes.clone(),
        };
        let trace = Trace {
            chunks: [vec![7; 128]].iter().chain(segments).map(chunk).collect(),
            ..Trace::default()
        };
        let mut wiretap = heard(trace);
        wiretap.dialect.target = Target::Faithful;
        wiretap
    }

    fn encrypted(texts: &[&str]) -> Vec<Vec<u8>> {
        let mut random = Sealer::new(&Zeroizing::new([9; 32]), 1);
        let key = random.seal(Type::Msg, &[0; 200]).unwrap();
        let encrypt = |text: &&str| text.bytes().zip(&key[8..]).map(|(a, b)| a ^ b).collect();
        texts.iter().map(encrypt).collect()
    }

    /// Every byte that is claimed is right; how many are not claimed.
    fn unclaimed(report: &Report, texts: &[&str], how: &str) -> usize {
        let Claim::Read(messages) = &report.claim else {
            panic!("{how}: nothing was read: {:?}", report.story);
        };
        assert_eq!(messages.len(), texts.len(), "{how}: {:?}", report.story);
        let pairs = messages.iter().zip(texts);
        let bytes = pairs.flat_map(|(read, text)| {
            assert_eq!(read.len(), text.len(), "{how}: {:?}", report.story);
            read.iter().zip(text.bytes())
        });
        let wrong = |(read, byte): &(&Option<u8>, u8)| read.is_some_and(|read| read != *byte);
        let bytes: Vec<_> = bytes.collect();
        assert!(!bytes.iter().any(wrong), "{how}: {:?}", report.story);
        bytes.iter().filter(|(read, _)| read.is_none()).count()
    }

    #[test]
    fn messages_are_found_where_the_segments_are_not_the_messages() {
        let mut texts = TEXTS.to_vec();
        texts.push("quit()");
        let sent = encrypted(&texts);
        let [first @ .., last] = &sent[..] else {
            panic!("there are messages");
        };
        let probes = sent
            .iter()
            .flat_map(|all| [all[..1].to_vec(), all[1..].to_vec()]);
        for (how, segments) in [
            (
                "all but the last in one",
                vec![first.concat(), last.clone()],
            ),
            ("a probe of each", probes.collect()),
        ] {
            let report = run(&faithful(&segments), &[]);
            assert!(
                unclaimed(&report, &texts, how) < 10,
                "{how}: {:?}",
                report.story
            );
            let said = report
                .story
                .lines()
                .iter()
                .any(|line| line == cuts::CUTS_ARE_A_GUESS);
            assert!(said, "{how}");
        }
    }

    #[test]
    fn a_last_message_as_long_as_a_command_need_not_be_one() {
        let mut texts = TEXTS.to_vec();
        texts.push("thanks");
        let report = run(&faithful(&encrypted(&texts)), &[]);
        let said = report
            .story
            .lines()
            .iter()
            .any(|line| line.contains("quit()"));
        assert!(!said, "{:?}", report.story);
        let Claim::Read(messages) = &report.claim else {
            panic!("nothing was read: {:?}", report.story);
        };
        // Whether a message begins with a capital nothing tells.
        let same = |(read, text): (&Vec<Option<u8>>, &&str)| {
            let mut bytes = read.iter().zip(text.bytes());
            bytes.all(|(read, byte)| read.is_none_or(|read| read.eq_ignore_ascii_case(&byte)))
        };
        assert!(messages.iter().zip(&texts).all(same), "{:?}", report.story);
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
