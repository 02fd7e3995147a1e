//! TCP reassembly: from segments as they were captured to the bytes that each side sent (RFC 9293).
//!
//! Networks repeat, reorder, cut and merge segments, and captures lose some. The rules here:
//!
//! - **First arrival wins.** Where segments overlap, the bytes that were captured first stand. Receivers differ in this
//!   (that is how intrusion detection is evaded: Ptacek and Newsham, 1998); Linux keeps what it has, and so do we.
//! - **Boundaries are kept.** The new bytes of one segment are one [`Chunk`](crate::Chunk), or several where others came
//!   before parts of it.
//! - **Delivery order.** A chunk counts when its receiver could read it: once all that was sent before it has arrived.
//!   The two directions are merged by that moment.
//! - **Gaps are reported**, never filled. Bytes behind a gap wait for it, up to [`MAX_WAITING`] bytes.
//! - **Bounded.** Readable bytes are handed on at once and forgotten. Only bytes that wait for a gap are held, and no
//!   number on the wire is a size to allocate.

mod direction;
mod session;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};

pub(crate) use self::session::Strays;
use self::{direction::Arrival, session::Session};
use crate::{
    decode::{Decoder, Segment},
    dissect::identify,
    losses::Losses,
    pcapfile::Packet,
    trace::{AnnotatedSession, Item, Trace},
};

/// The limit on the bytes of a session that wait for a gap to be filled; above it the gap is given up. Receive windows
/// are smaller.
pub const MAX_WAITING: usize = 16 << 20;

/// The number of packets for which a finished session is kept, in case some of its segments come late.
const LINGER: u64 = 4096;

/// Takes what happens in the sessions of a capture, while it is read. Sessions are numbered from 0 in the order of
/// their first packets.
pub trait Listener {
    /// A session has begun.
    fn began(&mut self, session: usize, client: SocketAddr, server: SocketAddr);
    /// Something happened in it.
    fn happened(&mut self, session: usize, item: Item);
    /// Nothing more will happen in it. `closed` says whether a FIN both ways or an RST was seen.
    fn ended(&mut self, session: usize, closed: bool);
}

/// Sorts segments into sessions, and reports each event to a [`Listener`] as soon as it is certain.
#[derive(Debug)]
pub struct Streams<L> {
    listener: L,
    decoder: Decoder,
    losses: Losses,
    open: HashMap<usize, Session>,
    /// The current session between two addresses, the smaller one first.
    current: HashMap<(SocketAddr, SocketAddr), usize>,
    /// Sessions that are over, and the packet after which they are forgotten.
    lingering: VecDeque<(u64, usize)>,
    sessions: usize,
    /// How many packets came so far: the clock that orders both directions.
    packets: u64,
}

impl<L: Listener> Streams<L> {
    /// Tells this listener.
    pub fn new(listener: L) -> Self {
        Self {
            listener,
            decoder: Decoder::default(),
            losses: Losses::default(),
            open: HashMap::new(),
            current: HashMap::new(),
            lingering: VecDeque::new(),
            sessions: 0,
            packets: 0,
        }
    }

    /// Takes one captured packet. A packet without TCP is counted and skipped.
    pub fn push(&mut self, packet: &Packet) {
        // The decoder may lend a segment of its own, so it cannot stay in `self` meanwhile.
        let mut decoder = std::mem::take(&mut self.decoder);
        self.losses.packets += 1;
        match decoder.segment(packet) {
            Ok(segment) => {
                let comments = packet.comments.iter().cloned();
                let comments: Vec<String> = comments.collect();
                self.file(&segment, comments);
            }
            Err(why) => self.losses.skip(why),
        }
        self.decoder = decoder;
    }

    /// Takes one segment.
    pub fn push_segment(&mut self, segment: &Segment<'_>) {
        self.losses.packets += 1;
        self.file(segment, Vec::new());
    }

    /// How many bytes wait for a gap before them to be filled. All others were handed on and are forgotten.
    pub fn waiting(&self) -> usize {
        self.open.values().map(Session::waiting).sum()
    }

    /// How many sessions are remembered.
    pub fn remembered(&self) -> usize {
        self.open.len()
    }

    /// The listener, while packets still come.
    pub fn listener(&mut self) -> &mut L {
        &mut self.listener
    }

    /// Ends all sessions. Returns the listener, and what was lost or not understood.
    pub fn finish(mut self) -> (L, Losses) {
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_unstable_by_key(|(number, _)| *number);
        for (number, session) in open {
            end(&mut self.listener, &mut self.losses, number, session);
        }
        self.losses.fragments_left_over(self.decoder.incomplete());
        (self.listener, self.losses)
    }

    /// Gives a segment to its session.
    fn file(&mut self, segment: &Segment<'_>, comments: Vec<String>) {
        self.packets += 1;
        self.forget();
        let key = (segment.from.min(segment.to), segment.from.max(segment.to));
        let of_it = |number: &usize| {
            let session = self.open.get(number);
            session.is_some_and(|session| !session.is_followed_by(segment))
        };
        let number = match self.current.get(&key).filter(|number| of_it(number)) {
            Some(&number) => number,
            // Neither the last words of a session from before the capture nor a stray RST make a session.
            None if !segment.syn && segment.payload.is_empty() && segment.lacks == 0 => return,
            None => self.begin(key, segment),
        };
        let Some(session) = self.open.get_mut(&number) else {
            return;
        };
        let was_closed = session.closed();
        let tell = &mut |item| self.listener.happened(number, item);
        session.push(segment, comments, self.packets, tell);
        if session.closed() && !was_closed {
            self.lingering.push_back((self.packets + LINGER, number));
        }
    }

    fn begin(&mut self, key: (SocketAddr, SocketAddr), first: &Segment<'_>) -> usize {
        if let Some(number) = self.current.remove(&key)
            && let Some(before) = self.open.remove(&number)
        {
            end(&mut self.listener, &mut self.losses, number, before);
        }
        let number = self.sessions;
        self.sessions += 1;
        let session = Session::begin(first);
        self.listener.began(number, session.client, session.server);
        self.open.insert(number, session);
        self.current.insert(key, number);
        number
    }

    /// Ends the sessions that have been over for long enough.
    fn forget(&mut self) {
        while let Some(&(until, number)) = self.lingering.front()
            && until < self.packets
        {
            self.lingering.pop_front();
            let Some(session) = self.open.remove(&number) else {
                continue;
            };
            let (one, other) = (session.client, session.server);
            let key = (one.min(other), one.max(other));
            if self.current.get(&key) == Some(&number) {
                self.current.remove(&key);
            }
            end(&mut self.listener, &mut self.losses, number, session);
        }
    }
}

fn end(listener: &mut impl Listener, losses: &mut Losses, number: usize, session: Session) {
    let closed = session.closed();
    let strays = session.finish(&mut |item| listener.happened(number, item));
    losses.stray(strays);
    listener.ended(number, closed);
}

/// Collects packets into sessions, all of which stay in memory.
#[derive(Debug)]
pub struct Reassembler(Streams<Collector>);

impl Default for Reassembler {
    fn default() -> Self {
        Self(Streams::new(Collector::default()))
    }
}

impl Reassembler {
    /// Takes one captured packet; a packet without TCP is skipped.
    pub fn push(&mut self, packet: &Packet) {
        self.0.push(packet);
    }

    /// Takes one segment.
    pub fn push_segment(&mut self, segment: &Segment<'_>) {
        self.0.push_segment(segment);
    }

    /// The sessions, in the order of their first packets.
    pub fn finish(self) -> Vec<Trace> {
        let sessions = self.finish_annotated().into_iter();
        sessions.map(|session| session.trace).collect()
    }

    /// The sessions with the comments on their packets.
    pub fn finish_annotated(self) -> Vec<AnnotatedSession> {
        self.0.finish().0.sessions
    }
}

/// Keeps everything.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) sessions: Vec<AnnotatedSession>,
}

impl Listener for Collector {
    fn began(&mut self, _: usize, client: SocketAddr, server: SocketAddr) {
        self.sessions.push(AnnotatedSession::new(client, server));
    }

    fn happened(&mut self, session: usize, item: Item) {
        self.sessions[session].push(item);
    }

    fn ended(&mut self, session: usize, closed: bool) {
        let trace = &mut self.sessions[session].trace;
        trace.closed = closed;
        if identify(trace).flipped {
            trace.flip();
        }
    }
}

#[cfg(test)]
mod tests;
