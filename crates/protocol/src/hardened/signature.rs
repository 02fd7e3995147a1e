//! The bytes that are signed, and the small trait behind which the signing is done.
//!
//! `PSS` is RSASSA-PSS (RFC 8017, section 8.1) with SHA-256, MGF1-SHA-256 and a salt of 32 bytes. The protocol does not
//! choose an implementation: deployable programs bring a constant-time one, the lab a deterministic one.

use thiserror::Error;

use super::role::Role;

/// The signature could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot sign: {0}")]
pub struct SignError(pub String);

/// Holds an RSA private key of 3072 or 4096 bits.
pub trait Signer: Send + Sync {
    /// The public half: DER of a SubjectPublicKeyInfo (422 bytes for 3072 bits, 550 for 4096).
    fn public_key(&self) -> &[u8];

    /// `PSS` over `message`: 384 bytes for 3072 bits, 512 for 4096.
    ///
    /// # Errors
    /// When the implementation fails, or finds its own signature wrong (a fault would give the key away).
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Checks signatures.
pub trait Verifier: Send + Sync {
    /// Whether `signature` is `PSS` over `message` by the key in `spki`, **and** the protocol allows that key (RSA,
    /// 3072 or 4096 bits, e = 65537). Never panics, for any bytes.
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

/// The bytes that are signed: `0x20^64 ‖ context ‖ 0x00 ‖ transcript hash`, as TLS 1.3 does (RFC 8446, section 4.4.3).
/// The 64 spaces keep it apart from anything a key could have signed under another convention.
pub fn signed_content(role: Role, transcript_hash: &[u8; 32]) -> Vec<u8> {
    let context: &[u8] = match role {
        Role::Server => b"latch/2 server signature\0",
        Role::Client => b"latch/2 client signature\0",
    };
    [&[0x20; 64][..], context, transcript_hash].concat()
}
