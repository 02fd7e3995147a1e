//! The seed of a recorded session is found in whatever way the capture is cut or damaged, since the borders of segments
//! are hypotheses: `captures/seeded-keys.pcapng`, made over in every way that a capture differs from what was sent.

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use latchstring_attacker::capture::{
    self, Chunk, Side, Trace,
    frames::synthesize,
    pcapfile::{Packet, write_file},
};
use latchstring_tests::{binary, workspace};
use serde_json::Value;

/// The second in which the server of the capture was started, as the search over the whole capture finds it.
const DAY: [&str; 4] = ["--from", "2019-12-31", "--to", "2020-01-01"];

fn solve(capture: &Path) -> Output {
    Command::new(binary("latchstring"))
        .args([
            "solve",
            "seed",
            "--generator",
            "python",
            "--json",
            "--capture",
        ])
        .arg(capture)
        .args(DAY)
        .output()
        .unwrap()
}

fn found(capture: &Path, case: &str) -> Value {
    let output = solve(capture);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{case}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{case}: {said}"))
}

/// The first session of the capture, and its client's chunks: the login, then the messages.
fn recorded() -> (Trace, Vec<Vec<u8>>) {
    let file = workspace().join("captures/seeded-keys.pcapng");
    let trace = capture::read_sessions(&file).unwrap().remove(0);
    let sent = trace.chunks_from(Side::Client);
    let sent = sent.map(|chunk| chunk.bytes.clone()).collect();
    (trace, sent)
}

/// The session as if the client had sent these segments, the first `before` of them before the server's answer.
fn sending(trace: &Trace, before: usize, segments: &[Vec<u8>]) -> Trace {
    let answers = trace.chunks_from(Side::Server).cloned();
    let mut chunks = Vec::new();
    let mut client = segments.iter().map(|bytes| Chunk {
        from: Side::Client,
        at: Duration::ZERO,
        bytes: bytes.clone(),
    });
    chunks.extend(client.by_ref().take(before));
    chunks.extend(answers);
    chunks.extend(client);
    for (i, chunk) in chunks.iter_mut().enumerate() {
        chunk.at = Duration::from_millis(10 * i as u64);
    }
    Trace {
        chunks,
        ..trace.clone()
    }
}

/// Whether a packet carries these bytes at its end.
fn carries(packet: &Packet, bytes: &[u8]) -> bool {
    packet.bytes.ends_with(bytes)
}

#[test]
fn the_seed_is_found_however_the_messages_were_cut() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.pcap");
    let original = found(
        &workspace().join("captures/seeded-keys.pcapng"),
        "the original",
    );
    let seed = &original["hits"][0]["seed"];
    let texts = original["hits"][0]["messages"].as_array().unwrap();

    let (trace, sent) = recorded();
    let (login, messages) = sent.split_first().unwrap();
    assert_eq!(texts.len(), messages.len(), "each was sent by itself");
    let joined = messages.concat();
    let split = |at: usize, bytes: &[u8]| vec![bytes[..at].to_vec(), bytes[at..].to_vec()];
    let every = |length: usize| {
        joined
            .chunks(length)
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    let after = |segments: Vec<Vec<u8>>| [vec![login.clone()], segments].concat();
    let mut odd = messages.to_vec();
    odd.insert(
        1,
        login
            .iter()
            .rev()
            .take(60)
            .map(|byte| byte ^ 0xa5)
            .collect(),
    );
    let cases: Vec<(&str, usize, Vec<Vec<u8>>)> = vec![
        (
            "all messages in one segment",
            1,
            after(vec![joined.clone()]),
        ),
        (
            "two messages in one segment",
            1,
            after([vec![messages[..2].concat()], messages[2..].to_vec()].concat()),
        ),
        (
            "the login in two segments",
            2,
            [split(61, login), messages.to_vec()].concat(),
        ),
        (
            "a zero-window probe",
            1,
            after([split(1, &messages[0]), messages[1..].to_vec()].concat()),
        ),
        (
            "a probe of every message",
            1,
            after(
                messages
                    .iter()
                    .flat_map(|message| split(1, message))
                    .collect(),
            ),
        ),
        ("segments of 11 bytes", 1, after(every(11))),
        ("one odd message", 1, after(odd)),
    ];
    for (case, before, segments) in cases {
        let recut = sending(&trace, before, &segments);
        write_file(&file, &synthesize(&[recut], Duration::from_secs(1))).unwrap();
        let found = found(&file, case);
        assert_eq!(&found["hits"][0]["seed"], seed, "{case}");
        // Short ones may stay hidden where nothing shows where they begin.
        let read = found["hits"][0]["messages"].as_array().unwrap();
        let long = texts
            .iter()
            .filter(|text| text.as_str().unwrap().len() > 12);
        for text in long {
            assert!(read.contains(text), "{case}: {text} in {read:?}");
        }
    }
}

#[test]
fn the_seed_is_found_in_what_a_capture_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.pcap");
    let original = found(
        &workspace().join("captures/seeded-keys.pcapng"),
        "the original",
    );
    let seed = &original["hits"][0]["seed"];
    let (trace, sent) = recorded();
    let packets = synthesize(std::slice::from_ref(&trace), Duration::from_secs(1));
    let from_client = |packet: &Packet| sent.iter().any(|bytes| carries(packet, bytes));
    let from_server = |packet: &Packet| {
        let mut answers = trace.chunks_from(Side::Server);
        answers.any(|chunk| carries(packet, &chunk.bytes))
    };
    type Keeps<'a> = Box<dyn Fn(usize, &Packet) -> bool + 'a>;
    let cases: Vec<(&str, Keeps<'_>)> = vec![
        ("no TCP handshake", Box::new(|i, _| i >= 3)),
        (
            "a message lost",
            Box::new(|_, packet| !carries(packet, &sent[2])),
        ),
        (
            "the login lost",
            Box::new(|_, packet| !carries(packet, &sent[0])),
        ),
        (
            "nothing of the server",
            Box::new(|i, packet| i < 3 || !from_server(packet)),
        ),
        (
            "from the second message on",
            Box::new(|i, packet| {
                let second = packets.iter().position(|packet| carries(packet, &sent[2]));
                Some(i) >= second && (from_client(packet) || from_server(packet))
            }),
        ),
    ];
    for (case, keeps) in cases {
        let kept = packets
            .iter()
            .enumerate()
            .filter(|(i, packet)| keeps(*i, packet));
        let kept: Vec<Packet> = kept.map(|(_, packet)| packet.clone()).collect();
        write_file(&file, &kept).unwrap();
        assert_eq!(&found(&file, case)["hits"][0]["seed"], seed, "{case}");
    }
}

#[test]
fn what_is_no_faithful_session_is_said_to_be_none() {
    for capture in [
        "captures/hardened-chat.pcap",
        "tests/cases/captures/not_faithful.pcap",
    ] {
        let output = solve(&workspace().join(capture));
        assert_eq!(output.status.code(), Some(1), "{capture}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("is not a faithful session"),
            "{capture}: {said}"
        );
    }
    // A faithful one whose keys are good: nothing is found, and the causes are named.
    let output = Command::new(binary("latchstring"))
        .args(["solve", "seed", "--generator", "python", "--capture"])
        .arg(workspace().join("captures/faithful-chat.pcap"))
        .args(DAY)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("no seed makes text") && said.contains("--earlier N"),
        "{said}"
    );
}
