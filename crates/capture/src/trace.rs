//! The view of a passive eavesdropper on one TCP connection: both addresses, times, and the bytes as they were cut.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end that connected.
    Client,
    /// The end that listened.
    Server,
}

impl Side {
    /// The other end.
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// The new bytes of one TCP segment. Segment boundaries are kept: the faithful protocol frames nothing, so a message
/// is what one write put into one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The sender.
    pub from: Side,
    /// When its receiver could read it, since the first packet of the trace.
    pub at: Duration,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// Bytes that were sent but that the capture does not hold. Missing bytes are reported and never made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The sender.
    pub from: Side,
    /// Index in [`Trace::chunks`] of the chunk before which they are missing; the number of chunks at the very end.
    pub before: usize,
    /// How many bytes are missing; `None` when the capture began in mid-stream, and nobody can know.
    pub bytes: Option<u64>,
    /// Whether they belong to the segment before them, of which the recorder kept only the beginning. Otherwise the
    /// capture lacks whole segments.
    pub cut: bool,
}

/// One TCP connection, reassembled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Address of the end that connected.
    pub client: SocketAddr,
    /// Address of the end that listened.
    pub server: SocketAddr,
    /// The bytes of both directions in one sequence, in the order in which they could be read.
    pub chunks: Vec<Chunk>,
    /// Whether a FIN both ways or an RST was seen.
    pub closed: bool,
    /// The missing bytes. Empty for a whole capture.
    pub gaps: Vec<Gap>,
}

impl Trace {
    /// A trace with nothing in it yet.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            client,
            server,
            chunks: Vec::new(),
            closed: false,
            gaps: Vec::new(),
        }
    }

    /// The chunks that one side sent.
    pub fn chunks_from(&self, side: Side) -> impl Iterator<Item = &Chunk> {
        self.chunks.iter().filter(move |chunk| chunk.from == side)
    }

    /// The chunks that one side sent, in stretches: a [`Gap`] of that side ends one and begins the next. None is empty.
    pub fn stretches(&self, side: Side) -> Vec<Vec<&Chunk>> {
        let mut stretches = vec![Vec::new()];
        let mut looked_at = 0;
        for (at, chunk) in (1..).zip(&self.chunks) {
            if chunk.from != side {
                continue;
            }
            let mut gaps = self.gaps.iter().filter(|gap| gap.from == side);
            if gaps.any(|gap| (looked_at..at).contains(&gap.before)) {
                stretches.push(Vec::new());
            }
            looked_at = at;
            if let Some(stretch) = stretches.last_mut() {
                stretch.push(chunk);
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }

    /// All that one side sent, joined. Bytes of a [`Gap`] are simply absent: see [`Trace::whole_prefix`].
    pub fn stream(&self, side: Side) -> Vec<u8> {
        self.chunks_from(side)
            .flat_map(|chunk| &chunk.bytes)
            .copied()
            .collect()
    }

    /// How many bytes of [`Trace::stream`] come before anything is missing.
    pub fn whole_prefix(&self, side: Side) -> usize {
        let gap = self
            .gaps
            .iter()
            .filter(|gap| gap.from == side)
            .map(|gap| gap.before)
            .min();
        let whole = &self.chunks[..gap.unwrap_or(usize::MAX).min(self.chunks.len())];
        whole
            .iter()
            .filter(|chunk| chunk.from == side)
            .map(|chunk| chunk.bytes.len())
            .sum()
    }
}

/// One thing that happened in a session, in the order in which it could be noticed. A [`Trace`] is a list of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Bytes of one segment.
    Chunk(Chunk),
    /// Bytes that the capture lacks.
    Lost {
        /// The sender.
        from: Side,
        /// As [`Gap::bytes`].
        bytes: Option<u64>,
        /// As [`Gap::cut`].
        cut: bool,
    },
    /// A remark on the next item.
    Comment(String),
}

impl Item {
    /// The same with the roles of the two ends exchanged.
    pub(crate) fn flipped(mut self) -> Self {
        match &mut self {
            Self::Chunk(chunk) => chunk.from = chunk.from.peer(),
            Self::Lost { from, .. } => *from = from.peer(),
            Self::Comment(_) => {}
        }
        self
    }
}

impl Trace {
    /// The same with the roles of the two ends exchanged.
    pub fn flip(&mut self) {
        std::mem::swap(&mut self.client, &mut self.server);
        self.chunks
            .iter_mut()
            .for_each(|chunk| chunk.from = chunk.from.peer());
        self.gaps
            .iter_mut()
            .for_each(|gap| gap.from = gap.from.peer());
    }

    /// Adds what happened next. Comments are not part of a trace.
    pub fn push(&mut self, item: Item) {
        match item {
            Item::Chunk(chunk) => self.chunks.push(chunk),
            Item::Lost { from, bytes, cut } => self.gaps.push(Gap {
                from,
                before: self.chunks.len(),
                bytes,
                cut,
            }),
            Item::Comment(_) => {}
        }
    }

    /// The events, in order. The chunks are copied one by one.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let mut gaps = self.gaps.clone();
        gaps.sort_by_key(|gap| gap.before);
        let mut gaps = gaps.into_iter().peekable();
        let lost = |gap: Gap| Item::Lost {
            from: gap.from,
            bytes: gap.bytes,
            cut: gap.cut,
        };
        let chunks = self.chunks.iter().map(Some).chain([None]);
        chunks.enumerate().flat_map(move |(index, chunk)| {
            let mut items = Vec::new();
            while let Some(gap) = gaps.next_if(|gap| gap.before <= index) {
                items.push(lost(gap));
            }
            items.extend(chunk.cloned().map(Item::Chunk));
            items
        })
    }
}

/// A session with remarks on its chunks, as a capture file with comments holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotatedSession {
    /// The session.
    pub trace: Trace,
    /// Remarks, in the order of the session. Each remark has the index in [`Trace::chunks`] of its chunk; the number of
    /// chunks stands for the end of the session.
    pub comments: Vec<(usize, String)>,
}

impl AnnotatedSession {
    /// A session in which nothing has happened yet.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            trace: Trace::new(client, server),
            comments: Vec::new(),
        }
    }

    /// Adds what happened next.
    pub fn push(&mut self, item: Item) {
        match item {
            Item::Comment(text) => self.comments.push((self.trace.chunks.len(), text)),
            other => self.trace.push(other),
        }
    }
}

impl Default for Trace {
    /// Between two unspecified addresses.
    fn default() -> Self {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self::new(nobody, nobody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(from: Side, bytes: &[u8]) -> Chunk {
        Chunk {
            from,
            at: Duration::ZERO,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn streams_are_told_apart_and_end_where_something_is_missing() {
        let mut trace = Trace {
            chunks: vec![
                chunk(Side::Client, b"log"),
                chunk(Side::Server, b"ok"),
                chunk(Side::Client, b"in"),
                chunk(Side::Client, b"!"),
            ],
            ..Trace::default()
        };
        assert_eq!(trace.stream(Side::Client), b"login!");
        assert_eq!(trace.stream(Side::Server), b"ok");
        assert_eq!(trace.whole_prefix(Side::Client), 6);
        trace.gaps.push(Gap {
            from: Side::Client,
            before: 3,
            bytes: Some(9),
            cut: false,
        });
        assert_eq!(trace.whole_prefix(Side::Client), 5);
        assert_eq!(trace.whole_prefix(Side::Server), 2);
    }
}
