//! The format of each message, byte for byte. Integers are big-endian.

use std::{fmt, str::FromStr};

use super::{
    defence::{Defence, Defences},
    keys::X25519,
    parts::Parts,
    role::Role,
};
use crate::codec::{DecodeError, Reader};

mod fingerprint;
mod invite;
mod proof;
mod types;

pub use fingerprint::Fingerprint;
pub use invite::{Invite, Token};
pub use proof::{ClientAuth, Enrolment, ServerAuth};
pub(super) use proof::{MODE_ENROL, MODE_LOGIN};
pub use types::Type;

/// The first eight bytes of every connection.
pub const MAGIC: [u8; 8] = *b"latch/2\n";
/// The first eight bytes where a defence is left out, which happens in the lab alone.
pub const WEAKENED_MAGIC: [u8; 8] = *b"latchLAB";
/// The only version there is.
pub const VERSION: u8 = 2;
/// `ClientHello`: magic ‖ 02 ‖ 00 ‖ rc(32) ‖ epkC(32).
pub const CLIENT_HELLO_LEN: usize = 74;
/// `ServerHello`: 02 ‖ 00 ‖ rs(32) ‖ epkS(32).
pub const SERVER_HELLO_LEN: usize = 66;
/// Shortest password that anybody is given or may choose, in bytes.
pub const MIN_NEW_PASSWORD: usize = 8;
/// Longest password, in bytes.
pub const MAX_PASSWORD: usize = 128;
/// Longest text of one message, in bytes, so that it fits the largest bucket.
pub const MAX_TEXT: usize = 16_372;

/// A user's name: `^[a-z][a-z0-9_-]{0,31}$`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

impl UserName {
    /// Checks the grammar.
    ///
    /// # Errors
    /// When the name is empty, longer than 32 bytes or holds anything but `a-z`, `0-9`, `_`, `-` (a letter first).
    pub fn parse(name: &str) -> Result<Self, DecodeError> {
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if first && rest && name.len() <= 32 {
            Ok(Self(name.to_owned()))
        } else {
            Err(DecodeError::Invalid {
                field: "user name",
                why: "it must be 1 to 32 of a-z, 0-9, _ and -, beginning with a letter",
            })
        }
    }

    /// A name as a stranger may write it: for those who play the stranger. A peer parses a received name with
    /// [`UserName::parse`].
    pub fn as_claimed(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UserName {
    type Err = DecodeError;
    fn from_str(s: &str) -> Result<Self, DecodeError> {
        Self::parse(s)
    }
}

/// The first bytes of a hello. A peer that leaves any defence out says so here, in bytes that the transcript covers: a
/// real peer hangs up at once.
pub fn magic(defences: &(impl Defences + ?Sized)) -> [u8; 8] {
    match Defence::ALL.iter().all(|defence| defences.keeps(*defence)) {
        true => MAGIC,
        false => WEAKENED_MAGIC,
    }
}

/// A hello of either side: 32 random bytes and a value of the key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// `rc` or `rs`.
    pub random: [u8; 32],
    /// `epkC` or `epkS`: 32 bytes of X25519.
    pub share: Vec<u8>,
}

impl Hello {
    /// Writes a `ClientHello`.
    pub fn encode_client(&self, parts: &(impl Parts + ?Sized)) -> Vec<u8> {
        [&magic(parts)[..], &self.encode_server()].concat()
    }

    /// Writes a `ServerHello`.
    pub fn encode_server(&self) -> Vec<u8> {
        [&[VERSION, 0][..], &self.random, &self.share].concat()
    }

    /// Reads a `ClientHello`.
    ///
    /// # Errors
    /// When magic, version or length is another.
    pub fn decode_client(bytes: &[u8], parts: &(impl Parts + ?Sized)) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        if r.array("magic")? != magic(parts) {
            return Err(DecodeError::Invalid {
                field: "magic",
                why: "the peer does not speak latch/2",
            });
        }
        Self::decode(r, Role::Client, parts)
    }

    /// Reads a `ServerHello`.
    ///
    /// # Errors
    /// When version or length is another.
    pub fn decode_server(bytes: &[u8], parts: &(impl Parts + ?Sized)) -> Result<Self, DecodeError> {
        Self::decode(Reader::new(bytes), Role::Server, parts)
    }

    fn decode(
        mut r: Reader<'_>,
        role: Role,
        parts: &(impl Parts + ?Sized),
    ) -> Result<Self, DecodeError> {
        if r.array("version")? != [VERSION, 0] {
            return Err(DecodeError::Invalid {
                field: "version",
                why: "only version 02 00 exists",
            });
        }
        let hello = Self {
            random: r.array("random")?,
            share: r.take("X25519 value", parts.share_len(role))?.to_vec(),
        };
        r.finish()?;
        Ok(hello)
    }

    /// Bytes of a `ClientHello`: [`CLIENT_HELLO_LEN`] with every defence.
    pub fn client_len(parts: &(impl Parts + ?Sized)) -> usize {
        CLIENT_HELLO_LEN - X25519::SHARE_LEN + parts.share_len(Role::Client)
    }

    /// Bytes of a `ServerHello`: [`SERVER_HELLO_LEN`] with every defence.
    pub fn server_len(parts: &(impl Parts + ?Sized)) -> usize {
        SERVER_HELLO_LEN - X25519::SHARE_LEN + parts.share_len(Role::Server)
    }
}

/// `CLOSE`: the sender's account of the whole session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// Why; see [`super::session::CloseCode`].
    pub code: u8,
    /// The highest id that the sender of this message sent, 0 if none.
    pub last_sent: u64,
    /// The highest id that the sender of this message acknowledged, 0 if none.
    pub last_acked: u64,
    /// The chain over all that the sender sent.
    pub chain: [u8; 32],
}

/// The server's answer on an id: enough to tell one's message from any other, even from one with the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The public name of the session that brought the message; zeros if the server does not know it any more.
    pub session: [u8; 16],
    /// The content of the message: [`super::session::content`].
    pub content: [u8; 32],
}

/// A message of an open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text with its number.
    Msg {
        /// Starts at 1 and goes up by 1 for a user and key, over all sessions.
        id: u64,
        /// 0: text.
        kind: u8,
        /// UTF-8, at most [`MAX_TEXT`] bytes.
        text: String,
    },
    /// All up to here are durable.
    Ack {
        /// The highest durable id.
        up_to: u64,
        /// The receiver's chain at that id.
        chain: [u8; 32],
    },
    /// Are you there?
    Ping(u64),
    /// I am, and this is your number.
    Pong(u64),
    /// The client asks what the server holds under this id.
    Query(u64),
    /// The server's answer.
    Held {
        /// The id that was asked about.
        id: u64,
        /// `None` if there is no such message.
        held: Option<Held>,
    },
    /// The client begins a change of keys with its X25519 value.
    Rekey1([u8; 32]),
    /// The server's value: its last record under the old keys.
    Rekey2([u8; 32]),
    /// The client's last record under the old keys.
    Rekey3,
    /// The server asks for a change of keys.
    RekeyAsk,
    /// The sender will send no more messages.
    Close(Close),
    /// The receiver of a `CLOSE` agrees with its counts and chain.
    CloseAck,
}

impl Message {
    /// Type and body.
    pub fn encode(&self) -> (Type, Vec<u8>) {
        match self {
            Self::Msg { id, kind, text } => {
                let body = [&id.to_be_bytes()[..], &[*kind], text.as_bytes()].concat();
                (Type::Msg, body)
            }
            Self::Ack { up_to, chain } => (Type::Ack, [&up_to.to_be_bytes()[..], chain].concat()),
            Self::Ping(n) => (Type::Ping, n.to_be_bytes().to_vec()),
            Self::Pong(n) => (Type::Pong, n.to_be_bytes().to_vec()),
            Self::Query(id) => (Type::Query, id.to_be_bytes().to_vec()),
            Self::Held { id, held } => {
                let (session, content) = match held {
                    Some(held) => (held.session, held.content),
                    None => ([0; 16], [0; 32]),
                };
                (
                    Type::Held,
                    [&id.to_be_bytes()[..], &session, &content].concat(),
                )
            }
            Self::Rekey1(share) => (Type::Rekey1, share.to_vec()),
            Self::Rekey2(share) => (Type::Rekey2, share.to_vec()),
            Self::Rekey3 => (Type::Rekey3, Vec::new()),
            Self::RekeyAsk => (Type::RekeyAsk, Vec::new()),
            Self::Close(c) => {
                let (sent, acked) = (c.last_sent.to_be_bytes(), c.last_acked.to_be_bytes());
                (
                    Type::Close,
                    [&[c.code][..], &sent, &acked, &c.chain].concat(),
                )
            }
            Self::CloseAck => (Type::CloseAck, Vec::new()),
        }
    }

    /// Reads a body of an open session; `None` when the type belongs to another state.
    ///
    /// # Errors
    /// When the body does not have the shape of its type.
    pub fn decode(typ: Type, body: &[u8]) -> Result<Option<Self>, DecodeError> {
        let mut r = Reader::new(body);
        let message = match typ {
            Type::Msg => Self::Msg {
                id: r.u64("message id")?,
                kind: r.u8("kind")?,
                text: utf8(r.rest())?,
            },
            Type::Ack => Self::Ack {
                up_to: r.u64("up_to")?,
                chain: r.array("chain")?,
            },
            Type::Ping => Self::Ping(r.u64("ping")?),
            Type::Pong => Self::Pong(r.u64("pong")?),
            Type::Query => Self::Query(r.u64("id")?),
            Type::Held => Self::Held {
                id: r.u64("id")?,
                held: held(r.array("session")?, r.array("content")?)?,
            },
            Type::Rekey1 => Self::Rekey1(r.array("X25519 value")?),
            Type::Rekey2 => Self::Rekey2(r.array("X25519 value")?),
            Type::Rekey3 => Self::Rekey3,
            Type::RekeyAsk => Self::RekeyAsk,
            Type::Close => Self::Close(Close {
                code: r.u8("code")?,
                last_sent: r.u64("last_sent")?,
                last_acked: r.u64("last_acked")?,
                chain: r.array("chain")?,
            }),
            Type::CloseAck => Self::CloseAck,
            _ => return Ok(None),
        };
        r.finish()?;
        Ok(Some(message))
    }
}

fn utf8(bytes: &[u8]) -> Result<String, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Invalid {
        field: "text",
        why: "it is not UTF-8",
    })?;
    Ok(text.to_owned())
}

/// No message has a hash of zeros, so zeros mean that there is no message.
fn held(session: [u8; 16], content: [u8; 32]) -> Result<Option<Held>, DecodeError> {
    match (content == [0; 32], session == [0; 16]) {
        (false, _) => Ok(Some(Held { session, content })),
        (true, true) => Ok(None),
        (true, false) => Err(DecodeError::Invalid {
            field: "session",
            why: "a message that is not held came in no session",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardened::full::Full;

    struct Without(Defence);
    impl Defences for Without {
        fn keeps(&self, defence: Defence) -> bool {
            defence != self.0
        }
    }

    #[test]
    fn whoever_leaves_any_defence_out_has_another_magic() {
        assert_eq!(magic(&Full), *b"latch/2\n");
        for defence in Defence::ALL {
            assert_eq!(magic(&Without(*defence)), *b"latchLAB", "{defence}");
        }
    }
}
