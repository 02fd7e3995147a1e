//! The vantages hand an attack what they should, and nothing else.

use std::time::Duration;

use latchstring_attacker::{
    capture::trace::{Chunk, Side, Trace},
    vantage::{Records, Wiretap, blank_server},
};
use proptest::prelude::*;

#[test]
fn a_blanked_trace_keeps_the_shape_and_none_of_the_servers_bytes() {
    let chunk = |from, bytes: &[u8]| Chunk {
        from,
        at: Duration::from_millis(3),
        bytes: bytes.to_vec(),
    };
    let trace = Trace {
        chunks: vec![
            chunk(Side::Client, b"login"),
            chunk(Side::Server, b"session key"),
        ],
        ..Trace::default()
    };
    let blanked = blank_server(&trace);
    assert_eq!(blanked.stream(Side::Client), b"login");
    assert_eq!(blanked.stream(Side::Server), [0; 11]);
    assert_eq!(blanked.chunks[1].at, trace.chunks[1].at);
}

fn client_records() -> Records {
    Records::of(
        &Wiretap::of_deployed(Trace::default()).dialect,
        Side::Client,
    )
}

/// A hello, then records with these numbers of ciphertext bytes.
fn pieces(lengths: &[u8]) -> Vec<Vec<u8>> {
    let record = |len: &u8| {
        let len = u32::from(*len) + 33;
        [&len.to_be_bytes()[..], &vec![7; len as usize]].concat()
    };
    std::iter::once(vec![1; 74])
        .chain(lengths.iter().map(record))
        .collect()
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_its_records_come_out_whole(lengths in proptest::collection::vec(any::<u8>(), 0..6), cut in 1usize..200) {
        let sent = pieces(&lengths);
        let mut records = client_records();
        let stream = sent.concat();
        let out: Vec<Vec<u8>> = stream.chunks(cut).flat_map(|chunk| records.push(chunk)).collect();
        prop_assert_eq!(out, sent);
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6)) {
        let mut records = client_records();
        let sent: usize = chunks.iter().map(Vec::len).sum();
        let out: usize = chunks.iter().flat_map(|chunk| records.push(chunk)).map(|piece| piece.len()).sum();
        prop_assert!(out <= sent, "nothing is made up");
    }
}
