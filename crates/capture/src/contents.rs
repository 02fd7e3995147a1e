//! The contents of a capture: its sessions and its losses. Every program that reads a capture reads it here, so that
//! all of them agree.

use std::{collections::HashMap, io::Read, net::SocketAddr, path::Path};

use crate::{
    CaptureError,
    dissect::{Evidence, Identity, Protocol},
    losses::Losses,
    pcapfile::{self, Packets},
    reassembly::{Listener, Streams},
    trace::{AnnotatedSession, Item, Side},
};

/// The limit on the bytes of sessions that are open at the same time.
pub const MAX_HELD: u64 = 1 << 30;

/// The approximate memory for a chunk, a gap or a comment, besides its bytes.
const ENTRY: u64 = 64;

/// The sessions of a capture, and what it lacks.
#[derive(Debug, Default)]
pub struct Contents {
    /// Every TCP session, in the order of their first packets.
    pub sessions: Vec<AnnotatedSession>,
    /// The losses and the unknown packets, and the reason if the file could not be read to its end.
    pub losses: Losses,
    /// The comment on the whole file.
    pub about: Option<String>,
}

/// The bytes of the sessions that a caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All.
    All,
    /// Those of sessions that are, or could be, of one of the two protocols. Of others, the first few.
    Known,
    /// The client's bytes, and only the first few hundred of the server's, which show the protocol.
    OfClient,
}

/// The number of the server's bytes that are kept if a caller wants only the client's.
const OF_SERVER: usize = 512;

/// Reads every session of a capture file; `-` is standard input, and a gzip file is unpacked.
///
/// A file that is cut off or damaged gives the part before that place: see [`Losses::ended`].
///
/// # Errors
/// When the file cannot be read, or does not begin like a capture.
pub fn read(path: &Path) -> Result<Contents, CaptureError> {
    let mut contents = Contents::default();
    let mut sessions = Vec::new();
    let (losses, about) = each_session(path, Wanted::All, |number, session| {
        sessions.push((number, session));
        Ok::<(), CaptureError>(())
    })?;
    sessions.sort_by_key(|(number, _)| *number);
    contents.sessions = sessions.into_iter().map(|(_, session)| session).collect();
    (contents.losses, contents.about) = (losses, about);
    Ok(contents)
}

/// Hands each session of a capture file over when it is over, with its number from 0, and then forgets it. Only sessions
/// that are open at the same time are in memory.
///
/// # Errors
/// As [`read`]; also when more than [`MAX_HELD`] bytes would have to be held, and those of `take`.
pub fn each_session<E: From<CaptureError>>(
    path: &Path,
    wanted: Wanted,
    take: impl FnMut(usize, AnnotatedSession) -> Result<(), E>,
) -> Result<(Losses, Option<String>), E> {
    sessions_of(pcapfile::open(path)?, wanted, take)
}

/// Like [`each_session`], from packets.
///
/// # Errors
/// As [`each_session`].
pub fn sessions_of<R: Read, E: From<CaptureError>>(
    mut packets: Packets<R>,
    wanted: Wanted,
    mut take: impl FnMut(usize, AnnotatedSession) -> Result<(), E>,
) -> Result<(Losses, Option<String>), E> {
    let mut streams = Streams::new(Open::wanting(wanted));
    let mut ended = None;
    while let Some(packet) = packets.next() {
        match packet {
            Ok(packet) => streams.push(&packet),
            Err(error) => ended = Some(error),
        }
        let open = streams.listener();
        if open.held > MAX_HELD {
            return Err(packets.too_much(open.held, MAX_HELD).into());
        }
        for (number, session) in open.over.drain(..) {
            take(number, session)?;
        }
    }
    let (mut open, mut losses) = streams.finish();
    for (number, session) in open.over.drain(..) {
        take(number, session)?;
    }
    (losses.ended, losses.dropped) = (ended, packets.dropped());
    Ok((losses, packets.about().map(str::to_owned)))
}

/// Collects sessions until they are over.
#[derive(Debug)]
struct Open {
    wanted: Wanted,
    open: HashMap<usize, KeptSession>,
    over: Vec<(usize, AnnotatedSession)>,
    /// How many bytes of memory the open sessions take, about.
    held: u64,
}

#[derive(Debug)]
struct KeptSession {
    session: AnnotatedSession,
    evidence: Evidence,
    identity: Option<Identity>,
    of_server: usize,
    held: u64,
}

impl KeptSession {
    /// Whether the session certainly belongs to neither protocol.
    fn is_strange(&self) -> bool {
        let protocol = self.identity.map(|identity| identity.protocol);
        protocol == Some(Protocol::Unknown)
    }

    /// Only once the protocol is known is it certain who the server is.
    fn is_of_server(&self, side: Side) -> bool {
        let flipped = self.identity.map(|identity| identity.flipped);
        flipped.is_some_and(|flipped| (side == Side::Server) != flipped)
    }
}

impl Open {
    fn wanting(wanted: Wanted) -> Self {
        Self {
            wanted,
            open: HashMap::new(),
            over: Vec::new(),
            held: 0,
        }
    }
}

impl Listener for Open {
    fn began(&mut self, session: usize, client: SocketAddr, server: SocketAddr) {
        let kept = KeptSession {
            session: AnnotatedSession::new(client, server),
            evidence: Evidence::default(),
            identity: None,
            of_server: 0,
            held: 0,
        };
        self.open.insert(session, kept);
    }

    fn happened(&mut self, session: usize, item: Item) {
        let Some(kept) = self.open.get_mut(&session) else {
            return;
        };
        if kept.identity.is_none() {
            kept.evidence.push(&item);
            kept.identity = kept.evidence.decide(false);
        } else if self.wanted != Wanted::All && kept.is_strange() {
            return;
        }
        let cost = match &item {
            Item::Chunk(chunk) => {
                if self.wanted == Wanted::OfClient && kept.is_of_server(chunk.from) {
                    if kept.of_server >= OF_SERVER {
                        return;
                    }
                    kept.of_server += chunk.bytes.len();
                }
                ENTRY + chunk.bytes.len() as u64
            }
            Item::Comment(text) => ENTRY + text.len() as u64,
            Item::Lost { .. } => ENTRY,
        };
        kept.held += cost;
        self.held += cost;
        kept.session.push(item);
    }

    fn ended(&mut self, session: usize, closed: bool) {
        if let Some(mut kept) = self.open.remove(&session) {
            kept.session.trace.closed = closed;
            if kept.identity.is_some_and(|identity| identity.flipped) {
                kept.session.trace.flip();
            }
            self.held -= kept.held;
            self.over.push((session, kept.session));
        }
    }
}
