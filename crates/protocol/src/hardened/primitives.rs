//! SHA-256, HKDF and HMAC as the protocol uses them.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::codec::put_short;

/// 32 secret bytes that are wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// `H`: SHA-256.
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// HKDF-Extract (RFC 5869, section 2.2).
pub fn extract(salt: &[u8], ikm: &[u8]) -> Secret {
    let (prk, _) = Hkdf::<Sha256>::extract(Some(salt), ikm);
    Zeroizing::new(prk.into())
}

/// `XL(secret, label, context)`: HKDF-Expand with a length, a label and a context in its info, `L` bytes long.
///
/// # Panics
/// If the label or context is longer than the one-byte lengths in the info allow; both are constants of this protocol.
pub fn expand<const L: usize>(
    secret: &[u8; 32],
    label: &str,
    context: &[u8],
) -> Zeroizing<[u8; L]> {
    let mut info = Vec::with_capacity(64 + context.len());
    let length = u16::try_from(L).expect("keys are short");
    info.extend_from_slice(&length.to_be_bytes());
    put_short(&mut info, format!("latch/2 {label}").as_bytes());
    put_short(&mut info, context);
    let mut out = Zeroizing::new([0; L]);
    Hkdf::<Sha256>::from_prk(secret)
        .expect("a PRK has the length of the hash")
        .expand(&info, &mut *out)
        .expect("L is far below 255 hashes");
    out
}

/// HMAC-SHA-256 (RFC 2104) under a 32-byte key.
pub(crate) fn mac(key: &Secret) -> Hmac<Sha256> {
    Hmac::new_from_slice(&key[..]).expect("HMAC takes any key length")
}
