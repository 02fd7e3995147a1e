//! Why connections are dropped, or end without an agreed close. The client sees one thing only: the connection is closed.
//!
//! The values are for programs: a counter's label or a judge compares them. The texts are for the operator's log.

use latchstring_net::{
    protocol::hardened::{self, session::CloseCode},
    wire::WireError,
};
use latchstring_store::{StoreError, password::PasswordError};
use thiserror::Error;

use crate::balancers::HeaderError;

/// The limit that refuses a connection before its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// All places of the server are taken.
    #[error("too many connections (max_connections)")]
    Connections,
    /// All places for connections that are not logged in are taken.
    #[error("too many connections are not logged in (max_unauthenticated)")]
    Unauthenticated,
    /// The source has all the places for connections that are not logged in that one source may have.
    #[error(
        "too many connections from this source are not logged in (max_unauthenticated_per_source)"
    )]
    UnauthenticatedOfSource,
    /// The source connects too often.
    #[error(
        "connections from this source come too fast (connection_burst, connections_per_minute)"
    )]
    Rate,
    /// The source has sent too many logins without a key.
    #[error("too many logins without a key came from this source")]
    Penalty,
    /// Random early drop: the places for connections that are not logged in are nearly taken.
    #[error(
        "by chance, since many connections are not logged in (early_drop_from, early_drop_percent)"
    )]
    EarlyDrop,
}

/// Why a handshake came to no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The connection failed, or the client was too slow.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A balancer does not say for whom it connects.
    #[error(transparent)]
    Balancer(#[from] HeaderError),
    /// The client, or an attacker on the path, violated the protocol.
    #[error(transparent)]
    Protocol(#[from] hardened::Error),
    /// The store failed, or the account was removed meanwhile.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored hash cannot be used, or there was not enough memory to compute one.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The queue for signatures of the host is full.
    #[error("too many connections wait for the host's signature (signing_queue)")]
    SigningBusy,
    /// The queue for password hashes is full.
    #[error("too many logins wait for their password to be checked (password_queue)")]
    PasswordBusy,
    /// All steps together took too long.
    #[error("the handshake took longer than 10 s")]
    Deadline,
    /// A newer session of the same user goes on.
    #[error("the same user logged in again meanwhile")]
    Superseded,
    /// The server ends.
    #[error("the server is being stopped")]
    Stopping,
}

impl HandshakeError {
    /// Whether the operator has to do something about it: nobody can log in while the disk is full, for example.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            // Removed while the login was under way.
            Self::Store(StoreError::NoSuchUser(_)) => false,
            Self::Store(_) | Self::Password(_) => true,
            _ => false,
        }
    }
}

impl From<CloseCode> for HandshakeError {
    fn from(code: CloseCode) -> Self {
        match code {
            CloseCode::Superseded => Self::Superseded,
            CloseCode::Stopping | CloseCode::Done | CloseCode::Conflict => Self::Stopping,
        }
    }
}

/// How a session ended without an agreed close.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TruncationError {
    /// The client hung up, or the connection failed while we read.
    #[error(transparent)]
    Read(WireError),
    /// The connection failed while we wrote.
    #[error(transparent)]
    Write(std::io::Error),
    /// The connection takes no more bytes.
    #[error("the peer takes no more bytes")]
    WriteClosed,
    /// The client did not answer our close.
    #[error("the peer did not agree to our close in time")]
    NoAgreement,
}

/// The fault of the bytes in a session.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The protocol does not allow them.
    #[error(transparent)]
    Protocol(#[from] hardened::Error),
    /// A record of a length that does not exist, or one that took too long.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The client answered a question that only a client asks.
    #[error("an answer to no question")]
    NoQuestion,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_removed_during_its_login_is_no_failure_of_the_store() {
        let name = "alice".parse().unwrap();
        assert!(!HandshakeError::Store(StoreError::NoSuchUser(name)).is_ours());
        let damaged = StoreError::Missing("accounts.db".into());
        assert!(HandshakeError::Store(damaged).is_ours());
        assert!(!HandshakeError::PasswordBusy.is_ours());
    }
}
