//! Our protocol, as a sniffer sees it: `docs/src/hardened-protocol.md`, "Messages" and "Records".

use std::time::Duration;

use super::{Dissector, Field, Identity, Part, Protocol, event::Named};
use crate::trace::{Chunk, Side, Trace};

/// The first bytes of the client's hello.
pub const CLIENT_MAGIC: [u8; 8] = *b"latch/2\n";

/// The first bytes of the client's hello in a weakened session of the lab.
pub const WEAKENED_MAGIC: [u8; 8] = *b"latchLAB";

/// The ciphertext lengths that exist.
const BUCKETS: [usize; 5] = [64, 256, 1024, 4096, 16384];

const LENGTH_LEN: usize = 4;
const TAG_LEN: usize = 32;

/// Length of the server's hello, in bytes.
pub(super) const SERVER_HELLO: usize = 66;

/// One record, `u32 len ‖ ciphertext ‖ tag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The record as it was sent; also what [`AsRef`] gives.
    pub wire: Vec<u8>,
    /// The offset in that side's [`Trace::stream`].
    pub offset: usize,
}

impl Record {
    /// Its ciphertext alone.
    pub fn ciphertext(&self) -> &[u8] {
        &self.wire[LENGTH_LEN..self.wire.len() - TAG_LEN]
    }

    /// Its tag alone.
    pub fn tag(&self) -> &[u8] {
        &self.wire[self.wire.len() - TAG_LEN..]
    }
}

impl AsRef<[u8]> for Record {
    fn as_ref(&self) -> &[u8] {
        &self.wire
    }
}

/// The view of an eavesdropper on a hardened session: two hellos in clear, and the sizes and times of the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hardened {
    /// The 74 bytes of the client's hello.
    pub client_hello: Option<Vec<u8>>,
    /// The 66 bytes of the server's hello.
    pub server_hello: Option<Vec<u8>>,
    /// The client's records after its hello. The first one is its login.
    pub client_records: Vec<Record>,
    /// The server's records after its hello. The first one is its proof.
    pub server_records: Vec<Record>,
    /// All other bytes.
    pub other: Vec<Field>,
}

/// Views any trace as a hardened session.
pub fn hardened(trace: &Trace) -> Hardened {
    let identity = Identity {
        protocol: Protocol::Hardened,
        ..super::identify(trace)
    };
    let mut view = Hardened::default();
    let mut open: [Vec<u8>; 2] = Default::default();
    super::dissected(trace, Dissector::of(identity), |named| {
        let piece = &mut open[named.from as usize];
        take(&mut view, piece, named);
    });
    view
}

/// Adds a field to its message or record; `piece` holds the captured part of that.
fn take(view: &mut Hardened, piece: &mut Vec<u8>, named: Named) {
    if matches!(named.part, Part::Cut | Part::Unknown) {
        super::add(&mut view.other, named.field());
        return;
    }
    piece.extend(&named.bytes);
    let (hello, records) = match named.from {
        Side::Client => (&mut view.client_hello, &mut view.client_records),
        Side::Server => (&mut view.server_hello, &mut view.server_records),
    };
    match named.part {
        Part::EphemeralKey => *hello = Some(std::mem::take(piece)),
        Part::Tag(_) => {
            let wire = std::mem::take(piece);
            let offset = named.range.end - wire.len();
            records.push(Record { wire, offset });
        }
        _ => {}
    }
}

/// Names what one side sends: its hello, then records.
#[derive(Debug)]
pub(super) struct Cutter {
    /// The next field and its length. `None` behind a gap, or a length that does not exist: nothing is in step.
    next: Option<(Part, usize)>,
    begun: Vec<u8>,
    at: Duration,
}

impl Cutter {
    pub(super) fn of(side: Side) -> Self {
        let first = match side {
            Side::Client => (Part::Magic, CLIENT_MAGIC.len()),
            Side::Server => (Part::Version, 1),
        };
        Self {
            next: Some(first),
            begun: Vec::new(),
            at: Duration::ZERO,
        }
    }

    /// Takes bytes; gives each field that is over.
    pub(super) fn push(&mut self, chunk: &Chunk, out: &mut impl FnMut(Part, Duration, Vec<u8>)) {
        let mut bytes = &chunk.bytes[..];
        while let Some((part, len)) = self.next
            && !bytes.is_empty()
        {
            if self.begun.is_empty() {
                self.at = chunk.at;
            }
            let (now, later) = bytes.split_at(bytes.len().min(len - self.begun.len()));
            self.begun.extend(now);
            bytes = later;
            if self.begun.len() == len {
                self.next = following(part, &self.begun);
                let field = std::mem::take(&mut self.begun);
                let part = self.next.map_or(Part::Unknown, |_| part);
                out(part, self.at, field);
            }
        }
        if !bytes.is_empty() {
            out(Part::Unknown, chunk.at, bytes.to_vec());
        }
    }

    /// Marks that no field can be recognised from here on. Gives what was begun.
    pub(super) fn lose_step(&mut self, out: &mut impl FnMut(Part, Duration, Vec<u8>)) {
        self.next = None;
        let begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            out(Part::Cut, self.at, begun);
        }
    }
}

/// The field after a field; `None` behind an impossible length of a record.
fn following(part: Part, bytes: &[u8]) -> Option<(Part, usize)> {
    Some(match part {
        Part::Magic => (Part::Version, 1),
        Part::Version => (Part::Suite, 1),
        Part::Suite => (Part::Random, 32),
        Part::Random => (Part::EphemeralKey, 32),
        Part::EphemeralKey => (Part::RecordLength(1), LENGTH_LEN),
        Part::RecordLength(n) => (Part::Ciphertext(n), bucket_of(bytes.first_chunk()?)?),
        Part::Ciphertext(n) => (Part::Tag(n), TAG_LEN),
        Part::Tag(n) => (Part::RecordLength(n + 1), LENGTH_LEN),
        _ => return None,
    })
}

/// The length of a ciphertext, from that of its record.
pub(super) fn bucket_of(length: &[u8; LENGTH_LEN]) -> Option<usize> {
    let length = u32::from_be_bytes(*length) as usize;
    BUCKETS
        .into_iter()
        .find(|bucket| bucket + TAG_LEN == length)
}
