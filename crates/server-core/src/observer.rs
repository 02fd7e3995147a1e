//! The events on each connection. None of it is secret: no password, no key, no text of a message.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use latchstring_net::{
    hygiene,
    protocol::hardened::{
        handshake::RefusalReason,
        message::{Fingerprint, UserName},
        session::CloseCode,
    },
};
use latchstring_store::StoreError;

use crate::error::{AdmissionError, HandshakeError, ProtocolError, TruncationError};

/// Gets every event, as it happens. The program writes them to its log; the lab's arena takes them for the truth.
pub trait Observer: Send + Sync {
    /// Something happened on a connection; connections are numbered from 1 in the order in which they came.
    fn event(&self, connection: u64, event: &Event);

    /// The system gives no connection, for want of descriptors for example. The server tries again in a moment.
    fn cannot_accept(&self, _why: &io::Error) {}

    /// A password hash was computed, in this time without the wait for a turn.
    fn hashed(&self, _purpose: Purpose, _took: Duration) {}
}

/// What a password hash is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To check the password of a login.
    Check,
    /// To store a new password, or an old one at a new cost.
    Store,
}

/// Gives every event to several observers, one after the other.
pub struct FanOut(pub Vec<Arc<dyn Observer>>);

impl Observer for FanOut {
    fn event(&self, connection: u64, event: &Event) {
        self.0.iter().for_each(|one| one.event(connection, event));
    }

    fn cannot_accept(&self, why: &io::Error) {
        self.0.iter().for_each(|one| one.cannot_accept(why));
    }

    fn hashed(&self, purpose: Purpose, took: Duration) {
        self.0.iter().for_each(|one| one.hashed(purpose, took));
    }
}

/// The end that closed a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The client.
    Peer,
    /// This server.
    Server,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// Somebody connected.
    Connected {
        /// From where.
        peer: SocketAddr,
    },
    /// There are too many connections; this one was dropped at once. The end.
    TurnedAway {
        /// The limit that was reached.
        why: AdmissionError,
    },
    /// The handshake came to no answer; the connection was closed without a word. The end.
    HandshakeFailed {
        /// For the operator.
        why: Arc<HandshakeError>,
    },
    /// The store or this machine failed, so that a login could not be decided; the connection was closed without a word.
    /// The end.
    LoginFailed {
        /// For the operator.
        why: Arc<HandshakeError>,
    },
    /// The login or enrolment was answered with `AUTH_FAIL`. The end.
    Refused {
        /// The claimed user.
        user: UserName,
        /// The reason, which the client does not get.
        reason: RefusalReason,
    },
    /// Somebody who was invited has an account now, and is about to be logged in.
    Enrolled {
        /// Who.
        user: UserName,
        /// With which key.
        kid: Fingerprint,
    },
    /// Somebody who was invited brought a key that is not to be trusted; they will be refused, and may come again with
    /// another one.
    WeakKey {
        /// Who.
        user: UserName,
        /// The fault of the key.
        why: hygiene::WeakKey,
    },
    /// The password is right, and its hash had another cost or another pepper than new ones have. The store has a new hash
    /// of it.
    HashRenewed {
        /// Whose.
        user: UserName,
    },
    /// The password is right, and it is in the list of breached passwords: the user should get another one.
    BreachedPassword {
        /// Whose.
        user: UserName,
    },
    /// Key and password are proven and `AUTH_OK` was sent.
    LoggedIn {
        /// Who.
        user: UserName,
        /// The session's public name.
        session_id: [u8; 16],
        /// The last id in the user's log.
        last_message: u64,
    },
    /// Both directions of the session have new keys.
    NewKeys {
        /// Whose session it is.
        user: UserName,
        /// How many keys each direction has had, the first among them.
        epoch: u32,
    },
    /// A message is durable and about to be acknowledged.
    Stored {
        /// Whose.
        user: UserName,
        /// Its number.
        id: u64,
    },
    /// A message had been stored before; it is acknowledged again.
    Duplicate {
        /// Whose.
        user: UserName,
        /// Its number.
        id: u64,
    },
    /// The store holds another message under this id. The message is not acknowledged, and the session is closed with
    /// [`CloseCode::Conflict`].
    Conflict {
        /// Whose.
        user: UserName,
        /// Its number.
        id: u64,
    },
    /// Both ends agree on the end and on what was sent. The end.
    Closed {
        /// The user.
        user: UserName,
        /// The end that closed first.
        by: By,
        /// Why.
        code: CloseCode,
    },
    /// The connection ended without an agreed close: a failure, or an attacker cut it. The end.
    Truncated {
        /// The user.
        user: UserName,
        /// How.
        why: Arc<TruncationError>,
    },
    /// The client did not answer our pings. The end.
    Silent {
        /// The user.
        user: UserName,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// The client, or an attacker on the path, violated the protocol. The end.
    ProtocolError {
        /// The user.
        user: UserName,
        /// What.
        why: Arc<ProtocolError>,
    },
    /// A message could not be made durable, so it was not acknowledged. The end.
    StoreFailed {
        /// The user.
        user: UserName,
        /// Why.
        why: Arc<StoreError>,
    },
    /// A fault in this program ended the connection; all others go on. The end.
    Panicked,
}

impl Event {
    /// Whether nothing more happens on this connection.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Connected { .. }
            | Self::Enrolled { .. }
            | Self::WeakKey { .. }
            | Self::HashRenewed { .. }
            | Self::BreachedPassword { .. }
            | Self::NewKeys { .. }
            | Self::LoggedIn { .. }
            | Self::Stored { .. }
            | Self::Duplicate { .. }
            | Self::Conflict { .. } => false,
            Self::TurnedAway { .. }
            | Self::HandshakeFailed { .. }
            | Self::LoginFailed { .. }
            | Self::Refused { .. }
            | Self::Closed { .. }
            | Self::Truncated { .. }
            | Self::Silent { .. }
            | Self::ProtocolError { .. }
            | Self::StoreFailed { .. }
            | Self::Panicked => true,
        }
    }
}
