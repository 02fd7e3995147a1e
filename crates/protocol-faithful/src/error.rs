//! The errors of the protocol, by the party to blame.

use latchstring_protocol::codec::DecodeError;
use thiserror::Error;

/// No error of the faithful protocol is answered on the wire: the connection just ends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that no implementation of the protocol sends.
    #[error("malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// A key file that is not what the protocol wants. Says what to do about it.
    #[error("not an RSA key of this protocol: {0}")]
    BadKey(String),
    /// This end asked for something that the protocol cannot do.
    #[error("cannot do this: {0}")]
    Misuse(&'static str),
}
