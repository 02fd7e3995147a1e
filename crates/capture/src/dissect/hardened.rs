//! Our protocol, as a sniffer sees it: `docs/src/hardened-protocol.md`, "Messages" and "Records".

use std::ops::Range;

use super::{Cutter, Field, Part};
use crate::trace::{Side, Trace};

/// What the client's hello begins with.
pub const CLIENT_MAGIC: [u8; 8] = *b"latch/2\n";

/// What the client's hello begins with in a weakened session of the lab.
pub const WEAKENED_MAGIC: [u8; 8] = *b"latchLAB";

/// The ciphertext lengths that exist.
const BUCKETS: [usize; 5] = [64, 256, 1024, 4096, 16384];

const LENGTH_LEN: usize = 4;
const TAG_LEN: usize = 32;

/// One record, `u32 len ‖ ciphertext ‖ tag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The record as it was sent; also what [`AsRef`] gives.
    pub wire: Vec<u8>,
    /// Its ciphertext alone.
    pub ciphertext: Vec<u8>,
    /// Its tag alone.
    pub tag: [u8; TAG_LEN],
    /// Where it begins in its side's [`Trace::stream`].
    pub offset: usize,
}

impl AsRef<[u8]> for Record {
    fn as_ref(&self) -> &[u8] {
        &self.wire
    }
}

/// What an eavesdropper takes from a hardened session: two hellos in clear, and the sizes and times of what follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hardened {
    /// The 74 bytes of the client's hello.
    pub client_hello: Option<Vec<u8>>,
    /// The 66 bytes of the server's hello.
    pub server_hello: Option<Vec<u8>>,
    /// What the client sent after its hello. The first one is its login.
    pub client_records: Vec<Record>,
    /// What the server sent after its hello. The first one is its proof.
    pub server_records: Vec<Record>,
    /// Bytes that are none of these.
    pub other: Vec<Field>,
}

/// Views a trace as a hardened session, whatever it is.
pub fn hardened(trace: &Trace) -> Hardened {
    let mut view = Hardened::default();
    (view.client_hello, view.client_records) = side(trace, Side::Client, &mut view.other);
    (view.server_hello, view.server_records) = side(trace, Side::Server, &mut view.other);
    view
}

fn side(trace: &Trace, from: Side, other: &mut Vec<Field>) -> (Option<Vec<u8>>, Vec<Record>) {
    let stream = trace.stream(from);
    let (mut hello, mut records, mut begin) = (None, Vec::new(), 0);
    for field in layout_of(trace, from) {
        let Range { start, end } = field.range;
        match field.part {
            // The last field of each: what came before it is there.
            Part::EphemeralKey => hello = Some(stream[..end].to_vec()),
            Part::RecordLength(_) => begin = start,
            Part::Tag(_) => records.push(Record {
                wire: stream[begin..end].to_vec(),
                ciphertext: stream[begin + LENGTH_LEN..start].to_vec(),
                tag: stream[start..end]
                    .try_into()
                    .expect("the layout cuts tags of this length"),
                offset: begin,
            }),
            Part::Cut | Part::Unknown => other.push(field),
            _ => {}
        }
    }
    (hello, records)
}

/// Names every byte.
pub(super) fn layout(trace: &Trace) -> Vec<Field> {
    let mut fields = layout_of(trace, Side::Client);
    fields.extend(layout_of(trace, Side::Server));
    fields
}

fn layout_of(trace: &Trace, from: Side) -> Vec<Field> {
    let stream = trace.stream(from);
    let mut cutter = Cutter::new(trace, from, &stream);
    let _ = hello(&mut cutter).and_then(|()| records(&mut cutter));
    cutter.rest(Part::Unknown);
    cutter.fields
}

/// `None` when the stream ends within it, as everywhere here.
fn hello(cutter: &mut Cutter<'_>) -> Option<()> {
    if cutter.from == Side::Client {
        cutter.take(CLIENT_MAGIC.len(), Part::Magic)?;
    }
    cutter.take(1, Part::Version)?;
    cutter.take(1, Part::Suite)?;
    cutter.take(32, Part::Random)?;
    cutter.take(32, Part::EphemeralKey)?;
    Some(())
}

/// Records until the end, or until a length that does not exist: from there nothing is in step.
fn records(cutter: &mut Cutter<'_>) -> Option<()> {
    for number in 1.. {
        let Some(length) = cutter.peek(LENGTH_LEN) else {
            break;
        };
        let bucket = bucket_of(length.first_chunk()?)?;
        cutter.take(LENGTH_LEN, Part::RecordLength(number))?;
        cutter.take(bucket, Part::Ciphertext(number))?;
        cutter.take(TAG_LEN, Part::Tag(number))?;
    }
    Some(())
}

fn bucket_of(length: &[u8; LENGTH_LEN]) -> Option<usize> {
    let length = u32::from_be_bytes(*length) as usize;
    BUCKETS
        .into_iter()
        .find(|bucket| bucket + TAG_LEN == length)
}
