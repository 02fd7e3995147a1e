//! One connection while it is being collected.

use std::{net::SocketAddr, time::Duration};

use super::{
    Arrival, MAX_WAITING,
    direction::{Direction, LATE_SYN, Piece},
};
use crate::{
    decode::Segment,
    trace::{Chunk, Item, Side},
};

/// The limit, in packets, on the wait for an earlier segment. While the beginning of a stream is unknown, its first
/// segments wait for one that was only late.
const MAX_UNSURE: u64 = 64;

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    began: Duration,
    reset: bool,
    from_client: Direction,
    from_server: Direction,
    /// Readable items of one direction, while the other direction waits for a gap to be filled. These items have to be
    /// merged by arrival.
    ready: Vec<(u64, Item)>,
    ready_bytes: usize,
    strays: Strays,
}

/// Bytes of segments that no receiver would take.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Strays {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Session {
    pub(super) fn begin(first: &Segment<'_>) -> Self {
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
            from_client: Direction::of(Side::Client),
            from_server: Direction::of(Side::Server),
            ready: Vec::new(),
            ready_bytes: 0,
            strays: Strays::default(),
        }
    }

    fn directions(&mut self, from: SocketAddr) -> (&mut Direction, &mut Direction) {
        if from == self.client {
            (&mut self.from_client, &mut self.from_server)
        } else {
            (&mut self.from_server, &mut self.from_client)
        }
    }

    pub(super) fn closed(&self) -> bool {
        self.reset || self.from_client.fin.is_some() && self.from_server.fin.is_some()
    }

    /// Whether this segment is of a later session that uses the same ports again.
    pub(super) fn is_followed_by(&self, segment: &Segment<'_>) -> bool {
        let direction = if segment.from == self.client {
            &self.from_client
        } else {
            &self.from_server
        };
        match segment.syn {
            true => self.is_reopened_by(direction, segment),
            // The SYN of the later session is missing: it sends behind the end of this one.
            false => {
                self.closed()
                    && !segment.payload.is_empty()
                    && direction.is_behind_the_end(segment.seq)
            }
        }
    }

    fn is_reopened_by(&self, direction: &Direction, segment: &Segment<'_>) -> bool {
        let first_byte = segment.seq.wrapping_add(1);
        match direction.base {
            None => self.closed(),
            Some(_) if direction.start_known => direction.offset(first_byte) != 0,
            Some(_) => {
                let late = direction.first - direction.offset(first_byte);
                self.closed() || !(0..=LATE_SYN).contains(&late)
            }
        }
    }

    /// Takes a segment, and tells what can be read now.
    pub(super) fn push(
        &mut self,
        segment: &Segment<'_>,
        comments: Vec<String>,
        arrival: u64,
        tell: &mut impl FnMut(Item),
    ) {
        let when = Arrival {
            order: arrival,
            at: segment.at.saturating_sub(self.began),
        };
        let comments = comments.into_iter();
        self.ready
            .extend(comments.map(|text| (arrival, Item::Comment(text))));
        let mut pieces = Vec::new();
        let (direction, other) = self.directions(segment.from);
        if segment.syn {
            direction.start(segment.seq.wrapping_add(1), &mut pieces);
            if let Some(ack) = segment.ack {
                // The answer to a SYN that the capture may have missed says where the other stream starts.
                other.start(ack, &mut pieces);
            }
        }
        if let Some(ack) = segment.ack.filter(|_| !segment.rst) {
            other.acknowledged(ack);
        }
        // A SYN takes one sequence number, before any data.
        let seq = segment.seq.wrapping_add(segment.syn.into());
        // What an RST carries is a remark, not data (RFC 9293, 3.5.3).
        let (payload, lacks) = match segment.rst {
            true => (&[][..], 0),
            false => (segment.payload, segment.lacks),
        };
        let fits = direction.push(seq, payload, lacks, segment.fin, when, &mut pieces);
        self.reset |= segment.rst && fits;
        if !fits && !payload.is_empty() {
            self.strays.packets += 1;
            self.strays.bytes += payload.len() as u64;
        }
        self.take(pieces);
        self.give_up_gaps(arrival);
        self.hand_on(tell);
    }

    /// How many bytes are held back.
    pub(super) fn waiting(&self) -> usize {
        self.from_client.waiting() + self.from_server.waiting() + self.ready_bytes
    }

    fn take(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            let from = piece.from;
            let order = piece.arrival.order;
            if let Some(lost) = piece.lost {
                let (bytes, cut) = (lost.bytes, lost.cut);
                self.ready.push((order, Item::Lost { from, bytes, cut }));
            }
            if !piece.bytes.is_empty() {
                self.ready_bytes += piece.bytes.len();
                let chunk = Chunk {
                    from,
                    at: piece.arrival.at,
                    bytes: piece.bytes,
                };
                self.ready.push((order, Item::Chunk(chunk)));
            }
        }
    }

    /// Waits for gaps no longer than bounds allow.
    fn give_up_gaps(&mut self, now: u64) {
        for direction in [Side::Client, Side::Server] {
            loop {
                let waiting = self.waiting();
                let direction = match direction {
                    Side::Client => &mut self.from_client,
                    Side::Server => &mut self.from_server,
                };
                let since = direction.unsure_since();
                let unsure = since.is_some_and(|since| now - since > MAX_UNSURE);
                if direction.waiting() == 0 || !(unsure || waiting > MAX_WAITING) {
                    break;
                }
                let mut pieces = Vec::new();
                direction.give_up(&mut pieces);
                self.take(pieces);
            }
        }
    }

    /// Tells what is ready, unless one of the directions waits: then the order is not certain yet.
    fn hand_on(&mut self, tell: &mut impl FnMut(Item)) {
        if self.from_client.waiting() > 0 || self.from_server.waiting() > 0 {
            return;
        }
        // Stable, so that what one packet delivers stays in order.
        self.ready.sort_by_key(|(order, _)| *order);
        self.ready.drain(..).for_each(|(_, item)| tell(item));
        self.ready_bytes = 0;
    }

    /// Reports the rest; bytes that are still missing will not come. Returns what did not belong to the session.
    pub(super) fn finish(mut self, tell: &mut impl FnMut(Item)) -> Strays {
        let both_ended = self.from_client.fin.is_some() || self.from_server.fin.is_some();
        let mut pieces = Vec::new();
        self.from_client.finish(both_ended, &mut pieces);
        self.from_server.finish(both_ended, &mut pieces);
        self.take(pieces);
        self.hand_on(tell);
        self.strays
    }
}
