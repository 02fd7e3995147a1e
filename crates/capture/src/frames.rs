//! Packets made from traces, so that the lab's own wire writes captures without libpcap and without privileges.
//!
//! Each session gets what Wireshark needs to follow it: a handshake, an acknowledgement for every segment, FINs, correct
//! checksums. Nothing is random: the same traces make the same bytes.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use etherparse::{PacketBuilder, TcpHeader};

use crate::{
    pcapfile::{LinkType, Packet},
    trace::{AnnotatedSession, Side, Trace},
};

/// The most that one packet carries, in bytes: 65,535 less the headers of IP and TCP. A longer chunk becomes several.
pub const MAX_PAYLOAD: usize = 65_535 - 20 - 20;

/// Quiet time between two sessions: each begins after the one before it has ended, since they may use the same ports.
const PAUSE: Duration = Duration::from_secs(1);

/// Locally administered addresses (the second-lowest bit of the first byte), so that they are nobody's.
const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// Makes Ethernet packets that carry the traces, one session after the other, the first one beginning at `epoch` (since
/// 1970). Reading them back gives the same traces, apart from chunks that are empty or longer than [`MAX_PAYLOAD`].
pub fn synthesize(traces: &[Trace], epoch: Duration) -> Vec<Packet> {
    played(traces.iter().map(|trace| (trace, &[][..])), epoch)
}

/// Like [`synthesize`], with each comment on the first packet of its chunk. Those on the end of a session are on its
/// first FIN, or on its last packet if it was not closed.
pub fn synthesize_annotated(sessions: &[AnnotatedSession], epoch: Duration) -> Vec<Packet> {
    let sessions = sessions.iter();
    played(
        sessions.map(|session| (&session.trace, &session.comments[..])),
        epoch,
    )
}

/// A remark on a chunk: see [`AnnotatedSession::comments`].
type Comment = (usize, String);

fn played<'a>(
    sessions: impl Iterator<Item = (&'a Trace, &'a [Comment])>,
    epoch: Duration,
) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut began = epoch;
    for (index, (trace, comments)) in sessions.enumerate() {
        let mut session = Session::new(trace, index, began);
        session.play(trace, comments);
        let ended = session.packets.iter().map(|packet| packet.at).max();
        began = ended.unwrap_or(began) + PAUSE;
        packets.append(&mut session.packets);
    }
    packets
}

/// One session while it is being written.
struct Session {
    client: SocketAddr,
    server: SocketAddr,
    began: Duration,
    now: Duration,
    /// Next sequence numbers, of the client and of the server.
    next: [u32; 2],
    packets: Vec<Packet>,
}

/// The flags of a segment.
#[derive(Default, Clone, Copy)]
struct Flags {
    syn: bool,
    fin: bool,
    /// Acknowledges what the other side sent. All but the very first segment do.
    ack: bool,
}

const SYN: Flags = Flags {
    syn: true,
    fin: false,
    ack: false,
};
const SYN_ACK: Flags = Flags { ack: true, ..SYN };
const ACK: Flags = Flags {
    syn: false,
    fin: false,
    ack: true,
};
const FIN_ACK: Flags = Flags { fin: true, ..ACK };

impl Session {
    fn new(trace: &Trace, index: usize, began: Duration) -> Self {
        // Initial sequence numbers differ from session to session: that is how a reader knows a port that is used again.
        let isn = (index as u32).wrapping_mul(0x1000_0001).wrapping_add(1_000);
        Self {
            client: trace.client,
            server: trace.server,
            began,
            now: began,
            next: [isn, isn.wrapping_add(0x0800_0000)],
            packets: Vec::new(),
        }
    }

    fn play(&mut self, trace: &Trace, comments: &[Comment]) {
        // A capture begun in mid-stream has no handshake, and should not gain one here.
        if trace.gaps.iter().all(|gap| gap.bytes.is_some()) {
            self.send(Side::Client, SYN, b"");
            self.send(Side::Server, SYN_ACK, b"");
            self.send(Side::Client, ACK, b"");
        }
        for (index, chunk) in trace.chunks.iter().enumerate() {
            self.skip_gaps(trace, index);
            self.now = self.began + chunk.at;
            let first = self.packets.len();
            for part in chunk.bytes.chunks(MAX_PAYLOAD) {
                self.send(chunk.from, ACK, part);
                self.send(chunk.from.peer(), ACK, b"");
            }
            self.remark(first, comments.iter().filter(|(on, _)| *on == index));
        }
        self.skip_gaps(trace, trace.chunks.len());
        let end = self.packets.len();
        if trace.closed {
            self.send(Side::Client, FIN_ACK, b"");
            self.send(Side::Server, FIN_ACK, b"");
            self.send(Side::Client, ACK, b"");
        }
        let at_the_end = comments.iter().filter(|(on, _)| *on >= trace.chunks.len());
        self.remark(end, at_the_end);
    }

    /// Puts comments on a packet, or on the last packet if the number does not exist.
    fn remark<'a>(&mut self, packet: usize, comments: impl Iterator<Item = &'a Comment>) {
        let last = self.packets.len().saturating_sub(1);
        if let Some(packet) = self.packets.get_mut(packet.min(last)) {
            packet
                .comments
                .extend(comments.map(|(_, text)| text.clone()));
        }
    }

    /// Leaves out what the trace does not have.
    fn skip_gaps(&mut self, trace: &Trace, before: usize) {
        for gap in trace.gaps.iter().filter(|gap| gap.before == before) {
            let next = &mut self.next[gap.from as usize];
            *next = next.wrapping_add(gap.bytes.unwrap_or(0) as u32);
        }
    }

    fn send(&mut self, from: Side, flags: Flags, payload: &[u8]) {
        let (source, destination) = match from {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        let seq = self.next[from as usize];
        let mut tcp = TcpHeader::new(source.port(), destination.port(), seq, u16::MAX);
        (tcp.syn, tcp.fin, tcp.psh) = (flags.syn, flags.fin, !payload.is_empty());
        if flags.ack {
            tcp.ack = true;
            tcp.acknowledgment_number = self.next[from.peer() as usize];
        }
        let bytes = frame(from, source.ip(), destination.ip(), tcp, payload);
        self.packets.push(Packet {
            at: self.now,
            link: LinkType::Ethernet,
            wire_len: bytes.len() as u32,
            bytes,
            comments: Vec::new(),
        });
        // SYN and FIN take one sequence number each.
        let taken = payload.len() as u32 + u32::from(flags.syn) + u32::from(flags.fin);
        self.next[from as usize] = seq.wrapping_add(taken);
    }
}

/// Ethernet and IP around a segment; `etherparse` computes both checksums.
fn frame(
    from: Side,
    source: IpAddr,
    destination: IpAddr,
    tcp: TcpHeader,
    payload: &[u8],
) -> Vec<u8> {
    let ethernet = match from {
        Side::Client => PacketBuilder::ethernet2(CLIENT_MAC, SERVER_MAC),
        Side::Server => PacketBuilder::ethernet2(SERVER_MAC, CLIENT_MAC),
    };
    let ip = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            ethernet.ipv4(source.octets(), destination.octets(), 64)
        }
        (source, destination) => ethernet.ipv6(v6(source), v6(destination), 64),
    };
    let builder = ip.tcp_header(tcp);
    let mut bytes = Vec::with_capacity(builder.size(payload.len()));
    builder
        .write(&mut bytes, payload)
        .expect("a Vec takes all, and MAX_PAYLOAD keeps every length in range");
    bytes
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
