//! The key against which a login is checked when there is no such user.
//!
//! The server must do the same work for a name that it does not know, or the time would tell who exists. Nobody may
//! hold the private half, and anybody can verify this. The modulus is not the product of two forgotten primes but
//! twelve hashes in a row, with the first and the last bit set. A random number of 3072 bits cannot be factored by
//! anybody, us included. And if one day it can: a proof by this key is refused anyway.

use std::sync::LazyLock;

use latchstring_net::protocol::hardened::primitives::hash;

/// The bytes before and after the modulus in the DER of a key of 3072 bits with e = 65537 (RFC 3279, section 2.3.1).
const BEFORE: [u8; 33] = [
    0x30, 0x82, 0x01, 0xa2, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x8f, 0x00, 0x30, 0x82, 0x01, 0x8a, 0x02, 0x82, 0x01, 0x81,
    0x00,
];
const AFTER: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];
/// Bytes of the modulus.
const MODULUS: usize = 384;

/// DER of the SubjectPublicKeyInfo.
pub(crate) static DUMMY_KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut modulus: Vec<u8> = (0..12)
        .flat_map(|i| hash(&[b"latchstring dummy key", &[i]]))
        .collect();
    modulus[0] |= 0x80;
    modulus[MODULUS - 1] |= 1;
    [&BEFORE[..], &modulus, &AFTER].concat()
});

#[cfg(test)]
mod tests {
    use latchstring_net::{
        protocol::hardened::signature::Verifier,
        public_key::{Bits, check_public_key},
    };

    use latchstring_keys::AwsLc;

    use super::*;

    #[test]
    fn it_is_a_key_that_the_protocol_allows_and_verifying_with_it_says_no() {
        assert_eq!(check_public_key(&DUMMY_KEY), Ok(Bits::B3072));
        assert!(!AwsLc.verify(&DUMMY_KEY, b"anything", &[0x11; MODULUS]));
    }
}
