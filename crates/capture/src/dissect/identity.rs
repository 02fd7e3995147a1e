//! The protocol of a session, and the certainty of this answer.
//!
//! The *server's* visible bytes decide. Sizes alone prove nothing: every protocol has a first segment of 128 bytes now
//! and then. They make the faithful protocol possible where the capture lacks what would decide.

use std::fmt;

use super::{
    Protocol,
    faithful::{GREETING, IV_AT, KEY_AT, REPLIES},
    hardened::{CLIENT_MAGIC, SERVER_HELLO, WEAKENED_MAGIC, bucket_of},
};
use crate::trace::{Item, Side, Trace};

/// Lengths of a faithful login: a number below a modulus of 1024 bits. A login is shorter than 120 bytes about once in
/// 2^64 logins.
pub(super) const LOGIN: std::ops::RangeInclusive<u64> = 120..=128;

/// The longest faithful message, in bytes.
const MESSAGE: usize = 1024;

/// The limit on the part of a session that is examined, in items and in bytes.
const LOOK_ITEMS: usize = 256;
const LOOK_BYTES: u64 = 1 << 16;

/// The limit on the segments of a login.
const LOGIN_SEGMENTS: usize = 3;

/// The number of bytes that identify the greeting.
const ENOUGH: usize = 8;

/// The protocol of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The protocol that it is, or that it could be.
    pub protocol: Protocol,
    /// Why it is not certain; `None` when it is.
    pub doubt: Option<&'static str>,
    /// At which byte of the three faithful replies the server's visible bytes begin.
    pub(super) replies_at: Option<usize>,
    /// Whether anything of the server is visible.
    pub(super) server_heard: bool,
    /// Whether who seems to be the client is the server. Without a TCP handshake that is a guess by port numbers.
    pub(crate) flipped: bool,
}

impl Identity {
    /// Whether what is visible proves it.
    pub fn is_certain(&self) -> bool {
        self.doubt.is_none() && self.protocol != Protocol::Unknown
    }

    /// Whether who seems to be the client is the server, as the bytes show. A session from a file is corrected.
    pub fn flipped(&self) -> bool {
        self.flipped
    }

    const UNKNOWN: Self = Self {
        protocol: Protocol::Unknown,
        doubt: None,
        replies_at: None,
        server_heard: false,
        flipped: false,
    };

    fn faithful(doubt: Option<&'static str>, replies_at: Option<usize>) -> Self {
        Self {
            protocol: Protocol::Faithful,
            doubt,
            replies_at,
            server_heard: true,
            flipped: false,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.doubt {
            None => self.protocol.fmt(f),
            Some(why) => write!(f, "could be the {}: {why}", self.protocol),
        }
    }
}

/// Tells which protocol a session speaks.
pub fn identify(trace: &Trace) -> Identity {
    let mut evidence = Evidence::default();
    for item in trace.items().take(LOOK_ITEMS) {
        evidence.push(&item);
        if let Some(identity) = evidence.decide(false) {
            return identity;
        }
    }
    evidence.conclude()
}

/// The evidence from a session so far.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    client: Seen,
    server: Seen,
    items: usize,
}

/// How a stream begins in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// With its first byte.
    Whole,
    /// Somewhere.
    Unknown,
    /// This number of bytes late.
    Late(u64),
}

/// The evidence from one side.
#[derive(Debug, Default)]
struct Seen {
    begin: Option<Begin>,
    /// Its first bytes, up to where something is missing.
    head: Vec<u8>,
    head_ended: bool,
    /// How many bytes it sent from `begin` on, missing ones among them.
    span: u64,
    visible: u64,
    /// Whether its first segments made up a login when another came.
    login: bool,
    segments: usize,
    /// Whether all of its segments could be messages.
    small: bool,
    /// Whether all visible bytes are zero.
    blank: bool,
}

impl Seen {
    fn chunk(&mut self, bytes: &[u8]) {
        self.login = self.login();
        self.segments += 1;
        if self.begin.is_none() {
            self.begin = Some(Begin::Whole);
        }
        if self.visible == 0 {
            (self.small, self.blank) = (true, true);
        }
        const HEAD: usize = 128;
        if !self.head_ended {
            let room = HEAD - self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.head_ended = self.head.len() == HEAD;
        }
        self.visible += bytes.len() as u64;
        self.small &= bytes.len() <= MESSAGE;
        self.blank &= bytes.iter().all(|byte| *byte == 0);
        self.grow(bytes.len() as u64);
    }

    fn lost(&mut self, bytes: Option<u64>) {
        match (self.begin, bytes) {
            (None, None) => self.begin = Some(Begin::Unknown),
            (None, Some(bytes)) => self.begin = Some(Begin::Late(bytes)),
            (Some(_), bytes) => {
                self.head_ended = true;
                self.grow(bytes.unwrap_or(0));
            }
        }
    }

    fn grow(&mut self, bytes: u64) {
        self.span += bytes;
    }

    /// Whether its first segments make up a login.
    fn login(&self) -> bool {
        self.login || self.segments <= LOGIN_SEGMENTS && LOGIN.contains(&self.span)
    }

    /// How many bytes it sent in all, as far as is known.
    fn sent(&self) -> u64 {
        match self.begin {
            Some(Begin::Late(bytes)) => bytes + self.span,
            _ => self.span,
        }
    }

    fn silent(&self) -> bool {
        self.visible == 0
    }
}

impl Evidence {
    pub(crate) fn push(&mut self, item: &Item) {
        self.items += 1;
        match item {
            Item::Chunk(chunk) => self.side(chunk.from).chunk(&chunk.bytes),
            Item::Lost { from, bytes, .. } => self.side(*from).lost(*bytes),
            Item::Comment(_) => {}
        }
    }

    fn side(&mut self, side: Side) -> &mut Seen {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// The protocol, once nothing that may come can change it.
    pub(crate) fn decide(&self, ended: bool) -> Option<Identity> {
        let seen = self.client.visible + self.server.visible;
        if ended || self.items >= LOOK_ITEMS || seen >= LOOK_BYTES {
            return Some(self.conclude());
        }
        self.proof()
    }

    /// The protocol, if what is visible proves it.
    fn proof(&self) -> Option<Identity> {
        let (client, server) = (&self.client, &self.server);
        let proof = |client, server| {
            let protocol = magic(client).map(|protocol| hardened(protocol, None));
            protocol.or_else(|| greeting(server).filter(Identity::is_certain))
        };
        let handshake = client.begin == Some(Begin::Whole) || server.begin == Some(Begin::Whole);
        let flipped = || {
            let identity = proof(server, client).filter(|_| !handshake)?;
            Some(Identity {
                flipped: true,
                ..identity
            })
        };
        proof(client, server).or_else(flipped)
    }

    /// The conclusion from all evidence.
    fn conclude(&self) -> Identity {
        if let Some(identity) = self.proof() {
            return identity;
        }
        if let Some(identity) = self.sizes_alone() {
            return identity;
        }
        if self.server.silent() {
            return self.without_the_server();
        }
        greeting(&self.server)
            .or_else(|| self.without_the_greeting())
            .or_else(|| self.only_a_hardened_server())
            .unwrap_or(Identity::UNKNOWN)
    }

    /// The server was heard, and its greeting was not: only sizes are left.
    fn without_the_greeting(&self) -> Option<Identity> {
        let server = &self.server;
        let possible = |doubt, at| Some(Identity::faithful(Some(doubt), at));
        let at = match server.begin? {
            Begin::Whole => 0,
            Begin::Late(bytes) => usize::try_from(bytes).ok()?,
            Begin::Unknown => match server.span {
                40 => KEY_AT,
                8 => IV_AT,
                _ => return None,
            },
        };
        let replies = at as u64 + server.span == REPLIES as u64;
        if at == 0 {
            let blanked = server.blank && replies && self.client.login();
            return blanked
                .then(|| possible("what the server said is blanked", None))
                .flatten();
        }
        let strange = is_text(&self.client.head) || is_tls(&self.client.head);
        if !replies || at < GREETING.len() || !self.client.small || strange {
            return None;
        }
        possible("the capture lacks the server's greeting", Some(at))
    }

    /// The recorder cut the packets so short that hardly more than their sizes is left.
    fn sizes_alone(&self) -> Option<Identity> {
        let (client, server) = (&self.client, &self.server);
        let begin = match server.begin? {
            Begin::Whole => 0,
            Begin::Late(bytes) => usize::try_from(bytes).ok()?,
            Begin::Unknown => return None,
        };
        let login = match client.begin? {
            Begin::Late(bytes) => LOGIN.contains(&bytes),
            Begin::Whole => client.login(),
            Begin::Unknown => false,
        };
        let cut = server.visible < server.span || server.silent();
        let greeted = begin > 0 || GREETING.starts_with(&server.head);
        let fits = server.sent() == REPLIES as u64 && server.head.len() < ENOUGH;
        let doubt = "the sizes fit, and the recorder cut off the server's greeting";
        (cut && greeted && fits && login && begin <= GREETING.len())
            .then(|| Identity::faithful(Some(doubt), Some(begin)))
    }

    /// The server was not heard at all.
    fn without_the_server(&self) -> Identity {
        let client = &self.client;
        if is_text(&client.head) || is_tls(&client.head) {
            return Identity::UNKNOWN;
        }
        let doubt = match (client.begin, self.server.begin) {
            // The login is all that the client sent.
            (Some(Begin::Whole), None) if client.login() && LOGIN.contains(&client.span) => {
                "the client sent what could be a login, and the server did not answer"
            }
            (Some(Begin::Whole | Begin::Unknown), _) if client.login() => {
                "the client sent what could be a login, and the capture lacks what the server sent"
            }
            (Some(Begin::Unknown), _) if client.small && !client.silent() => {
                "the capture begins within the session, behind what the server said"
            }
            _ => return Identity::UNKNOWN,
        };
        Identity {
            server_heard: false,
            ..Identity::faithful(Some(doubt), None)
        }
    }

    fn only_a_hardened_server(&self) -> Option<Identity> {
        let head = &self.server.head;
        let length = head.get(SERVER_HELLO..SERVER_HELLO + 4)?;
        let is_one = head.starts_with(&[2, 0]) && bucket_of(length.first_chunk()?).is_some();
        let doubt = "the capture lacks what the client sent";
        let alone = self.client.silent() && self.server.begin == Some(Begin::Whole);
        (is_one && alone).then(|| hardened(Protocol::Hardened, Some(doubt)))
    }
}

fn hardened(protocol: Protocol, doubt: Option<&'static str>) -> Identity {
    Identity {
        protocol,
        doubt,
        replies_at: None,
        server_heard: true,
        flipped: false,
    }
}

/// The client begins with what our protocol begins with.
fn magic(client: &Seen) -> Option<Protocol> {
    if matches!(client.begin, Some(Begin::Late(_))) {
        return None;
    }
    match &client.head {
        head if head.starts_with(&CLIENT_MAGIC) => Some(Protocol::Hardened),
        head if head.starts_with(&WEAKENED_MAGIC) => Some(Protocol::Weakened),
        _ => None,
    }
}

/// The server says that a login was successful.
fn greeting(server: &Seen) -> Option<Identity> {
    let at = match server.begin? {
        Begin::Whole | Begin::Unknown => 0,
        Begin::Late(bytes) => usize::try_from(bytes).ok()?,
    };
    let expected = GREETING.get(at..)?;
    let visible = server.head.len().min(expected.len());
    if visible < ENOUGH || server.head[..visible] != expected[..visible] {
        return None;
    }
    let whole = visible == GREETING.len();
    let doubt = "only a part of the server's greeting is in the capture";
    Some(Identity::faithful((!whole).then_some(doubt), Some(at)))
}

/// Whether bytes are plain text. A login and ciphertexts are as good as random, and random bytes are not.
fn is_text(bytes: &[u8]) -> bool {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    bytes.len() >= ENOUGH
        && bytes.iter().all(printable)
        && bytes.iter().any(u8::is_ascii_alphanumeric)
}

/// Whether bytes begin like a record of TLS (RFC 8446, 5.1). Random ones do once in 16,000 times.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [20..=23, 3, 0..=4, ..])
}
