//! The parts that a peer is built from, and that are handed in. They are its key exchange, its record protection, the
//! bytes that it signs, and its refusals.
//!
//! A defence that is a check is left out where the check stands. A defence that is a part is left out by handing in another
//! part. [`super::full::Full`] hands in the real ones.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Error, defence::Defences, message::Type, primitives::Secret, role::Role};

/// One end's half of a key exchange.
pub trait Exchange: Send {
    /// The public value that travels in a hello.
    fn share(&self) -> Vec<u8>;

    /// Uses the secret up: the bytes that both ends now share, `Z`.
    ///
    /// # Errors
    /// [`Error::Forged`] when the peer's value cannot be one of an honest peer.
    fn agree(self: Box<Self>, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;
}

/// The record protection of one direction. The protection holds the keys, and the caller gives a record's number.
pub trait RecordProtection: Send {
    /// Encrypts `record[4..]` in place and appends the tag; `record` begins with the length field.
    fn close(&self, seq: u64, record: &mut Vec<u8>);

    /// Checks the tag and decrypts. `record` is whole: length field, ciphertext, tag.
    ///
    /// # Errors
    /// [`Error::Forged`] when the tag does not fit.
    fn open(&self, seq: u64, record: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error>;
}

/// Hands in the parts that follow from the defences that a peer keeps.
pub trait Parts: Defences {
    /// One end's half of the key exchange, from 32 bytes of fresh randomness.
    fn exchange(&self, role: Role, secret: &Secret) -> Box<dyn Exchange>;

    /// How many bytes that exchange puts into the hello of this role.
    fn share_len(&self, role: Role) -> usize;

    /// The record protection under one traffic secret.
    fn record_protection(&self, secret: &Secret, epoch: u32) -> Box<dyn RecordProtection>;

    /// The ciphertext lengths that a record may have where the protocol allows `exact`: in bytes, shortest first.
    fn lengths(&self, exact: &'static [usize]) -> &'static [usize];

    /// The bytes that a signature in this role covers. The transcript holds all handshake bytes so far.
    fn signed(&self, role: Role, transcript: &[u8]) -> Vec<u8>;

    /// The labels under which the traffic secrets of the two directions are derived: of the client's, of the server's.
    fn traffic_labels(&self) -> [&'static str; 2];

    /// The body of the answer to a login or an enrolment that is refused for this reason.
    fn refusal(&self, reason: &str) -> Vec<u8>;

    /// A server waits for the client's proof, and a message of another type has come.
    ///
    /// # Errors
    /// [`Error::Violation`] where the message ends the connection. Otherwise it is read as if it were that proof.
    fn out_of_state(&mut self, typ: Type) -> Result<(), Error>;
}

impl<P: Parts + ?Sized> Parts for Arc<P> {
    fn exchange(&self, role: Role, secret: &Secret) -> Box<dyn Exchange> {
        (**self).exchange(role, secret)
    }
    fn share_len(&self, role: Role) -> usize {
        (**self).share_len(role)
    }
    fn record_protection(&self, secret: &Secret, epoch: u32) -> Box<dyn RecordProtection> {
        (**self).record_protection(secret, epoch)
    }
    fn lengths(&self, exact: &'static [usize]) -> &'static [usize] {
        (**self).lengths(exact)
    }
    fn signed(&self, role: Role, transcript: &[u8]) -> Vec<u8> {
        (**self).signed(role, transcript)
    }
    fn traffic_labels(&self) -> [&'static str; 2] {
        (**self).traffic_labels()
    }
    fn refusal(&self, reason: &str) -> Vec<u8> {
        (**self).refusal(reason)
    }
    /// A shared value cannot change, so it cannot follow.
    fn out_of_state(&mut self, _: Type) -> Result<(), Error> {
        Err(Error::ANOTHER_STATE)
    }
}
