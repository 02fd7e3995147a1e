//! Traces for the tests.
#![allow(dead_code)] // not every test uses every one

use std::{net::SocketAddr, time::Duration};

use latchstring_capture::{Chunk, Gap, Side, Trace};
use proptest::prelude::*;

/// When the sessions of the tests begin: 2023-11-14, on the microsecond.
pub(crate) const EPOCH: Duration = Duration::from_micros(1_700_000_000_000_001);

/// A small session of both directions.
pub(crate) fn session() -> Trace {
    let chunk = |from, millis, bytes: &[u8]| Chunk {
        from,
        at: Duration::from_millis(millis),
        bytes: bytes.to_vec(),
    };
    Trace {
        client: SocketAddr::from(([127, 0, 0, 1], 50_000)),
        server: SocketAddr::from(([127, 0, 0, 1], 22_222)),
        chunks: vec![
            chunk(Side::Client, 1, &[9; 128]),
            chunk(Side::Server, 2, b"Authentication Successful!"),
            chunk(Side::Server, 3, &[5; 32]),
            chunk(Side::Server, 3, &[6; 8]),
            chunk(Side::Client, 1500, b"one message"),
        ],
        closed: true,
        gaps: Vec::new(),
    }
}

/// Any trace that a capture can hold: both IP versions, gaps, open or closed.
pub(crate) fn traces() -> impl Strategy<Value = Trace> {
    let chunk = (
        any::<bool>(),
        0..5_000_000_u64,
        prop::collection::vec(any::<u8>(), 1..300),
        prop::option::weighted(0.1, 1..2_000_u64),
    );
    let chunks = prop::collection::vec(chunk, 0..12);
    (any::<bool>(), any::<bool>(), chunks).prop_map(|(v6, closed, mut chunks)| {
        chunks.sort_by_key(|chunk| chunk.1);
        let local = if v6 { "[fd00::1]" } else { "10.0.0.1" };
        let remote = if v6 { "[fd00::2]" } else { "10.0.0.2" };
        let mut trace = Trace::new(
            format!("{local}:50000").parse().unwrap(),
            format!("{remote}:22222").parse().unwrap(),
        );
        trace.closed = closed;
        for (index, (from_client, nanos, bytes, gap)) in chunks.into_iter().enumerate() {
            let from = if from_client {
                Side::Client
            } else {
                Side::Server
            };
            trace.gaps.extend(gap.map(|bytes| Gap {
                from,
                before: index,
                bytes: Some(bytes),
                cut: false,
            }));
            trace.chunks.push(Chunk {
                from,
                at: Duration::from_nanos(nanos),
                bytes,
            });
        }
        trace
    })
}
