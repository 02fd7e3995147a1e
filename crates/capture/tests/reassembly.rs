//! However a network cuts, repeats, merges and reorders what was sent, reassembly gives back what was sent.

use std::{net::SocketAddr, time::Duration};

use latchstring_capture::{Side, Trace, decode::Segment, reassembly::Reassembler};
use proptest::prelude::*;

/// A stream that a network mistreats: its bytes, and the runs of it that are sent, in this order.
#[derive(Debug, Clone)]
struct Sent {
    isn: u32,
    bytes: Vec<u8>,
    runs: Vec<(usize, usize)>,
}

/// Bytes, cut into segments that together cover them, plus repeats and overlaps, all shuffled.
fn sent() -> impl Strategy<Value = Sent> {
    // Near the wrap of the sequence numbers half of the time.
    let isn = prop_oneof![any::<u32>(), (u32::MAX - 600)..=u32::MAX];
    let bytes = prop::collection::vec(any::<u8>(), 1..600);
    (isn, bytes).prop_flat_map(|(isn, bytes)| {
        let len = bytes.len();
        let cuts = prop::collection::btree_set(1..=len, 0..12);
        let extra = prop::collection::vec((0..len, 1..80_usize), 0..12);
        let runs = (cuts, extra).prop_map(move |(cuts, extra)| {
            let mut from = 0;
            let mut runs = Vec::new();
            for to in cuts.into_iter().chain([len]).filter(|to| *to > 0) {
                runs.push((from, to));
                from = to;
            }
            runs.extend(
                extra
                    .into_iter()
                    .map(|(from, more)| (from, (from + more).min(len))),
            );
            runs
        });
        runs.prop_shuffle().prop_map(move |runs| Sent {
            isn,
            bytes: bytes.clone(),
            runs,
        })
    })
}

fn addresses(from: Side) -> (SocketAddr, SocketAddr) {
    let client = SocketAddr::from(([10, 0, 0, 1], 50_000));
    let server = SocketAddr::from(([10, 0, 0, 2], 22_222));
    if from == Side::Client {
        (client, server)
    } else {
        (server, client)
    }
}

fn segment(from: Side, seq: u32, payload: &[u8]) -> Segment<'_> {
    let (from, to) = addresses(from);
    Segment {
        at: Duration::ZERO,
        from,
        to,
        seq,
        ack: None,
        syn: false,
        fin: false,
        rst: false,
        payload,
        lacks: 0,
    }
}

/// The segments of one direction, its SYN put in at `syn_at` and its FIN at the end.
fn segments(from: Side, sent: &Sent, syn_at: usize) -> Vec<Segment<'_>> {
    let seq = |offset: usize| sent.isn.wrapping_add(1 + offset as u32);
    let run = |&(start, end): &(usize, usize)| segment(from, seq(start), &sent.bytes[start..end]);
    let mut all: Vec<_> = sent.runs.iter().map(run).collect();
    let syn = Segment {
        syn: true,
        ..segment(from, sent.isn, b"")
    };
    all.insert(syn_at.min(all.len()), syn);
    all.push(Segment {
        fin: true,
        ..segment(from, seq(sent.bytes.len()), b"")
    });
    all
}

/// Interleaves both directions as `order` says.
fn reassemble(client: Vec<Segment<'_>>, server: Vec<Segment<'_>>, order: &[bool]) -> Vec<Trace> {
    let mut reassembler = Reassembler::default();
    let (mut client, mut server) = (client.into_iter(), server.into_iter());
    for turn in order {
        let next = if *turn { client.next() } else { server.next() };
        next.iter()
            .for_each(|segment| reassembler.push_segment(segment));
    }
    client
        .chain(server)
        .for_each(|segment| reassembler.push_segment(&segment));
    reassembler.finish()
}

proptest! {
    #[test]
    fn every_mistreatment_reassembles_exactly(
        client in sent(),
        server in sent(),
        syn_at in (0..30_usize, 0..30_usize),
        order in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let traces = reassemble(
            segments(Side::Client, &client, syn_at.0),
            segments(Side::Server, &server, syn_at.1)
                .into_iter()
                // The answer to a SYN is a SYN that acknowledges.
                .map(|segment| Segment { ack: segment.syn.then_some(client.isn.wrapping_add(1)), ..segment })
                .collect(),
            &order,
        );
        prop_assert_eq!(traces.len(), 1);
        let trace = &traces[0];
        prop_assert_eq!(trace.stream(Side::Client), client.bytes);
        prop_assert_eq!(trace.stream(Side::Server), server.bytes);
        prop_assert!(trace.gaps.is_empty() && trace.closed);
        prop_assert_eq!(trace.client.port(), 50_000);
    }

    #[test]
    fn in_order_segments_are_the_chunks(client in sent()) {
        let mut runs: Vec<_> = client.runs.clone();
        runs.sort_unstable();
        // Only those that begin where the one before ended: an undisturbed stream.
        let mut end = 0;
        runs.retain(|run| run.0 == end && run.1 > end && { end = run.1; true });
        let sent = Sent { runs: runs.clone(), ..client };
        let traces = reassemble(segments(Side::Client, &sent, 0), Vec::new(), &[]);
        let lens: Vec<_> = traces[0].chunks.iter().map(|chunk| chunk.bytes.len()).collect();
        prop_assert_eq!(lens, runs.iter().map(|run| run.1 - run.0).collect::<Vec<_>>());
    }

    /// What is missing is counted: the bytes that arrived and the gaps make up the whole stream.
    #[test]
    fn lost_segments_become_gaps_of_their_size(client in sent(), lost in prop::collection::vec(any::<bool>(), 30)) {
        let kept = client.runs.iter().zip(lost.iter().cycle()).filter(|(_, lost)| !**lost).map(|(run, _)| *run);
        let sent = Sent { runs: kept.collect(), ..client };
        let traces = reassemble(segments(Side::Client, &sent, 0), Vec::new(), &[]);
        let trace = &traces[0];
        let missing: u64 = trace.gaps.iter().map(|gap| gap.bytes.expect("the SYN was seen")).sum();
        prop_assert_eq!(trace.stream(Side::Client).len() as u64 + missing, sent.bytes.len() as u64);

        // And each byte is where it was: walk chunks and gaps side by side.
        let mut at = 0;
        for (index, chunk) in trace.chunks.iter().enumerate() {
            at += trace.gaps.iter().filter(|gap| gap.before == index).filter_map(|gap| gap.bytes).sum::<u64>() as usize;
            prop_assert_eq!(&chunk.bytes[..], &sent.bytes[at..at + chunk.bytes.len()]);
            at += chunk.bytes.len();
        }
    }

    /// Any segments at all, also nonsense: no panic, and no more bytes come out than went in.
    #[test]
    fn nonsense_does_no_harm(
        segments in prop::collection::vec(
            (any::<u32>(), any::<[bool; 5]>(), prop::collection::vec(any::<u8>(), 0..20), any::<Option<u32>>()), 0..60)
    ) {
        let mut reassembler = Reassembler::default();
        for (seq, [server, syn, fin, rst, near], payload, ack) in &segments {
            let from = if *server { Side::Server } else { Side::Client };
            let seq = if *near { seq % 100 } else { *seq };
            reassembler.push_segment(&Segment {
                syn: *syn, fin: *fin, rst: *rst, ack: *ack, ..segment(from, seq, payload)
            });
        }
        let out: usize = reassembler.finish().iter().flat_map(|trace| &trace.chunks).map(|chunk| chunk.bytes.len()).sum();
        prop_assert!(out <= segments.iter().map(|(_, _, payload, _)| payload.len()).sum::<usize>());
    }
}
