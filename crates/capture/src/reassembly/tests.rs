//! The rules of reassembly, one test each, over hand-made segments.

use std::time::Duration;

use super::*;
use crate::{Chunk, Gap, Side};

const CLIENT_ISN: u32 = u32::MAX - 3;
const SERVER_ISN: u32 = 1000;

/// Feeds hand-made segments; a number of the client's or the server's stream is an offset in it.
#[derive(Default)]
struct Wire(Reassembler, u64);

impl Wire {
    fn send(&mut self, from: Side, isn: u32, offset: u32, bytes: &[u8], flags: &str) -> &mut Self {
        self.1 += 1;
        let (client, server) = (
            SocketAddr::from(([10, 0, 0, 1], 50_000)),
            SocketAddr::from(([10, 0, 0, 2], 22_222)),
        );
        let (from, to) = if from == Side::Client {
            (client, server)
        } else {
            (server, client)
        };
        self.0.push_segment(&Segment {
            at: Duration::from_secs(self.1),
            from,
            to,
            seq: isn.wrapping_add(offset),
            ack: flags.contains('A').then(|| CLIENT_ISN.wrapping_add(1)),
            syn: flags.contains('S'),
            fin: flags.contains('F'),
            rst: flags.contains('R'),
            payload: bytes,
            lacks: 0,
        });
        self
    }
    fn client(&mut self, offset: u32, bytes: &[u8]) -> &mut Self {
        self.send(Side::Client, CLIENT_ISN, offset + 1, bytes, "")
    }
    fn server(&mut self, offset: u32, bytes: &[u8]) -> &mut Self {
        self.send(Side::Server, SERVER_ISN, offset + 1, bytes, "")
    }
    fn handshake(&mut self) -> &mut Self {
        self.send(Side::Client, CLIENT_ISN, 0, b"", "S").send(
            Side::Server,
            SERVER_ISN,
            0,
            b"",
            "SA",
        )
    }
    fn finish(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.0).finish()
    }
    fn only(&mut self) -> Trace {
        let [trace] = <[Trace; 1]>::try_from(self.finish()).expect("one session");
        trace
    }
}

/// "c:one s:two", in order.
fn render(trace: &Trace) -> String {
    let name = |chunk: &Chunk| if chunk.from == Side::Client { "c" } else { "s" };
    let text = |chunk: &Chunk| format!("{}:{}", name(chunk), String::from_utf8_lossy(&chunk.bytes));
    trace.chunks.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_retransmission_is_dropped_and_boundaries_stay_across_the_wrap() {
    let mut wire = Wire::default();
    let trace = wire
        .handshake()
        .client(0, b"login")
        .client(0, b"login")
        .server(0, b"ok")
        .client(5, b"hi")
        .only();
    assert_eq!(render(&trace), "c:login s:ok c:hi");
    assert_eq!((trace.gaps.len(), trace.closed), (0, false));
    assert_eq!((trace.client.port(), trace.server.port()), (50_000, 22_222));
}

#[test]
fn a_late_segment_holds_back_what_follows_it() {
    let mut wire = Wire::default();
    let trace = wire
        .handshake()
        .client(2, b"cd")
        .server(0, b"ok")
        .client(0, b"ab")
        .only();
    assert_eq!(render(&trace), "s:ok c:ab c:cd");
    assert_eq!(
        trace.chunks[2].at,
        Duration::from_secs(4),
        "readable when `ab` came"
    );
}

#[test]
fn in_an_overlap_the_first_arrival_wins() {
    let mut wire = Wire::default();
    let trace = wire
        .handshake()
        .client(2, b"XX")
        .client(0, b"abcdef")
        .client(4, b"zzgh")
        .only();
    assert_eq!(render(&trace), "c:ab c:XX c:ef c:gh");
}

#[test]
fn a_gap_is_reported_where_it_is() {
    let mut wire = Wire::default();
    let trace = wire
        .handshake()
        .client(0, b"ab")
        .server(0, b"ok")
        .client(7, b"hi")
        .server(2, b"bye")
        .only();
    assert_eq!(render(&trace), "c:ab s:ok c:hi s:bye");
    let gap = Gap {
        from: Side::Client,
        before: 2,
        bytes: Some(5),
        cut: false,
    };
    assert_eq!(trace.gaps, [gap]);
    assert_eq!(trace.whole_prefix(Side::Client), 2);
}

#[test]
fn a_fin_shows_that_the_end_is_missing() {
    let mut wire = Wire::default();
    let trace = wire
        .handshake()
        .client(0, b"ab")
        .send(Side::Client, CLIENT_ISN, 6, b"", "F")
        .only();
    assert_eq!(
        trace.gaps.iter().map(|gap| gap.bytes).collect::<Vec<_>>(),
        [Some(3)]
    );
}

#[test]
fn a_capture_begun_in_mid_stream_says_so() {
    let mut wire = Wire::default();
    let trace = wire
        .server(700, b"late")
        .client(300, b"cd")
        .client(298, b"ab")
        .only();
    assert_eq!(render(&trace), "s:late c:ab c:cd");
    assert_eq!(trace.client.port(), 50_000, "the lower port is the server");
    assert_eq!(
        trace.gaps.iter().map(|gap| gap.bytes).collect::<Vec<_>>(),
        [None, None]
    );
}

#[test]
fn a_syn_may_come_late_and_its_answer_is_enough() {
    let mut wire = Wire::default();
    let trace = wire.client(0, b"ab").handshake().only();
    assert_eq!((render(&trace).as_str(), trace.gaps.len()), ("c:ab", 0));
    let mut wire = Wire::default();
    let answer_only = wire
        .send(Side::Server, SERVER_ISN, 0, b"", "SA")
        .client(0, b"ab")
        .only();
    assert_eq!(trace.chunks[0].bytes, answer_only.chunks[0].bytes);
    assert_eq!(
        (answer_only.client.port(), answer_only.gaps.len()),
        (50_000, 0)
    );
}

#[test]
fn a_port_used_again_is_a_new_session_and_a_repeated_syn_is_not() {
    let mut wire = Wire::default();
    wire.handshake()
        .handshake()
        .client(0, b"one")
        .send(Side::Client, CLIENT_ISN, 4, b"", "F");
    wire.send(Side::Server, SERVER_ISN, 1, b"", "F");
    let again = CLIENT_ISN.wrapping_add(0x4000_0000);
    wire.send(Side::Client, again, 0, b"", "S")
        .send(Side::Client, again, 1, b"two", "");
    // Late words of the first session are outside the second one's window.
    let traces = wire
        .client(0, b"one")
        .send(Side::Client, CLIENT_ISN, 4, b"", "R")
        .finish();
    assert_eq!(
        traces.iter().map(render).collect::<Vec<_>>(),
        ["c:one", "c:two"]
    );
    assert_eq!(
        traces.iter().map(|trace| trace.closed).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn a_refused_connection_is_a_closed_session_and_a_stray_packet_is_none() {
    let mut wire = Wire::default();
    let refused = wire
        .send(Side::Client, CLIENT_ISN, 0, b"", "S")
        .send(Side::Server, 0, 0, b"", "RA")
        .only();
    assert_eq!((refused.closed, refused.chunks.len()), (true, 0));
    assert_eq!(
        Wire::default().send(Side::Client, 5, 0, b"", "R").finish(),
        []
    );
}

/// Counts what it is told, and keeps nothing.
#[derive(Default)]
struct Counter {
    items: usize,
    bytes: u64,
    lost: u64,
}

impl Listener for Counter {
    fn began(&mut self, _: usize, _: SocketAddr, _: SocketAddr) {}

    fn happened(&mut self, _: usize, item: Item) {
        self.items += 1;
        match item {
            Item::Chunk(chunk) => self.bytes += chunk.bytes.len() as u64,
            Item::Lost { bytes, .. } => self.lost += bytes.unwrap_or(0),
            Item::Comment(_) => {}
        }
    }

    fn ended(&mut self, _: usize, _: bool) {}
}

fn numbered(seq: u32, payload: &[u8], syn: bool) -> Segment<'_> {
    Segment {
        at: Duration::ZERO,
        from: SocketAddr::from(([10, 0, 0, 1], 50_000)),
        to: SocketAddr::from(([10, 0, 0, 2], 22_222)),
        seq,
        ack: None,
        syn,
        fin: false,
        rst: false,
        payload,
        lacks: 0,
    }
}

#[test]
fn of_a_long_session_nothing_is_kept_and_every_segment_costs_the_same() {
    let mut streams = Streams::new(Counter::default());
    streams.push_segment(&numbered(0, b"", true));
    for number in 0..20_000_u32 {
        streams.push_segment(&numbered(1 + number * 1000, &[7; 1000], false));
        assert_eq!(streams.waiting(), 0);
        assert_eq!(
            streams.listener().items as u32,
            number + 1,
            "handed on at once"
        );
    }
    let (counter, _) = streams.finish();
    assert_eq!((counter.bytes, counter.lost), (20_000_000, 0));
}

#[test]
fn behind_a_gap_no_more_waits_than_is_allowed() {
    let mut streams = Streams::new(Counter::default());
    streams.push_segment(&numbered(0, b"", true));
    let mut most = 0;
    // The first segment never comes.
    for number in 1..20_000_u32 {
        streams.push_segment(&numbered(1 + number * 1000, &[7; 1000], false));
        most = most.max(streams.waiting());
    }
    assert!(
        (MAX_WAITING / 2..=MAX_WAITING + 2000).contains(&most),
        "{most}"
    );
    let (counter, _) = streams.finish();
    assert_eq!((counter.bytes, counter.lost), (19_999_000, 1000));
}

#[test]
fn sessions_that_are_over_are_forgotten() {
    let mut streams = Streams::new(Counter::default());
    for number in 0..20_000_u32 {
        let port = (number % 60_000) as u16 + 1;
        let from = SocketAddr::from(([10, 0, 0, 1], port));
        let syn = Segment {
            from,
            ..numbered(9, b"", true)
        };
        let rst = Segment {
            from,
            rst: true,
            syn: false,
            seq: 10,
            ..syn.clone()
        };
        streams.push_segment(&syn);
        streams.push_segment(&rst);
    }
    assert!(
        streams.remembered() <= LINGER as usize,
        "{}",
        streams.remembered()
    );
}
