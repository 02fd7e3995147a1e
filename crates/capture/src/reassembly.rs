//! TCP reassembly: from segments as they were captured to the bytes that each side sent (RFC 9293).
//!
//! Networks repeat, reorder, cut and merge segments, and captures lose some. The rules here:
//!
//! - **First arrival wins.** Where segments overlap, the bytes that were captured first stand. Receivers differ in this
//!   (that is how intrusion detection is evaded: Ptacek and Newsham, 1998); Linux keeps what it has, and so do we.
//! - **Boundaries are kept.** The new bytes of one segment are one [`Chunk`], or several where others came before parts
//!   of it.
//! - **Delivery order.** A chunk counts when its receiver could read it: once all that was sent before it has arrived.
//!   The two directions are merged by that moment.
//! - **Gaps are reported**, never filled, and nothing waits for them.
//! - **Bounded.** What is held is what was captured, and no number on the wire is a size to allocate.

mod direction;

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use self::direction::{Arrival, Direction, LATE_SYN};
use crate::{
    decode::{self, Segment},
    pcapfile::Packet,
    trace::{AnnotatedSession, Chunk, Gap, Side, Trace},
};

/// Collects packets into sessions.
#[derive(Debug, Default)]
pub struct Reassembler {
    sessions: Vec<Session>,
    /// The current session between two addresses, the smaller one first.
    current: HashMap<(SocketAddr, SocketAddr), usize>,
    /// How many packets came so far: the clock that orders both directions.
    packets: u64,
}

impl Reassembler {
    /// Takes one captured packet; what is not TCP is passed over.
    pub fn push(&mut self, packet: &Packet) {
        let Some(segment) = decode::segment(packet) else {
            return;
        };
        if let Some(session) = self.file(&segment) {
            let comments = packet.comments.iter();
            let comments = comments.map(|text| (self.packets, text.clone()));
            self.sessions[session].comments.extend(comments);
        }
    }

    /// Takes one segment.
    pub fn push_segment(&mut self, segment: &Segment<'_>) {
        self.file(segment);
    }

    /// Gives a segment to its session: to which, or `None` when it belongs to none.
    fn file(&mut self, segment: &Segment<'_>) -> Option<usize> {
        self.packets += 1;
        let key = (segment.from.min(segment.to), segment.from.max(segment.to));
        let session = match self.current.get(&key) {
            Some(&index) if !self.sessions[index].is_reopened_by(segment) => index,
            // Neither the last words of a session from before the capture nor a stray RST make a session.
            _ if !segment.syn && segment.payload.is_empty() => return None,
            _ => {
                self.sessions.push(Session::begin(segment));
                self.current.insert(key, self.sessions.len() - 1);
                self.sessions.len() - 1
            }
        };
        self.sessions[session].push(segment, self.packets);
        Some(session)
    }

    /// The sessions, in the order of their first packets.
    pub fn finish(self) -> Vec<Trace> {
        let sessions = self.finish_annotated().into_iter();
        sessions.map(|session| session.trace).collect()
    }

    /// The sessions with the comments on their packets.
    pub fn finish_annotated(self) -> Vec<AnnotatedSession> {
        self.sessions.into_iter().map(Session::finish).collect()
    }
}

/// One connection while it is being collected.
#[derive(Debug)]
struct Session {
    client: SocketAddr,
    server: SocketAddr,
    began: Duration,
    reset: bool,
    from_client: Direction,
    from_server: Direction,
    /// With the order of arrival of the packets that they are on.
    comments: Vec<(u64, String)>,
}

impl Session {
    fn begin(first: &Segment<'_>) -> Self {
        // Who sends a SYN is the client, and who answers one the server. Without either, servers have the lower port.
        let sent_by_client = match (first.syn, first.ack) {
            (true, None) => true,
            (true, Some(_)) => false,
            (false, _) => first.from.port() >= first.to.port(),
        };
        let (client, server) = if sent_by_client {
            (first.from, first.to)
        } else {
            (first.to, first.from)
        };
        Self {
            client,
            server,
            began: first.at,
            reset: false,
            from_client: Direction::default(),
            from_server: Direction::default(),
            comments: Vec::new(),
        }
    }

    fn direction(&mut self, from: SocketAddr) -> &mut Direction {
        if from == self.client {
            &mut self.from_client
        } else {
            &mut self.from_server
        }
    }

    fn closed(&self) -> bool {
        self.reset || self.from_client.fin.is_some() && self.from_server.fin.is_some()
    }

    /// Whether this is the SYN of a later session that uses the same ports again.
    fn is_reopened_by(&self, segment: &Segment<'_>) -> bool {
        let direction = if segment.from == self.client {
            &self.from_client
        } else {
            &self.from_server
        };
        segment.syn
            && match direction.base {
                None => self.closed(),
                Some(_) if direction.start_known => {
                    direction.offset(segment.seq.wrapping_add(1)) != 0
                }
                Some(_) => {
                    let late = direction.first() - direction.offset(segment.seq.wrapping_add(1));
                    self.closed() || !(0..=LATE_SYN).contains(&late)
                }
            }
    }

    fn push(&mut self, segment: &Segment<'_>, arrival: u64) {
        let when = Arrival {
            order: arrival,
            at: segment.at.saturating_sub(self.began),
        };
        if segment.syn {
            self.direction(segment.from)
                .start(segment.seq.wrapping_add(1));
            if let Some(ack) = segment.ack {
                // The answer to a SYN that the capture may have missed says where the other stream starts.
                self.direction(segment.to).start(ack);
            }
        }
        // A SYN takes one sequence number, before any data.
        let seq = segment.seq.wrapping_add(segment.syn.into());
        // What an RST carries is a remark, not data (RFC 9293, 3.5.3).
        let payload = if segment.rst { &[] } else { segment.payload };
        let fits = self
            .direction(segment.from)
            .push(seq, payload, segment.fin, when);
        self.reset |= segment.rst && fits;
    }

    /// Merges the two directions by delivery.
    fn finish(self) -> AnnotatedSession {
        let closed = self.closed();
        let mut pieces = self.from_client.deliver(Side::Client);
        pieces.extend(self.from_server.deliver(Side::Server));
        // Stable, so that what one packet delivers stays in order.
        pieces.sort_by_key(|piece| piece.arrival.order);

        let mut arrivals = Vec::new();
        let mut trace = Trace::new(self.client, self.server);
        trace.closed = closed;
        for piece in pieces {
            if let Some(bytes) = piece.gap_before {
                trace.gaps.push(Gap {
                    from: piece.from,
                    before: trace.chunks.len(),
                    bytes,
                });
            }
            if !piece.bytes.is_empty() {
                arrivals.push(piece.arrival.order);
                trace.chunks.push(Chunk {
                    from: piece.from,
                    at: piece.arrival.at,
                    bytes: piece.bytes,
                });
            }
        }
        // A comment is about the first thing that its packet made readable, or about what came next.
        let chunk = |arrival| arrivals.partition_point(|order| *order < arrival);
        let comments = self.comments.into_iter();
        let comments = comments.map(|(arrival, text)| (chunk(arrival), text));
        AnnotatedSession {
            comments: comments.collect(),
            trace,
        }
    }
}

#[cfg(test)]
mod tests;
