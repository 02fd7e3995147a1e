//! Comments for the packets of a capture: the meaning of a packet, and the action of an attacker on the path.
//!
//! All comments are made from the bytes themselves, so they are true whatever an attack reports.

use std::collections::HashSet;

use latchstring_attacker::capture::{
    dissect::{self, Field, Part},
    trace::{Side, Trace},
};

/// A comment on the chunk of this index.
pub(super) type Remark = (usize, String);

/// Says what each packet is that is the first of its kind.
pub(super) fn names(trace: &Trace) -> Vec<Remark> {
    let fields = dissect::fields(trace);
    let mut seen = HashSet::new();
    let mut ends = [0; 2];
    let mut remarks = Vec::new();
    for (index, chunk) in trace.chunks.iter().enumerate() {
        let begin = ends[chunk.from as usize];
        let end = begin + chunk.bytes.len();
        ends[chunk.from as usize] = end;
        let first = fields
            .iter()
            .find(|field| field.from == chunk.from && (begin..end).contains(&field.range.start));
        if let Some(name) = first
            .map(name)
            .filter(|name| seen.insert((chunk.from, *name)))
        {
            remarks.push((index, format!("{}: {name}", chunk.from)));
        }
    }
    remarks
}

fn name(field: &Field) -> &'static str {
    match (field.part, field.from) {
        (Part::Login, _) => "login: textbook RSA of the user's name",
        (Part::Greeting, _) => "greeting: the login was taken",
        (Part::SessionKey, _) => "the session key, in clear",
        (Part::Iv, _) => "the IV, in clear",
        (Part::Message(_), _) => "a message: AES-256-CTR, and nothing that protects it from change",
        (Part::Magic | Part::Version | Part::Suite | Part::Random | Part::EphemeralKey, _) => {
            "hello: random bytes and half of the key exchange, in clear"
        }
        (Part::RecordLength(1), Side::Server) => "its proof of who it is: the first record",
        (Part::RecordLength(1), Side::Client) => {
            "its proof of who it is: name, signature, password"
        }
        (Part::RecordLength(_) | Part::Ciphertext(_) | Part::Tag(_), _) => {
            "a record of the session"
        }
        (Part::Cut | Part::Unknown, _) => "not part of the protocol as it is published",
    }
}

/// The changes between two connections: the bytes that arrived on the first are compared with those that left on the
/// second.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tampering {
    /// On the connection from the honest user to the attacker on the path.
    pub(super) user_side: Vec<Remark>,
    /// On the connection from there to the server.
    pub(super) server_side: Vec<Remark>,
}

impl Tampering {
    /// Compares the two connections.
    pub(super) fn between(user_side: &Trace, server_side: &Trace) -> Self {
        let mut found = Self::default();
        let (lost, changed) = compare(user_side, server_side, Side::Client);
        found.user_side.extend(lost);
        found.server_side.extend(changed);
        let (lost, changed) = compare(server_side, user_side, Side::Server);
        found.server_side.extend(lost);
        found.user_side.extend(changed);
        found.user_side.sort();
        found.server_side.sort();
        found
    }
}

/// The bytes of one direction that were never passed on, and those that were changed.
fn compare(sent: &Trace, passed: &Trace, from: Side) -> (Vec<Remark>, Vec<Remark>) {
    let (sent, passed) = (sent_by(sent, from), sent_by(passed, from));
    let is_passed = |at: usize| passed.iter().any(|(_, bytes)| *bytes == sent[at].1);
    let mut used = vec![false; sent.len()];
    let mut expected = 0;
    let mut changed = Vec::new();
    for (index, bytes) in &passed {
        let same = |at: &usize| sent[*at].1 == *bytes;
        let how = match (expected..sent.len()).chain(0..expected).find(same) {
            Some(at) if used[at] => Some("these bytes once more".to_owned()),
            Some(at) => {
                let in_turn = at >= expected && !(expected..at).any(is_passed);
                used[at] = true;
                expected = expected.max(at + 1);
                (!in_turn).then(|| "passed on out of its turn".to_owned())
            }
            // It stands for what should have come here, if that never comes.
            None if expected < sent.len() && !is_passed(expected) => {
                let how = difference(sent[expected].1, bytes);
                used[expected] = true;
                expected += 1;
                Some(how)
            }
            None => Some(own(bytes)),
        };
        changed.extend(how.map(|how| (*index, format!("Mallory: {how}"))));
    }
    let lost = sent.iter().zip(used).filter(|(_, used)| !used);
    let lost = lost.map(|((index, _), _)| (*index, "Mallory: never passed on".to_owned()));
    (lost.collect(), changed)
}

/// The chunks of one side, with their places among all.
fn sent_by(trace: &Trace, side: Side) -> Vec<(usize, &[u8])> {
    let chunks = trace.chunks.iter().enumerate();
    let chunks = chunks.filter(|(_, chunk)| chunk.from == side);
    chunks
        .map(|(index, chunk)| (index, &chunk.bytes[..]))
        .collect()
}

fn difference(original: &[u8], bytes: &[u8]) -> String {
    let pairs = original.iter().zip(bytes);
    let changed: Vec<usize> = pairs
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(at, _)| at)
        .collect();
    match (&changed[..], original.len() == bytes.len()) {
        ([first, .., last], true) => format!(
            "{} of {} bytes changed, between byte {first} and byte {last}",
            changed.len(),
            bytes.len()
        ),
        ([only], true) => format!("byte {only} of {} changed", bytes.len()),
        _ => own(bytes),
    }
}

fn own(bytes: &[u8]) -> String {
    format!("{} bytes of Mallory's own", bytes.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use latchstring_attacker::capture::trace::Chunk;

    use super::*;

    fn trace(chunks: &[(Side, &str)]) -> Trace {
        let chunk = |(from, text): &(Side, &str)| Chunk {
            from: *from,
            at: Duration::ZERO,
            bytes: text.as_bytes().to_vec(),
        };
        Trace {
            chunks: chunks.iter().map(chunk).collect(),
            ..Trace::default()
        }
    }

    fn said(texts: &[&str]) -> Trace {
        let chunks: Vec<_> = texts.iter().map(|text| (Side::Client, *text)).collect();
        trace(&chunks)
    }

    fn server_side(sent: &[&str], passed: &[&str]) -> Vec<Remark> {
        let found = Tampering::between(&said(sent), &said(passed));
        assert_eq!(found.user_side, []);
        found.server_side
    }

    fn remark(at: usize, text: &str) -> Remark {
        (at, format!("Mallory: {text}"))
    }

    #[test]
    fn what_is_passed_on_as_it_came_needs_no_word() {
        assert_eq!(server_side(&["a", "b", "a"], &["a", "b", "a"]), []);
    }

    #[test]
    fn changes_repetitions_and_swaps_are_told() {
        assert_eq!(
            server_side(&["x", "pay bob 10"], &["x", "pay eve 99"]),
            [remark(
                1,
                "5 of 10 bytes changed, between byte 4 and byte 9"
            )]
        );
        assert_eq!(
            server_side(&["a", "b", "c"], &["a", "b", "b", "c"]),
            [remark(2, "these bytes once more")]
        );
        assert_eq!(
            server_side(&["a", "b", "c"], &["b", "a", "c"]),
            [
                remark(0, "passed on out of its turn"),
                remark(1, "passed on out of its turn")
            ]
        );
        assert_eq!(
            server_side(&["a", "b"], &["a", "mine", "b"]),
            [remark(1, "4 bytes of Mallory's own")]
        );
        assert_eq!(
            server_side(&["a"], &["a", "mine"]),
            [remark(1, "4 bytes of Mallory's own")]
        );
    }

    #[test]
    fn what_is_kept_back_is_told_where_it_was_sent() {
        let found = Tampering::between(&said(&["a", "b", "c"]), &said(&["a", "c"]));
        assert_eq!(found.user_side, [remark(1, "never passed on")]);
        assert_eq!(found.server_side, []);
    }

    #[test]
    fn the_first_packet_of_each_kind_has_a_name() {
        let login = "x".repeat(128);
        let faithful = trace(&[
            (Side::Client, &login),
            (Side::Server, "Authentication Successful!"),
            (Side::Server, &"k".repeat(32)),
            (Side::Server, &"i".repeat(8)),
            (Side::Client, "one"),
            (Side::Client, "two"),
        ]);
        let names = names(&faithful);
        let on: Vec<usize> = names.iter().map(|(on, _)| *on).collect();
        assert_eq!(on, [0, 1, 2, 3, 4]);
        assert!(names[2].1.contains("session key, in clear"), "{names:?}");
    }
}
