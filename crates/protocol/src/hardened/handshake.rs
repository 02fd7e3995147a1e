//! The order of the handshake's messages, and the proofs at each step.
//!
//! Each state is a type named for what it expects; a step consumes it and returns the next. The proof of a check is a
//! value that only the check can make, so a program that leaves a check out does not compile:
//!
//! ```text
//! client  ExpectServerHello -> ExpectServerAuth -> HostProven -> TrustedHost -> ExpectVerdict -> Verdict
//! server  accept()          -> ExpectClientAuth -> Claimant   -> KeyHolder   -> Authenticated -> Session
//!                                               -> Newcomer   -> NewHolder   -> Authenticated
//! ```
//!
//! The transcript is plain concatenation: every part has a fixed size or a length in front.

mod client;
mod server;

pub use client::{
    ExpectServerAuth, ExpectServerHello, ExpectVerdict, HostProven, TrustedHost, Verdict,
};
pub use server::{
    Authenticated, Claim, Claimant, ExpectClientAuth, KeyHolder, NewHolder, Newcomer, Refusal,
    RefusalReason, accept, accept_with,
};

use super::{
    Error,
    message::{Fingerprint, MODE_ENROL, MODE_LOGIN, Type, UserName},
    parts::Parts,
    primitives::hash,
    record::{Opener, Plaintext},
    role::Role,
};
use crate::codec::{put_long, put_short};

/// All handshake bytes so far, in order.
#[derive(Clone)]
struct Transcript(Vec<u8>);

impl Transcript {
    fn after_hellos(client: &[u8], server: &[u8]) -> Self {
        Self([client, server].concat())
    }

    /// The bytes that a signature covers.
    fn to_sign(&self, role: Role, parts: &impl Parts) -> Vec<u8> {
        parts.signed(role, &self.0)
    }

    fn hash(&self) -> [u8; 32] {
        hash(&[&self.0])
    }

    /// `T2`: the host's key.
    fn host_key(&mut self, spki: &[u8]) {
        self.0.push(Type::ServerAuth as u8);
        put_long(&mut self.0, spki);
    }

    /// `T5`: the user that the client claims to be, and the new key, if there is one.
    fn claim(&mut self, user: &UserName, kid: &Fingerprint, new_key: Option<&[u8]>) {
        let (typ, mode) = match new_key {
            None => (Type::ClientAuth, MODE_LOGIN),
            Some(_) => (Type::Enrol, MODE_ENROL),
        };
        self.0.extend_from_slice(&[typ as u8, mode]);
        put_short(&mut self.0, user.as_str().as_bytes());
        self.0.extend_from_slice(&kid.0);
        if let Some(spki) = new_key {
            put_long(&mut self.0, spki);
        }
    }

    /// `T3` and `T6`: a signature.
    fn signature(&mut self, signature: &[u8]) {
        put_long(&mut self.0, signature);
    }

    /// `T4` and `T7`: a Finished MAC.
    fn finished(&mut self, fin: &[u8; 32]) {
        self.0.extend_from_slice(fin);
    }
}

/// Opens a handshake record, which must be of one type.
fn open_as(opener: &mut Opener, record: &[u8], expected: Type) -> Result<Plaintext, Error> {
    let plaintext = opener.open(record)?;
    if plaintext.typ == expected {
        Ok(plaintext)
    } else {
        Err(Error::ANOTHER_STATE)
    }
}
