//! One direction of a connection: where each byte belongs, and when it could be read.

use std::{collections::BTreeMap, time::Duration};

use crate::trace::Side;

/// A segment further than this from all that was seen of its stream does not belong to it, and is dropped, as a receiver
/// drops what is outside its window (RFC 9293, 3.10.7.4). Windows in use stay well below, in bytes.
const WINDOW: i64 = 64 << 20;

/// A SYN that arrives this far before data that was already seen was only late; further, it opens a new session.
pub(super) const LATE_SYN: i64 = 1 << 20;

/// When a packet was captured: its number orders, its time is shown (times repeat, and clocks step back).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrival {
    pub(super) order: u64,
    pub(super) at: Duration,
}

/// The bytes that one side sent. Offsets count from `base` and do not wrap; bytes before a first segment that was not
/// the stream's start have negative ones.
#[derive(Debug, Default)]
pub(super) struct Direction {
    /// Sequence number of offset 0, once anything was seen.
    pub(super) base: Option<u32>,
    /// Whether offset 0 is the first byte of the stream.
    pub(super) start_known: bool,
    /// Largest offset that was seen: where sequence numbers are unwrapped.
    highest: i64,
    /// Offset of the end of the stream.
    pub(super) fin: Option<(i64, Arrival)>,
    /// What arrived, by offset. They do not overlap.
    pieces: BTreeMap<i64, (Vec<u8>, Arrival)>,
}

/// A chunk, and what is missing before it.
pub(super) struct Piece {
    pub(super) from: Side,
    pub(super) arrival: Arrival,
    pub(super) gap_before: Option<Option<u64>>,
    pub(super) bytes: Vec<u8>,
}

impl Direction {
    /// Unwraps a sequence number: of all offsets that it could mean, the one nearest to what was seen.
    pub(super) fn offset(&self, seq: u32) -> i64 {
        let highest = self.base.unwrap_or(seq).wrapping_add(self.highest as u32);
        self.highest + i64::from(seq.wrapping_sub(highest) as i32)
    }

    /// Offset of the first byte that arrived.
    pub(super) fn first(&self) -> i64 {
        self.pieces
            .first_key_value()
            .map_or(0, |(&offset, _)| offset)
    }

    /// Learns where the stream begins, perhaps after data of it has arrived.
    pub(super) fn start(&mut self, seq: u32) {
        if self.start_known {
            return;
        }
        let shift = if self.base.is_some() {
            self.offset(seq)
        } else {
            0
        };
        if !(0..=LATE_SYN).contains(&(self.first() - shift)) {
            return;
        }
        self.start_known = true;
        self.base = Some(seq);
        self.highest = (self.highest - shift).max(0);
        self.fin = self.fin.map(|(end, when)| (end - shift, when));
        let pieces = std::mem::take(&mut self.pieces);
        self.pieces = pieces
            .into_iter()
            .map(|(offset, piece)| (offset - shift, piece))
            .collect();
    }

    /// Takes one segment; tells whether it fits the stream.
    pub(super) fn push(&mut self, seq: u32, bytes: &[u8], fin: bool, when: Arrival) -> bool {
        let offset = self.offset(seq);
        if self.base.is_some() && (offset - self.highest).abs() > WINDOW {
            return false;
        }
        if self.base.is_none() {
            if bytes.is_empty() && !fin {
                // Acknowledgements alone do not say where the first byte was or will be.
                return true;
            }
            self.base = Some(seq);
        }
        let end = offset + bytes.len() as i64;
        self.highest = self.highest.max(end);
        if fin && self.fin.is_none() {
            self.fin = Some((end, when));
        }
        self.insert(offset, bytes, when);
        true
    }

    /// Adds the bytes that nobody brought before: first arrival wins.
    fn insert(&mut self, offset: i64, bytes: &[u8], when: Arrival) {
        let end = offset + bytes.len() as i64;
        let mut from = if self.start_known {
            offset.max(0)
        } else {
            offset
        };
        let before = self.pieces.range(..=from).next_back();
        if let Some((&held, (piece, _))) = before {
            from = from.max(held + piece.len() as i64);
        }
        while from < end {
            let next = self
                .pieces
                .range(from..end)
                .next()
                .map(|(&held, (piece, _))| (held, held + piece.len() as i64));
            let (until, resume) = next.unwrap_or((end, end));
            if from < until {
                let new = &bytes[(from - offset) as usize..(until - offset) as usize];
                self.pieces.insert(from, (new.to_vec(), when));
            }
            from = resume;
        }
    }

    /// What arrived, each piece with the arrival that made it readable, and what is missing before it.
    pub(super) fn deliver(self, from: Side) -> Vec<Piece> {
        let mut next = if self.start_known { Some(0) } else { None };
        let mut delivered = Arrival {
            order: 0,
            at: Duration::ZERO,
        };
        let mut out = Vec::new();
        for (offset, (bytes, arrival)) in self.pieces {
            delivered = delivered.max(arrival);
            let gap_before = gap(next, offset);
            next = Some(offset + bytes.len() as i64);
            out.push(Piece {
                from,
                arrival: delivered,
                gap_before,
                bytes,
            });
        }
        // The FIN says how long the stream was.
        if let Some((end, arrival)) = self.fin
            && next.is_some_and(|next| end > next)
        {
            out.push(Piece {
                from,
                arrival: delivered.max(arrival),
                gap_before: gap(next, end),
                bytes: Vec::new(),
            });
        }
        out
    }
}

/// What is missing before a piece at `offset` where `expected` was due. The outer `None` is nothing, the inner is an
/// amount that cannot be known.
fn gap(expected: Option<i64>, offset: i64) -> Option<Option<u64>> {
    match expected {
        None => Some(None),
        Some(expected) if offset > expected => Some(Some((offset - expected) as u64)),
        Some(_) => None,
    }
}
