//! Dissection of sessions that no capture need hold: any pieces, from any side, with any gaps.
//!
//! Besides "no panic": each byte of a stream has one name, in order; behind a gap no message is told apart; and the two
//! views take nothing that is not in the streams.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use latchstring_capture::{
    Chunk, Gap, Side, Trace,
    dissect::{self, Part},
};

#[derive(Debug, Arbitrary)]
struct Script {
    hello: u8,
    pieces: Vec<(bool, Vec<u8>)>,
    gaps: Vec<(bool, u8, Option<u16>)>,
}

fn side(server: bool) -> Side {
    if server { Side::Server } else { Side::Client }
}

/// Runs one input.
pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let hello: &[&[u8]] = match script.hello {
        1 => &[b"latch/2\n", b""],
        2 => &[b"latchLAB", b""],
        3 => &[&[9; 128], b"Authentication Successful!"],
        _ => &[],
    };
    let chunk = |(from, bytes): (Side, Vec<u8>)| Chunk {
        from,
        at: Duration::ZERO,
        bytes,
    };
    let hello = [Side::Client, Side::Server].into_iter().zip(hello);
    let hello = hello.map(|(from, bytes)| (from, bytes.to_vec()));
    let pieces = script
        .pieces
        .into_iter()
        .map(|(from, bytes)| (side(from), bytes));
    let mut trace = Trace::default();
    trace.chunks = hello.chain(pieces).map(chunk).collect();
    trace.gaps = (script.gaps.into_iter())
        .map(|(from, before, bytes)| Gap {
            from: side(from),
            before: usize::from(before).min(trace.chunks.len()),
            bytes: bytes.map(u64::from),
            cut: false,
        })
        .collect();
    check_fields(&trace);
    assert_eq!(dissect::lacking(&trace).len(), trace.gaps.len());
    views(&trace);
}

/// Every byte has exactly one name.
///
/// # Panics
/// When that is not so.
pub fn check_fields(trace: &Trace) {
    let fields = dissect::fields(trace);
    for from in [Side::Client, Side::Server] {
        let mut at = 0;
        for field in fields.iter().filter(|field| field.from == from) {
            assert!(field.range.start == at && field.range.end > at, "{field:?}");
            at = field.range.end;
        }
        assert_eq!(at, trace.stream(from).len());
    }
}

fn views(trace: &Trace) {
    let client = trace.stream(Side::Client);
    let faithful = dissect::faithful(trace);
    let taken = faithful.login.len() + faithful.messages.iter().map(Vec::len).sum::<usize>();
    assert!(taken <= client.len());
    let hardened = dissect::hardened(trace);
    for (from, records) in [
        (Side::Client, &hardened.client_records),
        (Side::Server, &hardened.server_records),
    ] {
        let (stream, whole) = (trace.stream(from), trace.whole_prefix(from));
        for record in records {
            let end = record.offset + record.wire.len();
            assert!(end <= whole, "a record behind a gap");
            assert_eq!(stream[record.offset..end], record.wire);
            assert_eq!(
                record.wire.len(),
                4 + record.ciphertext().len() + record.tag().len()
            );
        }
    }
    assert!(
        hardened
            .other
            .iter()
            .all(|field| matches!(field.part, Part::Cut | Part::Unknown))
    );
}
