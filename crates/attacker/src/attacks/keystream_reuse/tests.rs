//! What is read of it is right, and of noise nothing is read.

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
