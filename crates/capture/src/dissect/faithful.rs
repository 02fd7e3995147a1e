//! The report's protocol, as a sniffer sees it: `docs/src/faithful-protocol.md`, "Wire".

use std::time::Duration;

use super::{Dissector, Field, Identity, Part, event::Named, identity::LOGIN};
use crate::trace::{Chunk, Trace};

/// The server's greeting after a login.
pub(super) const GREETING: &[u8] = b"Authentication Successful!";

const KEY_LEN: usize = 32;
const IV_LEN: usize = 8;

/// Where the key and the IV are in what the server says, and where that ends.
pub(super) const KEY_AT: usize = GREETING.len();
pub(super) const IV_AT: usize = KEY_AT + KEY_LEN;
pub(super) const REPLIES: usize = IV_AT + IV_LEN;

/// The longest login, in bytes.
const LONGEST_LOGIN: u64 = *LOGIN.end();

/// The view of an eavesdropper on a faithful session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faithful {
    /// The login: textbook RSA of the username. Empty when the capture lacks it.
    pub login: Vec<u8>,
    /// Whether the server's greeting was seen.
    pub greeted: bool,
    /// The session key, which the server sends in clear, if it is in the capture as a whole.
    pub key: Option<[u8; KEY_LEN]>,
    /// The IV, which the server sends in clear, if it is in the capture as a whole.
    pub iv: Option<[u8; IV_LEN]>,
    /// The ciphertexts of the messages. Nothing frames them, so that one segment is one of them is a guess. Of one that
    /// the recorder cut, this is the beginning: see [`Place::lacks`].
    pub messages: Vec<Vec<u8>>,
    /// Where each of the messages was.
    pub places: Vec<Place>,
    /// All other bytes.
    pub other: Vec<Field>,
}

/// Where a message was in what the client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Offset of the first byte of the message, counted from the client's first captured byte, with missing bytes
    /// counted.
    pub offset: u64,
    /// How many bytes at its end are missing, because the recorder cut the packet.
    pub lacks: u64,
    /// Whether the message follows the previous one without a gap. Then the cut between the two could be elsewhere.
    pub joined: bool,
}

impl Faithful {
    /// The runs of messages between which nothing is missing, as ranges of [`Self::messages`]. Within a run, only the
    /// bytes are certain; the cuts are hypotheses.
    pub fn runs(&self) -> Vec<std::ops::Range<usize>> {
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if place.joined => run.end = index + 1,
                _ => runs.push(index..index + 1),
            }
        }
        runs
    }
}

/// Views any trace as a faithful session.
pub fn faithful(trace: &Trace) -> Faithful {
    let identity = super::identify(trace);
    let identity = match identity.protocol {
        super::Protocol::Faithful => identity,
        _ => Identity {
            protocol: super::Protocol::Faithful,
            ..identity
        },
    };
    let mut view = Faithful::default();
    let mut end = None;
    super::dissected(trace, Dissector::of(identity), |named| {
        take(&mut view, named, &mut end);
    });
    view
}

fn take(view: &mut Faithful, named: Named, end: &mut Option<u64>) {
    let whole = named.lacks == 0;
    match named.part {
        Part::Login => view.login.extend(&named.bytes),
        Part::Greeting => view.greeted |= whole,
        Part::SessionKey if whole => view.key = named.bytes.try_into().ok(),
        Part::Iv if whole => view.iv = named.bytes.try_into().ok(),
        Part::Message(_) => {
            view.places.push(Place {
                offset: named.offset,
                lacks: named.lacks,
                joined: *end == Some(named.offset),
            });
            *end = whole.then_some(named.offset + named.bytes.len() as u64);
            view.messages.push(named.bytes);
        }
        _ => super::add(&mut view.other, named.field()),
    }
}

/// Names what the client sends: a login, then messages.
#[derive(Debug)]
pub(super) struct Client {
    identity: Identity,
    login: u64,
    login_over: bool,
    server_spoke: bool,
    begun: bool,
    messages: usize,
}

impl Client {
    pub(super) fn of(identity: Identity) -> Self {
        Self {
            identity,
            login: 0,
            login_over: false,
            server_spoke: false,
            begun: false,
            messages: 0,
        }
    }

    /// Ends the message that the server has begun to answer.
    pub(super) fn server_spoke(&mut self) {
        self.server_spoke = true;
    }

    /// The meaning of a segment.
    pub(super) fn part(&mut self, len: usize) -> Part {
        if self.continues_login(len as u64) {
            self.login += len as u64;
            self.begun = true;
            return Part::Login;
        }
        self.login_over = true;
        self.messages += 1;
        Part::Message(self.messages)
    }

    fn continues_login(&self, len: u64) -> bool {
        if self.login_over || self.login + len > LONGEST_LOGIN {
            return false;
        }
        match self.login {
            // The first bytes of a stream are its login; where its beginning is missing, their number tells.
            0 if !self.begun => true,
            0 => LOGIN.contains(&len) && !self.server_spoke,
            // It may come in several segments, and is over when the server answers.
            _ if self.server_spoke => false,
            login => self.identity.server_heard || !LOGIN.contains(&login),
        }
    }

    /// Bytes that the capture lacks.
    pub(super) fn lost(&mut self, bytes: Option<u64>) {
        match bytes {
            Some(bytes) if !self.login_over => {
                self.login += bytes;
                let could_be_over = self.server_spoke && LOGIN.contains(&self.login);
                self.login_over = could_be_over || self.login >= LONGEST_LOGIN;
            }
            _ => {}
        }
        self.begun = true;
    }
}

/// Names what the server sends: three writes of 26, 32 and 8 bytes, that arrive cut in any way.
#[derive(Debug)]
pub(super) struct Server {
    /// Where in the replies the next byte belongs; `None` when these are no replies.
    at: Option<usize>,
    reply: Vec<u8>,
    lacks: u64,
    began: Duration,
}

impl Server {
    pub(super) fn of(identity: Identity) -> Self {
        Self {
            at: identity.replies_at,
            reply: Vec::new(),
            lacks: 0,
            began: Duration::ZERO,
        }
    }

    /// The reply that holds a byte, and its end.
    fn reply_at(at: usize) -> Option<(Part, usize)> {
        match at {
            _ if at < KEY_AT => Some((Part::Greeting, KEY_AT)),
            _ if at < IV_AT => Some((Part::SessionKey, IV_AT)),
            _ if at < REPLIES => Some((Part::Iv, REPLIES)),
            _ => None,
        }
    }

    /// Takes bytes; gives each reply that is over, and what is no reply.
    pub(super) fn push(
        &mut self,
        chunk: &Chunk,
        out: &mut impl FnMut(Part, Duration, Vec<u8>, u64),
    ) {
        let mut bytes = &chunk.bytes[..];
        while let Some(at) = self.at
            && let Some((part, end)) = Self::reply_at(at)
            && !bytes.is_empty()
        {
            if self.reply.is_empty() {
                self.began = chunk.at;
            }
            let (now, later) = bytes.split_at(bytes.len().min(end - at));
            self.reply.extend(now);
            self.at = Some(at + now.len());
            bytes = later;
            if self.at == Some(end) {
                self.give(part, out);
            }
        }
        if !bytes.is_empty() {
            out(Part::Unknown, chunk.at, bytes.to_vec(), 0);
        }
    }

    fn give(&mut self, part: Part, out: &mut impl FnMut(Part, Duration, Vec<u8>, u64)) {
        let (bytes, lacks) = (
            std::mem::take(&mut self.reply),
            std::mem::take(&mut self.lacks),
        );
        if !bytes.is_empty() {
            out(part, self.began, bytes, lacks);
        }
    }

    /// Bytes that the capture lacks, behind the first ones that it has.
    pub(super) fn lost(&mut self, bytes: u64, out: &mut impl FnMut(Part, Duration, Vec<u8>, u64)) {
        let mut left = bytes;
        while let Some(at) = self.at
            && let Some((part, end)) = Self::reply_at(at)
            && left > 0
        {
            let now = left.min((end - at) as u64);
            self.lacks += now;
            left -= now;
            self.at = Some(at + now as usize);
            if self.at == Some(end) {
                self.give(part, out);
            }
        }
    }

    /// Gives the reply that the capture has only the beginning of.
    pub(super) fn finish(&mut self, out: &mut impl FnMut(Part, Duration, Vec<u8>, u64)) {
        if let Some(at) = self.at
            && let Some((part, end)) = Self::reply_at(at)
        {
            self.lacks += (end - at) as u64;
            self.give(part, out);
        }
    }
}
