//! The parts that a peer is built from, and that are handed in: its key exchange and the protection of its records.
//!
//! A defence that is a check is left out where the check stands. A defence that is a part is left out by handing in another
//! part. [`super::full::Full`] hands in the real ones.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Error, defence::Defences, primitives::Secret, role::Role};

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

/// What protects the records of one direction: it knows the keys, and is told a record's number.
pub trait Cover: Send {
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

    /// What protects the records under one traffic secret.
    fn cover(&self, secret: &Secret, epoch: u32) -> Box<dyn Cover>;

    /// The ciphertext lengths that exist, in bytes, shortest first.
    fn lengths(&self) -> &'static [usize];
}

impl<P: Parts + ?Sized> Parts for Arc<P> {
    fn exchange(&self, role: Role, secret: &Secret) -> Box<dyn Exchange> {
        (**self).exchange(role, secret)
    }
    fn share_len(&self, role: Role) -> usize {
        (**self).share_len(role)
    }
    fn cover(&self, secret: &Secret, epoch: u32) -> Box<dyn Cover> {
        (**self).cover(secret, epoch)
    }
    fn lengths(&self) -> &'static [usize] {
        (**self).lengths()
    }
}
