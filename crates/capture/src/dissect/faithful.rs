//! The report's protocol, as a sniffer sees it: `docs/src/faithful-protocol.md`, "Wire".

use super::{Cutter, Field, Part};
use crate::trace::{Side, Trace};

/// What the server says after a login.
pub(super) const GREETING: &[u8] = b"Authentication Successful!";

const KEY_LEN: usize = 32;
const IV_LEN: usize = 8;

/// What an eavesdropper takes from a faithful session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faithful {
    /// The login: textbook RSA of the username. Empty when the capture lacks it.
    pub login: Vec<u8>,
    /// Whether the server's greeting was seen.
    pub greeted: bool,
    /// The session key, which the server sends in clear.
    pub key: Option<[u8; KEY_LEN]>,
    /// The IV, which the server sends in clear.
    pub iv: Option<[u8; IV_LEN]>,
    /// The ciphertexts of the messages: one a segment, for nothing frames them.
    pub messages: Vec<Vec<u8>>,
    /// Bytes that are none of these.
    pub other: Vec<Field>,
}

/// Views a trace as a faithful session, whatever it is.
pub fn faithful(trace: &Trace) -> Faithful {
    let (client, server) = (trace.stream(Side::Client), trace.stream(Side::Server));
    let mut view = Faithful::default();
    for field in layout(trace) {
        let bytes = match field.from {
            Side::Client => &client[field.range.clone()],
            Side::Server => &server[field.range.clone()],
        };
        match field.part {
            Part::Login => view.login = bytes.to_vec(),
            Part::Greeting => view.greeted = true,
            Part::SessionKey => view.key = bytes.try_into().ok(),
            Part::Iv => view.iv = bytes.try_into().ok(),
            Part::Message(_) => view.messages.push(bytes.to_vec()),
            _ => view.other.push(field),
        }
    }
    view
}

/// Names every byte.
pub(super) fn layout(trace: &Trace) -> Vec<Field> {
    let mut fields = from_client(trace);
    fields.extend(from_server(trace));
    fields
}

/// A login, then messages. One segment is one of them; where the beginning is missing there is no telling a login, and
/// all are taken for messages.
fn from_client(trace: &Trace) -> Vec<Field> {
    let mut at = 0;
    let first = usize::from(trace.whole_prefix(Side::Client) == 0);
    let chunks = trace
        .chunks_from(Side::Client)
        .filter(|chunk| !chunk.bytes.is_empty());
    let name = |(number, chunk): (usize, &crate::Chunk)| {
        let range = at..at + chunk.bytes.len();
        at = range.end;
        let part = if number == 0 {
            Part::Login
        } else {
            Part::Message(number)
        };
        Field {
            from: Side::Client,
            range,
            part,
        }
    };
    (first..).zip(chunks).map(name).collect()
}

/// Three writes of 26, 32 and 8 bytes, that arrive cut in any way.
fn from_server(trace: &Trace) -> Vec<Field> {
    let stream = trace.stream(Side::Server);
    let mut cutter = Cutter::new(trace, Side::Server, &stream);
    if cutter.peek(GREETING.len()) == Some(GREETING) {
        cutter.take(GREETING.len(), Part::Greeting);
        cutter.take(KEY_LEN, Part::SessionKey);
        cutter.take(IV_LEN, Part::Iv);
    }
    cutter.rest(Part::Unknown);
    cutter.fields
}
