//! Dissection: names for the bytes of a trace.
//!
//! The views here are lenient. They judge nothing and name *any* bytes, also those of a broken or hostile peer; strict
//! parsing belongs to the protocol crate. The layouts are those of `docs/src/faithful-protocol.md` and
//! `docs/src/hardened-protocol.md`.
//!
//! [`fields`] names every byte exactly once. [`faithful`] and [`hardened`] pick from it what an attack works on, and
//! [`describe`] prints it.

mod faithful;
mod hardened;

use std::{
    fmt::{self, Write},
    ops::Range,
    time::Duration,
};

pub use faithful::{Faithful, faithful};
pub use hardened::{CLIENT_MAGIC, Hardened, Record, WEAKENED_MAGIC, hardened};

use crate::trace::{AnnotatedSession, Side, Trace};

/// Which protocol a trace speaks, judged by what is in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The report's.
    Faithful,
    /// Ours.
    Hardened,
    /// Ours, in the lab, with defences taken out. It says so in its first bytes.
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

/// What a run of bytes is.
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
    /// Hardened: what the client's hello begins with.
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
            Self::Login => f.write_str("login: textbook RSA of the username, no padding"),
            Self::Greeting => f.write_str("greeting: `Authentication Successful!`"),
            Self::SessionKey => f.write_str("session key, in clear"),
            Self::Iv => f.write_str("IV, in clear"),
            Self::Message(n) => write!(f, "message {n}: AES-256-CTR, its counter starts at 1"),
            Self::Magic => f.write_str("hello: magic"),
            Self::Version => f.write_str("hello: version"),
            Self::Suite => f.write_str("hello: suite"),
            Self::Random => f.write_str("hello: random bytes"),
            Self::EphemeralKey => f.write_str("hello: ephemeral X25519 public key"),
            Self::RecordLength(n) => write!(f, "record {n}: length of ciphertext and tag"),
            Self::Ciphertext(n) => write!(f, "record {n}: ciphertext"),
            Self::Tag(n) => write!(f, "record {n}: tag"),
            Self::Cut => f.write_str("the beginning of something that is not here whole"),
            Self::Unknown => f.write_str("not part of the protocol"),
        }
    }
}

/// A named run of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Who sent it.
    pub from: Side,
    /// Where it is in that side's [`Trace::stream`].
    pub range: Range<usize>,
    /// What it is.
    pub part: Part,
}

/// Tells the protocol of a trace.
///
/// A login answered by nothing, or whose answer was blanked out, still counts as faithful by its size: it is a number
/// below a 1024-bit modulus, and shorter than 120 bytes about once in 2^64 logins.
pub fn protocol(trace: &Trace) -> Protocol {
    let client = trace.stream(Side::Client);
    let login = trace
        .chunks_from(Side::Client)
        .next()
        .map_or(0, |chunk| chunk.bytes.len());
    if trace.whole_prefix(Side::Client) == 0 && !client.is_empty() {
        Protocol::Unknown
    } else if client.starts_with(&CLIENT_MAGIC) {
        Protocol::Hardened
    } else if client.starts_with(&WEAKENED_MAGIC) {
        Protocol::Weakened
    } else if trace.stream(Side::Server).starts_with(faithful::GREETING)
        || (120..=128).contains(&login)
    {
        Protocol::Faithful
    } else {
        Protocol::Unknown
    }
}

/// Names every byte of both streams: the fields of each side follow one another without a hole, client first.
pub fn fields(trace: &Trace) -> Vec<Field> {
    match protocol(trace) {
        Protocol::Faithful => faithful::layout(trace),
        Protocol::Hardened | Protocol::Weakened => hardened::layout(trace),
        Protocol::Unknown => {
            let unknown = |side| {
                let stream = trace.stream(side);
                let mut cutter = Cutter::new(trace, side, &stream);
                cutter.rest(Part::Unknown);
                cutter.fields
            };
            [unknown(Side::Client), unknown(Side::Server)].concat()
        }
    }
}

/// Cuts a stream into fields from its beginning. Behind a gap nothing can be told apart, so there it stops.
struct Cutter<'a> {
    from: Side,
    stream: &'a [u8],
    /// How much of the stream comes before a gap.
    whole: usize,
    at: usize,
    fields: Vec<Field>,
}

impl<'a> Cutter<'a> {
    fn new(trace: &Trace, from: Side, stream: &'a [u8]) -> Self {
        Self {
            from,
            stream,
            whole: trace.whole_prefix(from),
            at: 0,
            fields: Vec::new(),
        }
    }

    /// The next `len` bytes without naming them, if the trace has them whole.
    fn peek(&self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len).filter(|&end| end <= self.whole)?;
        self.stream.get(self.at..end)
    }

    /// Names the next `len` bytes. If there are fewer, they are a [`Part::Cut`] and it is over.
    fn take(&mut self, len: usize, part: Part) -> Option<&'a [u8]> {
        let bytes = self.peek(len);
        if bytes.is_some() {
            self.name(len, part);
        } else {
            self.name(self.whole.saturating_sub(self.at), Part::Cut);
            self.rest(Part::Unknown);
        }
        bytes
    }

    /// Names all that is left.
    fn rest(&mut self, part: Part) {
        self.name(self.stream.len() - self.at, part);
    }

    fn name(&mut self, len: usize, part: Part) {
        let range = self.at..self.at + len;
        self.at = range.end;
        if !range.is_empty() {
            self.fields.push(Field {
                from: self.from,
                range,
                part,
            });
        }
    }
}

/// How many bytes of a field [`describe`] shows.
const SHOWN: usize = 16;

/// A readable dissection: a heading, then a line for every run of bytes, in the order in which they were sent.
///
/// It shows what was on the wire, which with the faithful protocol is the session key too.
pub fn describe(trace: &Trace) -> String {
    described(trace, &[])
}

/// Like [`describe`], with the comments, each above what it is about.
pub fn describe_annotated(session: &AnnotatedSession) -> String {
    described(&session.trace, &session.comments)
}

fn described(trace: &Trace, comments: &[(usize, String)]) -> String {
    let mut out = format!(
        "{} -> {}: {}, ",
        trace.client,
        trace.server,
        protocol(trace)
    );
    out.push_str(if trace.closed {
        "closed\n"
    } else {
        "still open at the end of the capture\n"
    });
    for gap in &trace.gaps {
        let missing = gap
            .bytes
            .map_or("the beginning".to_owned(), |bytes| format!("{bytes} bytes"));
        let _ = writeln!(
            out,
            "  the capture lacks {missing} of what the {} sent",
            gap.from
        );
    }
    let streams = [trace.stream(Side::Client), trace.stream(Side::Server)];
    let mut lines: Vec<_> = fields(trace)
        .into_iter()
        .map(|field| (sent(trace, &field), field))
        .collect();
    lines.sort_by_key(|((chunk, _), field)| (*chunk, field.range.start));
    let mut comments = comments.iter().peekable();
    for ((chunk, at), field) in lines {
        while let Some((_, text)) = comments.next_if(|(on, _)| *on <= chunk) {
            remark(&mut out, text);
        }
        let bytes = &streams[field.from as usize][field.range.clone()];
        let range = format!("{}..{}", field.range.start, field.range.end);
        let _ = writeln!(
            out,
            "  {:>11.6} s  {}  {range:<13} {}  {}",
            at.as_secs_f64(),
            field.from,
            field.part,
            hex(bytes)
        );
    }
    comments.for_each(|(_, text)| remark(&mut out, text));
    out
}

fn remark(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "                 # {line}");
    }
}

/// The chunk that holds the first byte of a field, and its time.
fn sent(trace: &Trace, field: &Field) -> (usize, Duration) {
    let mut end = 0;
    for (index, chunk) in trace
        .chunks
        .iter()
        .enumerate()
        .filter(|(_, chunk)| chunk.from == field.from)
    {
        end += chunk.bytes.len();
        if field.range.start < end {
            return (index, chunk.at);
        }
    }
    (trace.chunks.len(), Duration::ZERO)
}

fn hex(bytes: &[u8]) -> String {
    let shown: String = bytes
        .iter()
        .take(SHOWN)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if bytes.len() > SHOWN {
        shown + "…"
    } else {
        shown
    }
}

#[cfg(test)]
mod tests;
