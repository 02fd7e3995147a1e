//! The errors of the protocol, by the party to blame.

use super::message::Fingerprint;
use crate::codec::DecodeError;
use crate::hardened::signature::SignError;
use thiserror::Error;

/// Every error of the hardened protocol ends the connection; none is answered on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that no implementation of the protocol sends.
    #[error("malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// Well-formed bytes that are not allowed here: another state, another order, another count.
    #[error("the peer violated the protocol: {0}")]
    Violation(&'static str),
    /// A proof failed: an attacker on the path changed something, or the peer does not hold the key.
    #[error("a proof failed: {0}")]
    Forged(&'static str),
    /// The host holds another key than the expected one.
    #[error(
        "the host key is {presented} and should be {expected}: somebody may be posing as this server"
    )]
    HostKeyMismatch {
        /// The fingerprint that was given, confirmed or known.
        expected: Fingerprint,
        /// The fingerprint of the key that answered.
        presented: Fingerprint,
    },
    /// The two ends do not agree on what was sent. Messages were lost or made up.
    #[error("the message logs of client and server differ: {0}")]
    Disagreement(&'static str),
    /// This end asked for something that the protocol cannot do.
    #[error("cannot do this: {0}")]
    Misuse(&'static str),
    /// Our own key could not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl Error {
    /// A message of a type that the state does not allow.
    pub const ANOTHER_STATE: Self = Self::Violation("a message that belongs to another state");
}
