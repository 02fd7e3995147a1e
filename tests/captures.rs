//! The committed captures: they are read again, and the passive attacks on them are held against what was typed.

use std::{collections::BTreeSet, fs, path::PathBuf};

use latchstring_attacker::{
    Claim,
    attack::Run,
    attacks::{ALL, keystream_reuse},
    capture::{
        AnnotatedSession, annotated_from_bytes,
        dissect::{self, Protocol},
        pcapfile::section_comment,
        read_sessions,
        trace::Trace,
    },
    vantage::Wiretap,
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
    let attack = ALL.iter().find(|attack| attack.id == id).unwrap();
    let report = match attack.run {
        Run::Sniff(program) => program(&Wiretap::of_deployed(trace.clone())),
        Run::SniffClientOnly(program) => program(&Wiretap::of_deployed(trace.clone()).blanked()),
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
    let report = keystream_reuse::run(&Wiretap::of_deployed(sessions[0].clone()).blanked(), &known);
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

/// The capture of an attack that the arena has written: its sessions, and what it says of itself.
fn of_attack(id: &str) -> (Vec<AnnotatedSession>, String) {
    let bytes = fs::read(folder().join(format!("{id}.pcapng"))).unwrap();
    let about = section_comment(&bytes).unwrap();
    (annotated_from_bytes(id, &bytes).unwrap(), about)
}

#[test]
fn every_attack_has_a_capture_that_tells_its_story() {
    for attack in ALL {
        let (sessions, about) = of_attack(attack.id);
        assert!(about.starts_with(&format!("{}: ", attack.id)), "{about}");
        assert!(about.contains("Against hardened, "), "{about}");
        for session in sessions {
            assert!(session.trace.gaps.is_empty(), "{}", attack.id);
            let (first, told) = &session.comments[0];
            assert!(*first == 0 && told.starts_with("Against "), "{told}");
        }
    }
}

#[test]
fn the_capture_of_a_change_on_the_path_says_which_bytes_are_not_alices() {
    let (sessions, _) = of_attack("bit-flip");
    let [to_mallory, to_server, ..] = &sessions[..] else {
        panic!("{} sessions", sessions.len());
    };
    let is_change = |(_, text): &&(usize, String)| text.contains("5 of 10 bytes changed");
    let (at, _) = to_server.comments.iter().find(is_change).unwrap();
    let bytes = |session: &AnnotatedSession| session.trace.chunks[*at].bytes.clone();
    let (sent, passed) = (bytes(to_mallory), bytes(to_server));
    let flipped: Vec<u8> = sent.iter().zip(&passed).map(|(a, b)| a ^ b).collect();
    let wanted: Vec<u8> = b"pay bob 10"
        .iter()
        .zip(b"pay eve 99")
        .map(|(a, b)| a ^ b)
        .collect();
    assert_eq!(flipped, wanted);
}
