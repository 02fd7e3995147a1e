//! The committed captures: they are read again, and the passive attacks on them are held against what was typed.

use std::{collections::BTreeSet, fs, path::PathBuf};

use latchstring_attacker::{
    Claim,
    attack::Run,
    attacks::{ALL, keystream_reuse},
    capture::{
        dissect::{self, Protocol},
        read_sessions,
        trace::Trace,
    },
    vantage::{Wiretap, blank_server},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../captures")
}

fn sessions(name: &str) -> Vec<Trace> {
    read_sessions(&folder().join(format!("{name}.pcap"))).unwrap()
}

/// What was typed, session by session.
fn typed(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let session = |part: &str| part.lines().map(str::to_owned).collect();
    text.split("\n\n").map(session).collect()
}

fn read_by(id: &str, trace: &Trace) -> Vec<Vec<Option<u8>>> {
    let attack = ALL.into_iter().find(|attack| attack.id == id).unwrap();
    let report = match attack.run {
        Run::Sniff(program) => program(&Wiretap::of_deployed(trace.clone())),
        Run::SniffClientOnly(program) => program(&Wiretap::of_deployed(blank_server(trace))),
        _ => panic!("{id} is not passive"),
    };
    match report.claim {
        Claim::Read(messages) => messages,
        Claim::Nothing => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_capture_is_whole_and_of_the_protocol_that_its_name_says() {
    let files = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let names: BTreeSet<_> = files
        .filter(|path| path.extension().is_some_and(|ext| ext == "pcap"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(names.len() >= 3);
    for name in names {
        let sessions = sessions(&name);
        assert_eq!(sessions.len(), typed(&name).len(), "{name}");
        for session in sessions {
            assert!(
                session.closed && session.gaps.is_empty(),
                "{name} is not whole"
            );
            let expected = if name.starts_with("faithful") {
                Protocol::Faithful
            } else {
                Protocol::Hardened
            };
            assert_eq!(dissect::protocol(&session), expected, "{name}");
        }
    }
}

#[test]
fn cleartext_key_reads_every_message_of_the_faithful_captures() {
    for name in ["faithful-chat", "faithful-two-sessions"] {
        for (session, typed) in sessions(name).iter().zip(typed(name)) {
            let read = read_by("cleartext-key", session);
            let text = |message: &Vec<Option<u8>>| {
                message
                    .iter()
                    .flatten()
                    .map(|b| char::from(*b))
                    .collect::<String>()
            };
            let read: Vec<String> = read.iter().map(text).collect();
            assert_eq!(read[..read.len() - 1], typed, "{name}");
        }
    }
}

#[test]
fn keystream_reuse_reads_the_faithful_captures_without_the_key() {
    for name in ["faithful-chat", "faithful-two-sessions"] {
        for (session, typed) in sessions(name).iter().zip(typed(name)) {
            let read = read_by("keystream-reuse", session);
            let pairs = typed
                .iter()
                .zip(&read)
                .flat_map(|(text, guess)| text.bytes().zip(guess));
            let (claimed, right) = pairs.fold((0, 0), |(claimed, right), (byte, guess)| {
                (
                    claimed + usize::from(guess.is_some()),
                    right + usize::from(*guess == Some(byte)),
                )
            });
            let bytes: usize = typed.iter().map(String::len).sum();
            assert!(
                right * 10 >= bytes * 6,
                "{name}: {right} of {bytes} bytes read"
            );
            assert!(
                right * 10 >= claimed * 8,
                "{name}: {right} of {claimed} claimed bytes are right"
            );
        }
    }
}

#[test]
fn a_known_message_opens_as_much_of_the_others_exactly() {
    let (sessions, typed) = (sessions("faithful-chat"), typed("faithful-chat"));
    let longest = (0..typed[0].len())
        .max_by_key(|i| typed[0][*i].len())
        .unwrap();
    let known = [(longest, typed[0][longest].clone().into_bytes())];
    let report = keystream_reuse::run(&blank_server(&sessions[0]), &known);
    let Claim::Read(read) = report.claim else {
        panic!("nothing was read")
    };
    for (text, guess) in typed[0].iter().zip(&read) {
        let text: Vec<_> = text.bytes().map(Some).collect();
        assert_eq!(text, *guess);
    }
}

#[test]
fn the_passive_attacks_read_nothing_of_the_hardened_capture() {
    for session in sessions("hardened-chat") {
        for id in ["cleartext-key", "keystream-reuse"] {
            assert!(
                read_by(id, &session).is_empty(),
                "{id} claims to have read something"
            );
        }
    }
}
