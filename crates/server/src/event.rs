//! What happens at a server, for its log. No event holds a secret or a message's text.

use std::fmt;

use latchstring_net::protocol::hardened::{
    handshake::RefusalReason,
    message::{Fingerprint, UserName},
    session::CloseCode,
};

/// Something that happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection ended before a login was complete. The peer was told nothing.
    HandshakeFailed {
        /// What went wrong.
        why: String,
    },
    /// A login was refused. The peer learnt that, and not why.
    Refused {
        /// Whose name was used.
        user: UserName,
        /// Why.
        reason: RefusalReason,
    },
    /// A user is in.
    LoggedIn {
        /// Who.
        user: UserName,
        /// With which key.
        kid: Fingerprint,
        /// The session's public name, the same at both ends.
        session: [u8; 16],
        /// The id of the last message that was durable before.
        last_message: u64,
    },
    /// A message is durable and is about to be acknowledged.
    Stored {
        /// Whose.
        user: UserName,
        /// Its number.
        id: u64,
    },
    /// The session was closed and both ends agree on everything.
    Closed {
        /// Whose.
        user: UserName,
        /// Set when this server closed it, with the reason.
        ours: Option<CloseCode>,
    },
    /// The connection ended without a `CLOSE`.
    Truncated {
        /// Whose.
        user: UserName,
    },
    /// The session was ended for what the peer did, or for what the disk did.
    Failed {
        /// Whose.
        user: UserName,
        /// What went wrong.
        why: String,
    },
    /// The connection is over; always the last event.
    Ended,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandshakeFailed { why } => write!(f, "no login: {why}"),
            Self::Refused { user, reason } => write!(f, "refused {user}: {reason}"),
            Self::LoggedIn {
                user,
                kid,
                session,
                last_message,
            } => write!(
                f,
                "{user} logged in with key {kid}, session {}, last message {last_message}",
                hex::encode(session)
            ),
            Self::Stored { user, id } => write!(f, "stored message {id} of {user}"),
            Self::Closed { user, ours: None } => write!(f, "{user} closed the session"),
            Self::Closed { user, ours: Some(code) } => write!(f, "closed the session of {user}: {code:?}"),
            Self::Truncated { user } => write!(f, "the session of {user} was cut off without a close"),
            Self::Failed { user, why } => write!(f, "the session of {user} failed: {why}"),
            Self::Ended => f.write_str("the connection ended"),
        }
    }
}

/// Hears what happens. The program writes it to its log, the lab to its record of the truth.
pub trait Observer: Send + Sync {
    /// Called for each event, in the order of a connection's events.
    fn event(&self, connection: u64, event: &Event);
}
