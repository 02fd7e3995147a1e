//! Messages of a stranger, one on each line, among which parts of files may be.
//!
//! Besides "no panic": a part has one text, the order of the messages changes nothing, nothing that comes later changes a
//! complete file, and what is joined has the hash that its parts name.

use latchstring_parcel::{Assembly, FileParts, JoinError, MARK, Part, Received, Sender, join};
use latchstring_protocol::hardened::{message::Fingerprint, primitives::hash};

use super::peer;

/// Runs one input.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines: Vec<&str> = text.split('\n').collect();
    for line in &lines {
        match Part::parse(line) {
            Ok(Some(part)) => assert_eq!(part.to_string(), **line),
            Ok(None) => assert!(!line.starts_with(MARK)),
            Err(_) => assert!(line.starts_with(MARK)),
        }
    }
    let half = assembled(&lines, 0..lines.len() / 2);
    let all = assembled(&lines, 0..lines.len());
    let twice = (0..lines.len()).rev().chain(0..lines.len());
    assert_eq!(said(&assembled(&lines, twice)), said(&all));
    for file in half.files().filter(FileParts::is_complete) {
        let later = all.files().find(|later| later.head == file.head);
        let later = later.expect("a file that was there is there");
        assert!(later.messages().eq(file.messages()));
        assert_eq!(later.times()[0], file.times()[0]);
    }
    for file in all.files().filter(FileParts::is_complete) {
        let parts = file.messages().map(|id| lines[id as usize]);
        match join(file.head, parts) {
            Ok(bytes) => assert_eq!(hash(&[&bytes]), *file.head.sha256()),
            Err(why) => assert_eq!(why, JoinError::Hash),
        }
    }
}

fn assembled(lines: &[&str], order: impl Iterator<Item = usize>) -> Assembly {
    let sender = Sender {
        user: peer::alice(),
        key: Fingerprint([1; 32]),
    };
    let mut assembly = Assembly::default();
    for i in order {
        let received = Received {
            id: i as u64,
            at: Some(i as u64),
            text: lines[i],
        };
        assembly.add(&sender, received);
    }
    assembly
}

/// All that an assembly says.
fn said(assembly: &Assembly) -> Vec<String> {
    let files = assembly.files().map(|file| {
        let (missing, messages): (Vec<_>, Vec<_>) =
            (file.missing().collect(), file.messages().collect());
        let (times, differing) = (file.times(), file.differing());
        format!(
            "{:?} {missing:?} {messages:?} {times:?} {differing}",
            file.head
        )
    });
    let others = assembly.others().map(|other| format!("{other:?}"));
    let bad = assembly.bad().map(|bad| format!("{bad:?}"));
    files.chain(others).chain(bad).collect()
}
