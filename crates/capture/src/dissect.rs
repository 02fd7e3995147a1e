//! Dissection: names for the bytes of a trace.
//!
//! The views here are lenient. They judge nothing and name *any* bytes, also those of a broken or hostile peer; strict
//! parsing belongs to the protocol crate. The layouts are those of `docs/src/faithful-protocol.md` and
//! `docs/src/hardened-protocol.md`.
//!
//! A [`Dissector`] names every byte exactly once, while a session is read. [`faithful`] and [`hardened`] pick from it what
//! an attack works on, and [`identify`] says which of the two it is, and how sure that is.

mod event;
mod faithful;
mod hardened;
mod identity;
mod words;

use std::{fmt, ops::Range, time::Duration};

pub use event::{Event, Named};
pub use faithful::{Faithful, Place, faithful};
pub use hardened::{CLIENT_MAGIC, Hardened, Record, WEAKENED_MAGIC, hardened};
pub use identity::{Identity, identify};
pub use words::{lacking, lacking_in_short, missing};

pub(crate) use self::identity::Evidence;
use crate::trace::{Chunk, Item, Side, Trace};

/// The protocol of a trace, judged by the bytes in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The report's.
    Faithful,
    /// Ours.
    Hardened,
    /// Ours, in the lab, with defences taken out. A session of the lab says so in its first bytes.
    Weakened,
    /// None of them, or a capture begun too late to tell.
    Unknown,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Faithful => "faithful protocol",
            Self::Hardened => "hardened protocol",
            Self::Weakened => "weakened protocol (the lab's: hardened, with defences taken out)",
            Self::Unknown => "unknown protocol",
        })
    }
}

/// The meaning of a run of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Faithful: textbook RSA of the username.
    Login,
    /// Faithful: `Authentication Successful!`.
    Greeting,
    /// Faithful: the session key, in clear.
    SessionKey,
    /// Faithful: the IV, in clear.
    Iv,
    /// Faithful: one message, counted from 1.
    Message(usize),
    /// Hardened: the first bytes of the client's hello.
    Magic,
    /// Hardened: the version byte of a hello.
    Version,
    /// Hardened: the cipher suite byte of a hello.
    Suite,
    /// Hardened: the random bytes of a hello.
    Random,
    /// Hardened: the ephemeral X25519 public key of a hello.
    EphemeralKey,
    /// Hardened: the length of a record, counted from 1 in each direction.
    RecordLength(usize),
    /// Hardened: the ciphertext of a record.
    Ciphertext(usize),
    /// Hardened: the tag of a record.
    Tag(usize),
    /// The beginning of something that the trace does not have whole.
    Cut,
    /// Anything else.
    Unknown,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login => f.write_str("login"),
            Self::Greeting => f.write_str("greeting"),
            Self::SessionKey => f.write_str("session key, in clear"),
            Self::Iv => f.write_str("IV, in clear"),
            Self::Message(n) => write!(f, "message {n}"),
            Self::Magic => f.write_str("hello: magic"),
            Self::Version => f.write_str("hello: version"),
            Self::Suite => f.write_str("hello: suite"),
            Self::Random => f.write_str("hello: random bytes"),
            Self::EphemeralKey => f.write_str("hello: X25519 public key"),
            Self::RecordLength(n) => write!(f, "record {n}: length"),
            Self::Ciphertext(n) => write!(f, "record {n}: ciphertext"),
            Self::Tag(n) => write!(f, "record {n}: tag"),
            Self::Cut => f.write_str("the beginning of a field"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// A named run of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The sender.
    pub from: Side,
    /// The place in that side's [`Trace::stream`].
    pub range: Range<usize>,
    /// The meaning.
    pub part: Part,
}

/// The protocol of a trace, or the one that it could be: see [`identify`].
pub fn protocol(trace: &Trace) -> Protocol {
    identify(trace).protocol
}

/// Names every byte of both streams: the fields of each side follow one another without a hole, client first.
///
/// The sides are those of the trace, also where the bytes show that the client is the server.
pub fn fields(trace: &Trace) -> Vec<Field> {
    let identity = identify(trace);
    let mut fields: [Vec<Field>; 2] = Default::default();
    dissected(trace, Dissector::of(identity), |named| {
        let mut field = named.field();
        if identity.flipped {
            field.from = field.from.peer();
        }
        add(&mut fields[field.from as usize], field);
    });
    fields.concat()
}

/// Adds a field; unknown bytes behind unknown bytes are one field.
fn add(fields: &mut Vec<Field>, field: Field) {
    let same = |last: &Field| {
        last.part == Part::Unknown && field.part == Part::Unknown && last.from == field.from
    };
    match fields.last_mut().filter(|last| same(last)) {
        Some(last) => last.range.end = field.range.end,
        None => fields.push(field),
    }
}

/// Runs a dissector over a trace, and hands on what it names.
fn dissected(trace: &Trace, mut dissector: Dissector, mut take: impl FnMut(Named)) {
    let mut hand_on = |event| {
        if let Event::Named(named) = event {
            take(named);
        }
    };
    for item in trace.items() {
        dissector.push(item, &mut hand_on);
    }
    dissector.finish(&mut hand_on);
}

/// Names the bytes of a session while they come.
#[derive(Debug, Default)]
pub struct Dissector {
    /// The bytes that came before the protocol was known.
    evidence: Evidence,
    waiting: Vec<Item>,
    names: Option<Names>,
    sides: [Progress; 2],
    /// A segment of which the next item may say that it was cut.
    last: Option<Named>,
}

/// How far a side's stream was read.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes that are in the capture.
    captured: usize,
    /// Bytes that were sent, as far as is known.
    sent: u64,
    begun: bool,
}

/// How the bytes of a protocol are named.
#[derive(Debug)]
struct Names {
    identity: Identity,
    client: faithful::Client,
    server: faithful::Server,
    cutters: [hardened::Cutter; 2],
}

impl Dissector {
    /// For a session whose protocol is known.
    pub fn of(identity: Identity) -> Self {
        Self {
            names: Some(Names::of(identity)),
            ..Self::default()
        }
    }

    /// The protocol, once it is known.
    pub fn identity(&self) -> Option<Identity> {
        self.names.as_ref().map(|names| names.identity)
    }

    /// Whether the two ends have each other's roles, as the bytes show. Names of fields follow the right roles.
    pub fn flipped(&self) -> bool {
        self.identity().is_some_and(|identity| identity.flipped)
    }

    /// Takes what happened next.
    pub fn push(&mut self, item: Item, out: &mut impl FnMut(Event)) {
        if self.names.is_some() {
            return self.name(item, out);
        }
        self.evidence.push(&item);
        self.waiting.push(item);
        self.begin(false, out);
    }

    /// Nothing more will happen.
    pub fn finish(&mut self, out: &mut impl FnMut(Event)) {
        self.begin(true, out);
        self.release(out);
        let Some(names) = &mut self.names else {
            return;
        };
        let sides = &mut self.sides;
        names.finish(&mut |from, part, at, bytes, lacks| {
            let named = place(sides, from, part, at, bytes, lacks);
            out(Event::Named(named));
        });
    }

    /// Names what has waited, once the protocol is known.
    fn begin(&mut self, ended: bool, out: &mut impl FnMut(Event)) {
        if self.names.is_none()
            && let Some(identity) = self.evidence.decide(ended)
        {
            self.names = Some(Names::of(identity));
            for item in std::mem::take(&mut self.waiting) {
                self.name(item, out);
            }
        }
    }

    fn release(&mut self, out: &mut impl FnMut(Event)) {
        if let Some(last) = self.last.take() {
            out(Event::Named(last));
        }
    }

    fn name(&mut self, item: Item, out: &mut impl FnMut(Event)) {
        let flipped = self.flipped();
        match if flipped { item.flipped() } else { item } {
            Item::Chunk(chunk) => self.chunk(chunk, out),
            Item::Lost { from, bytes, cut } => self.lost(from, bytes, cut, out),
            Item::Comment(text) => {
                self.release(out);
                out(Event::Comment(text));
            }
        }
    }

    fn chunk(&mut self, chunk: Chunk, out: &mut impl FnMut(Event)) {
        self.release(out);
        let from = chunk.from;
        let (Some(names), sides) = (&mut self.names, &mut self.sides) else {
            return;
        };
        sides[from as usize].begun = true;
        let last = &mut self.last;
        names.chunk(chunk, &mut |part, at, bytes, lacks| {
            let named = place(sides, from, part, at, bytes, lacks);
            if let Some(before) = last.replace(named) {
                out(Event::Named(before));
            }
        });
    }

    fn lost(&mut self, from: Side, bytes: Option<u64>, cut: bool, out: &mut impl FnMut(Event)) {
        // The recorder cut the segment that came last: its last field lacks its end.
        let within = cut
            && self.last.as_ref().is_some_and(|last| {
                last.from == from && matches!(last.part, Part::Login | Part::Message(_))
            });
        if within && let Some(last) = &mut self.last {
            last.lacks += bytes.unwrap_or(0);
        }
        self.release(out);
        let (Some(names), sides) = (&mut self.names, &mut self.sides) else {
            return;
        };
        let progress = &mut sides[from as usize];
        let begun = std::mem::replace(&mut progress.begun, true);
        let mut counted = 0;
        names.lost(from, bytes, begun, &mut |part, at, bytes, lacks| {
            counted += lacks;
            let named = place(sides, from, part, at, bytes, 0);
            out(Event::Named(Named { lacks, ..named }));
        });
        let progress = &mut sides[from as usize];
        let offset = progress.sent;
        progress.sent += bytes.unwrap_or(0);
        if !within && (counted == 0 || bytes != Some(counted)) {
            let bytes = bytes.map(|bytes| bytes - counted.min(bytes));
            out(Event::Lost {
                from,
                offset,
                bytes,
                cut,
            });
        }
    }
}

/// Gives a field its place in its stream.
fn place(
    sides: &mut [Progress; 2],
    from: Side,
    part: Part,
    at: Duration,
    bytes: Vec<u8>,
    lacks: u64,
) -> Named {
    let progress = &mut sides[from as usize];
    let begin = progress.captured;
    let offset = progress.sent;
    progress.captured += bytes.len();
    progress.sent += bytes.len() as u64;
    Named {
        from,
        at,
        part,
        range: begin..progress.captured,
        offset,
        lacks,
        bytes,
    }
}

impl Names {
    fn of(identity: Identity) -> Self {
        Self {
            identity,
            client: faithful::Client::of(identity),
            server: faithful::Server::of(identity),
            cutters: [Side::Client, Side::Server].map(hardened::Cutter::of),
        }
    }

    fn chunk(&mut self, chunk: Chunk, out: &mut impl FnMut(Part, Duration, Vec<u8>, u64)) {
        if chunk.bytes.is_empty() {
            return;
        }
        match (self.identity.protocol, chunk.from) {
            (Protocol::Faithful, Side::Client) => {
                let part = self.client.part(chunk.bytes.len());
                out(part, chunk.at, chunk.bytes, 0);
            }
            (Protocol::Faithful, Side::Server) => {
                self.client.server_spoke();
                self.server.push(&chunk, out);
            }
            (Protocol::Hardened | Protocol::Weakened, from) => {
                let out = &mut |part, at, bytes| out(part, at, bytes, 0);
                self.cutters[from as usize].push(&chunk, out);
            }
            (Protocol::Unknown, _) => out(Part::Unknown, chunk.at, chunk.bytes, 0),
        }
    }

    /// Bytes that the capture lacks. Those before the first ones that it has are in the identity already.
    fn lost(
        &mut self,
        from: Side,
        bytes: Option<u64>,
        begun: bool,
        out: &mut impl FnMut(Part, Duration, Vec<u8>, u64),
    ) {
        match (self.identity.protocol, from) {
            (Protocol::Faithful, Side::Client) => self.client.lost(bytes),
            (Protocol::Faithful, Side::Server) => {
                if let Some(bytes) = bytes.filter(|_| begun) {
                    self.server.lost(bytes, out);
                }
            }
            (Protocol::Hardened | Protocol::Weakened, from) => {
                let out = &mut |part, at, bytes| out(part, at, bytes, 0);
                self.cutters[from as usize].lose_step(out);
            }
            (Protocol::Unknown, _) => {}
        }
    }

    fn finish(&mut self, out: &mut impl FnMut(Side, Part, Duration, Vec<u8>, u64)) {
        match self.identity.protocol {
            Protocol::Faithful => {
                let out = &mut |part, at, bytes, lacks| out(Side::Server, part, at, bytes, lacks);
                self.server.finish(out);
            }
            Protocol::Hardened | Protocol::Weakened => {
                for side in [Side::Client, Side::Server] {
                    let out = &mut |part, at, bytes| out(side, part, at, bytes, 0);
                    self.cutters[side as usize].lose_step(out);
                }
            }
            Protocol::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests;
