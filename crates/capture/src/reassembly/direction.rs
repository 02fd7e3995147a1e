//! One direction of a connection: where each byte belongs, and when it could be read.

use std::{collections::BTreeMap, time::Duration};

use crate::trace::Side;

/// A segment further than this from all seen bytes of its stream does not belong to it, and is dropped. A receiver also
/// drops segments outside its window (RFC 9293, 3.10.7.4). Windows in use stay well below, in bytes.
const WINDOW: i64 = 64 << 20;

/// A SYN that arrives this far before data that was already seen was only late; further, it opens a new session.
pub(super) const LATE_SYN: i64 = 1 << 20;

/// The approximate memory for a held segment, besides its bytes.
const ENTRY: usize = 64;

/// When a packet was captured: its number orders, its time is shown (times repeat, and clocks step back).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrival {
    pub(super) order: u64,
    pub(super) at: Duration,
}

/// The bytes that one side sent. Offsets count from `base` and do not wrap; bytes before a first segment that was not
/// the stream's start have negative ones.
#[derive(Debug)]
pub(super) struct Direction {
    from: Side,
    /// Sequence number of offset 0, once anything was seen.
    pub(super) base: Option<u32>,
    /// Whether offset 0 is the first byte of the stream.
    pub(super) start_known: bool,
    /// Smallest offset that was seen.
    pub(super) first: i64,
    /// Largest offset that was seen: where sequence numbers are unwrapped.
    highest: i64,
    /// Offset of the end of the stream.
    pub(super) fin: Option<(i64, Arrival)>,
    /// Offset of the next byte to be delivered. `None` while nobody knows where the stream begins.
    next: Option<i64>,
    /// Up to here, the missing bytes were in segments that the recorder cut, and will not come.
    cut_until: i64,
    /// The bytes that arrived behind a gap, by offset. The pieces do not overlap.
    held: BTreeMap<i64, Held>,
    held_bytes: usize,
    /// When the first of it came.
    unsure_since: Option<u64>,
    /// When the last byte could be read.
    delivered: Arrival,
    /// The first and the last acknowledgement of the other side.
    acks: Option<(u32, u32)>,
}

#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// How many more bytes its segment had.
    lacks: i64,
    arrival: Arrival,
}

/// The missing bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// How much; `None` is an amount that cannot be known.
    pub(super) bytes: Option<u64>,
    /// Whether the segment before it was cut.
    pub(super) cut: bool,
}

/// The next readable piece: the missing bytes, then bytes.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) from: Side,
    pub(super) arrival: Arrival,
    pub(super) lost: Option<Lost>,
    pub(super) bytes: Vec<u8>,
}

impl Direction {
    pub(super) fn of(from: Side) -> Self {
        Self {
            from,
            base: None,
            start_known: false,
            first: 0,
            highest: 0,
            fin: None,
            next: None,
            cut_until: 0,
            held: BTreeMap::new(),
            held_bytes: 0,
            unsure_since: None,
            delivered: Arrival {
                order: 0,
                at: Duration::ZERO,
            },
            acks: None,
        }
    }

    /// Unwraps a sequence number: of all offsets that it could mean, the one nearest to what was seen.
    pub(super) fn offset(&self, seq: u32) -> i64 {
        let highest = self.base.unwrap_or(seq).wrapping_add(self.highest as u32);
        self.highest + i64::from(seq.wrapping_sub(highest) as i32)
    }

    /// The bytes in memory that arrived and wait.
    pub(super) fn waiting(&self) -> usize {
        self.held_bytes
    }

    /// Since which packet bytes wait because nobody knows where the stream begins.
    pub(super) fn unsure_since(&self) -> Option<u64> {
        self.unsure_since.filter(|_| self.next.is_none())
    }

    /// Whether a segment that begins here cannot be of this stream, since it has ended or is far away.
    pub(super) fn is_behind_the_end(&self, seq: u32) -> bool {
        let offset = self.offset(seq);
        let end = self.fin.map_or(self.highest, |(end, _)| end);
        self.base.is_some() && (offset >= end || (offset - self.highest).abs() > WINDOW)
    }

    /// Learns where the stream begins, perhaps after data of it has arrived.
    pub(super) fn start(&mut self, seq: u32, out: &mut Vec<Piece>) {
        if self.start_known || self.next.is_some() {
            return;
        }
        let shift = if self.base.is_some() {
            self.offset(seq)
        } else {
            0
        };
        if !(0..=LATE_SYN).contains(&(self.first - shift)) {
            return;
        }
        self.start_known = true;
        self.base = Some(seq);
        self.next = Some(0);
        self.first = 0;
        self.highest = (self.highest - shift).max(0);
        self.cut_until = 0;
        self.fin = self.fin.map(|(end, when)| (end - shift, when));
        let held = std::mem::take(&mut self.held);
        self.held = held
            .into_iter()
            .map(|(offset, piece)| (offset - shift, piece))
            .collect();
        self.advance(out);
    }

    /// Notes how much of the stream the other side has.
    pub(super) fn acknowledged(&mut self, ack: u32) {
        let (first, last) = self.acks.unwrap_or((ack, ack));
        // Numbers wrap, so the later one is the one that is ahead by less than half of them.
        let ahead = ack.wrapping_sub(last) < 1 << 31;
        self.acks = Some((first, if ahead { ack } else { last }));
    }

    /// Takes one segment, of which `lacks` bytes were cut off; tells whether it fits the stream.
    pub(super) fn push(
        &mut self,
        seq: u32,
        bytes: &[u8],
        lacks: u32,
        fin: bool,
        when: Arrival,
        out: &mut Vec<Piece>,
    ) -> bool {
        let offset = self.offset(seq);
        if self.base.is_some() && (offset - self.highest).abs() > WINDOW {
            return false;
        }
        if self.base.is_none() {
            if bytes.is_empty() && lacks == 0 && !fin {
                // Acknowledgements alone do not say where the first byte was or will be.
                return true;
            }
            self.base = Some(seq);
        }
        let end = offset + bytes.len() as i64 + i64::from(lacks);
        self.first = self.first.min(offset);
        self.highest = self.highest.max(end);
        if fin && self.fin.is_none() {
            self.fin = Some((end, when));
        }
        if self.next == Some(offset) && self.held.is_empty() && lacks == 0 {
            // What mostly happens: the next bytes, and nothing that waits.
            self.deliver(offset, bytes, when, out);
        } else {
            self.insert(offset, bytes, lacks.into(), when);
            self.advance(out);
        }
        true
    }

    fn deliver(&mut self, offset: i64, bytes: &[u8], when: Arrival, out: &mut Vec<Piece>) {
        if !bytes.is_empty() {
            self.next = Some(offset + bytes.len() as i64);
            self.delivered = self.delivered.max(when);
            out.push(self.piece(None, bytes.to_vec()));
        }
    }

    /// Adds the bytes that nobody brought before: first arrival wins.
    fn insert(&mut self, offset: i64, bytes: &[u8], lacks: i64, arrival: Arrival) {
        let end = offset + bytes.len() as i64;
        let mut from = self.next.map_or(offset, |next| offset.max(next));
        let has_bytes = |(_, piece): &(&i64, &Held)| !piece.bytes.is_empty();
        if let Some((&held, piece)) = self.held.range(..=from).rev().find(has_bytes) {
            from = from.max(held + piece.bytes.len() as i64);
        }
        // The recorder kept nothing of the segment, or nothing new.
        if from >= end && lacks > 0 {
            self.hold(end.max(from.min(end + lacks)), &[], end + lacks, arrival);
        }
        while from < end {
            let next = self.held.range(from..end).find(has_bytes);
            let next = next.map(|(&held, piece)| (held, held + piece.bytes.len() as i64));
            let (until, resume) = next.unwrap_or((end, end));
            if from < until {
                let new = &bytes[(from - offset) as usize..(until - offset) as usize];
                let upto = if until == end { end + lacks } else { until };
                self.hold(from, new, upto, arrival);
            }
            from = resume;
        }
    }

    /// Holds bytes of a segment that reached up to `upto`.
    fn hold(&mut self, at: i64, bytes: &[u8], upto: i64, arrival: Arrival) {
        let lacks = (upto - at - bytes.len() as i64).max(0);
        if bytes.is_empty() && (lacks == 0 || self.held.contains_key(&at)) {
            return;
        }
        self.unsure_since.get_or_insert(arrival.order);
        self.held_bytes += bytes.len() + ENTRY;
        let held = Held {
            bytes: bytes.to_vec(),
            lacks,
            arrival,
        };
        // Only one that has no bytes can be there already.
        if self.held.insert(at, held).is_some() {
            self.held_bytes -= ENTRY;
        }
    }

    /// Delivers what follows without a gap, and passes over what was cut off.
    fn advance(&mut self, out: &mut Vec<Piece>) {
        let Some(mut next) = self.next else {
            return;
        };
        loop {
            let first = self.held.first_key_value().map(|(&at, _)| at);
            if first.is_some_and(|first| first < next) {
                // A cut segment without new bytes, behind which others came first.
                if let Some((at, held)) = self.held.pop_first() {
                    self.held_bytes -= held.bytes.len() + ENTRY;
                    self.cut_until = self.cut_until.max(at + held.lacks);
                }
            } else if first == Some(next) {
                let Some((at, held)) = self.held.pop_first() else {
                    break;
                };
                self.held_bytes -= held.bytes.len() + ENTRY;
                self.delivered = self.delivered.max(held.arrival);
                next = at + held.bytes.len() as i64;
                self.cut_until = self.cut_until.max(next + held.lacks);
                out.push(self.piece(None, held.bytes));
            } else if next < self.cut_until {
                let until = first.unwrap_or(self.cut_until).min(self.cut_until);
                let lost = Lost {
                    bytes: Some((until - next) as u64),
                    cut: true,
                };
                out.push(self.piece(Some(lost), Vec::new()));
                next = until;
            } else {
                break;
            }
        }
        self.next = Some(next);
    }

    fn piece(&self, lost: Option<Lost>, bytes: Vec<u8>) -> Piece {
        Piece {
            from: self.from,
            arrival: self.delivered,
            lost,
            bytes,
        }
    }

    /// Waits no longer for what is missing before the first held bytes.
    pub(super) fn give_up(&mut self, out: &mut Vec<Piece>) {
        let Some((&first, held)) = self.held.first_key_value() else {
            return;
        };
        let bytes = self.next.map(|next| (first - next).max(0) as u64);
        self.delivered = self.delivered.max(held.arrival);
        if bytes != Some(0) {
            out.push(self.piece(Some(Lost { bytes, cut: false }), Vec::new()));
        }
        self.next = Some(first);
        self.advance(out);
    }

    /// Delivers what is held, and what is known to be missing at the end. `other_ended` says whether either side has
    /// ended its stream.
    pub(super) fn finish(&mut self, other_ended: bool, out: &mut Vec<Piece>) {
        while !self.held.is_empty() {
            self.give_up(out);
        }
        if let Some((end, arrival)) = self.end(other_ended)
            && let Some(missing) = self.missing_before(end)
        {
            self.delivered = self.delivered.max(arrival);
            let lost = Lost {
                bytes: Some(missing),
                cut: false,
            };
            out.push(self.piece(Some(lost), Vec::new()));
        }
    }

    fn missing_before(&self, end: i64) -> Option<u64> {
        let missing = end - self.next.unwrap_or(0);
        (missing > 0).then_some(missing as u64)
    }

    /// Where the stream ended: the FIN says so, or the other side's last acknowledgement.
    fn end(&self, other_ended: bool) -> Option<(i64, Arrival)> {
        if let Some(fin) = self.fin {
            return self.next.is_some().then_some(fin);
        }
        let (first, last) = self.acks?;
        let end = match self.base {
            Some(_) => self.offset(last),
            // Nothing of this direction is in the capture.
            None => i64::from(last.wrapping_sub(first) as i32),
        };
        // A FIN that is not in the capture was acknowledged too, and took one number.
        let end = end - i64::from(other_ended);
        let near = (end - self.highest).abs() <= WINDOW;
        let known = self.next.is_some() || self.base.is_none();
        (near && known).then_some((end, self.delivered))
    }
}
