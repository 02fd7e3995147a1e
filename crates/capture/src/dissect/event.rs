//! The findings of a [`Dissector`](super::Dissector) on a session, piece by piece.

use std::{ops::Range, time::Duration};

use super::{Field, Part};
use crate::trace::Side;

/// One thing in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run of bytes with a name.
    Named(Named),
    /// Bytes that the capture lacks, and that no [`Named::lacks`] counts.
    Lost {
        /// The sender.
        from: Side,
        /// Where they would be, in bytes from the first one that the capture could have of this side.
        offset: u64,
        /// How many; `None` is an amount that nobody can know.
        bytes: Option<u64>,
        /// Whether the recorder cut the segment before them.
        cut: bool,
    },
    /// A remark in the file on the next item.
    Comment(String),
}

/// A run of bytes with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The sender.
    pub from: Side,
    /// When its first byte could be read, since the first packet of the session.
    pub at: Duration,
    /// The meaning.
    pub part: Part,
    /// The place in that side's [`Trace::stream`](crate::Trace::stream).
    pub range: Range<usize>,
    /// The offset in the bytes of that side, with missing bytes counted.
    pub offset: u64,
    /// How many bytes of it the capture lacks.
    pub lacks: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Named {
    /// The same without the bytes.
    pub(super) fn field(&self) -> Field {
        Field {
            from: self.from,
            range: self.range.clone(),
            part: self.part,
        }
    }
}
