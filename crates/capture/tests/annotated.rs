//! Captures with comments: what is written is read back the same, and Wireshark shows it.

mod common;
#[path = "common/tshark.rs"]
mod tshark;

use std::process::Command;

use common::{EPOCH, session, traces};
use latchstring_capture::{
    AnnotatedSession, Side, annotated_from_bytes, annotated_to_bytes, pcapfile, read_sessions,
    write_annotated, write_sessions,
};
use proptest::prelude::*;

const ABOUT: &str = "bit-flip against faithful\nMallory is on the path";
const ON_THE_KEY: &str = "the session key, in clear";
const AT_THE_END: &str = "and nobody noticed – not even now";

fn annotated() -> AnnotatedSession {
    let comments = [(2, ON_THE_KEY), (2, "32 bytes"), (5, AT_THE_END)];
    AnnotatedSession {
        trace: session(),
        comments: comments.map(|(on, text)| (on, text.to_owned())).to_vec(),
    }
}

fn sessions() -> impl Strategy<Value = Vec<AnnotatedSession>> {
    let comments = prop::collection::vec((any::<prop::sample::Index>(), "\\PC{0,40}"), 0..6);
    let session = (traces(), comments).prop_map(|(trace, comments)| {
        let places = trace.chunks.len() + 1;
        let comments = comments.into_iter();
        let mut comments: Vec<_> = comments
            .map(|(index, text)| (index.index(places), text))
            .collect();
        comments.sort_by_key(|(on, _)| *on);
        AnnotatedSession { trace, comments }
    });
    prop::collection::vec(session, 0..4)
}

proptest! {
    #[test]
    fn sessions_and_comments_survive_a_file(sessions in sessions(), about in "\\PC{0,60}") {
        let file = annotated_to_bytes(&sessions, &about, EPOCH);
        prop_assert_eq!(annotated_from_bytes("x", &file).unwrap(), sessions);
        prop_assert_eq!(pcapfile::section_comment(&file), Some(about));
    }
}

#[test]
fn packets_are_those_of_a_file_without_comments() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, remarked] = ["x.pcap", "x.pcapng"].map(|name| folder.path().join(name));
    write_sessions(&plain, &[session()], EPOCH).unwrap();
    write_annotated(&remarked, &[annotated()], ABOUT, EPOCH).unwrap();
    assert_eq!(
        read_sessions(&plain).unwrap(),
        read_sessions(&remarked).unwrap()
    );
    let first = std::fs::read(&remarked).unwrap();
    write_annotated(&remarked, &[annotated()], ABOUT, EPOCH).unwrap();
    assert_eq!(first, std::fs::read(&remarked).unwrap());
}

#[test]
fn a_comment_longer_than_its_field_is_cut_and_the_file_stays_whole() {
    let mut long = annotated();
    long.comments = vec![(0, "x".repeat(70_000))];
    let file = annotated_to_bytes(&[long], "", EPOCH);
    let read = annotated_from_bytes("x", &file).unwrap();
    assert_eq!(read[0].comments, [(0, "x".repeat(65_535))]);
}

#[test]
fn wireshark_follows_the_streams_and_shows_the_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.pcapng");
    let plain = AnnotatedSession {
        trace: session(),
        comments: Vec::new(),
    };
    write_annotated(&path, &[plain, annotated()], ABOUT, EPOCH).unwrap();
    for index in 0..2 {
        let Some((client, server)) = tshark::follow(&path, index) else {
            return;
        };
        assert_eq!(client, session().stream(Side::Client));
        assert_eq!(server, session().stream(Side::Server));
    }
    let fields = ["-T", "fields", "-e", "tcp.len", "-e", "frame.comment"];
    let shown = |filter| tshark::run(&path, &[&fields[..], &["-Y", filter]].concat()).unwrap();
    let (key, end) = (
        format!("32\t{ON_THE_KEY},32 bytes\n"),
        format!("0\t{AT_THE_END}\n"),
    );
    assert_eq!(shown("frame.comment"), format!("{key}{end}"));
    assert_eq!(shown("frame.comment && tcp.flags.fin == 1"), end);
    assert_eq!(shown("_ws.malformed && !rtpproxy"), "");
    // tshark does not show the comment on the whole file; capinfos comes with it.
    let capinfos = Command::new("capinfos").arg("-k").arg(&path).output();
    let told = String::from_utf8(capinfos.unwrap().stdout).unwrap();
    assert!(ABOUT.lines().all(|line| told.contains(line)), "{told}");
}
