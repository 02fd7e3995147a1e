//! The RSA implementation of the honest peers.
//!
//! The programs that people deploy compute with AWS-LC, in constant time. Nobody measures the arena's keys, which are
//! published. So the arena computes with the crate `rsa`, and a student need not build AWS-LC. `tests/matrix.rs`
//! runs the whole matrix once more with AWS-LC, and every verdict is the same.

use std::sync::Arc;

use latchstring_attacker::{
    net::public_key::check_public_key,
    protocol::hardened::signature::{Signer, Verifier},
};
use rsa::{
    RsaPublicKey,
    pkcs8::DecodePublicKey,
    pss::{Signature, VerifyingKey},
    signature::Verifier as _,
};
use sha2::Sha256;

use crate::keys::PublishedKey;

/// Signs and checks for the server and for alice.
pub trait Provider: Send + Sync {
    /// Signs with a published key.
    fn signer(&self, key: PublishedKey) -> Arc<dyn Signer>;

    /// Checks signatures.
    fn verifier(&self) -> Arc<dyn Verifier>;
}

/// The crate `rsa`, with seeded salts: a run repeats to the byte.
#[derive(Debug, Clone, Copy, Default)]
pub struct RsaCrate;

impl Provider for RsaCrate {
    fn signer(&self, key: PublishedKey) -> Arc<dyn Signer> {
        Arc::new(key)
    }

    fn verifier(&self) -> Arc<dyn Verifier> {
        Arc::new(Self)
    }
}

impl Verifier for RsaCrate {
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let Ok(bits) = check_public_key(spki) else {
            return false;
        };
        let (Ok(key), Ok(made)) = (
            RsaPublicKey::from_public_key_der(spki),
            Signature::try_from(signature),
        ) else {
            return false;
        };
        let salted = VerifyingKey::<Sha256>::new(key);
        signature.len() == bits.modulus_len() && salted.verify(message, &made).is_ok()
    }
}

/// The parameters that make a run repeat: its seed, and its RSA implementation.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Seed of all randomness.
    pub seed: u64,
    /// The RSA implementation.
    pub provider: &'static dyn Provider,
}

impl From<u64> for Setting {
    /// The seed, with [`RsaCrate`].
    fn from(seed: u64) -> Self {
        let provider = &RsaCrate;
        Self { seed, provider }
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha20Rng};
    use rsa::{
        RsaPrivateKey,
        pkcs1::DecodeRsaPrivateKey,
        pkcs8::{DecodePrivateKey, EncodePublicKey},
        pss::SigningKey,
        signature::{RandomizedSigner, SignatureEncoding},
    };

    use super::*;

    /// Each of these would be let in by a verifier that leaves a check out.
    #[test]
    fn only_this_key_s_signature_of_this_message_is_accepted() {
        let (key, another) = (PublishedKey::alice(1), PublishedKey::mallory(1));
        let (spki, good) = (key.public_key(), key.sign(b"pay bob 10").unwrap());
        assert!(RsaCrate.verify(spki, b"pay bob 10", &good));
        assert!(!RsaCrate.verify(spki, b"pay eve 99", &good));
        assert!(!RsaCrate.verify(another.public_key(), b"pay bob 10", &good));
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert!(!RsaCrate.verify(spki, b"pay bob 10", &changed), "byte {at}");
        }
        let longer = [&[0], &good[..]].concat();
        for bad in [&good[1..], &longer, &[]] {
            assert!(!RsaCrate.verify(spki, b"pay bob 10", bad));
        }
    }

    #[test]
    fn the_salt_has_32_bytes_and_the_key_a_size_of_the_protocol() {
        let verify = |key: &RsaPrivateKey, salt: usize| {
            let spki = key.to_public_key().to_public_key_der().unwrap().into_vec();
            let signer = SigningKey::<Sha256>::new_with_salt_len(key.clone(), salt);
            let mut salts = ChaCha20Rng::from_seed([7; 32]);
            let made = signer.sign_with_rng(&mut salts, b"m").to_vec();
            RsaCrate.verify(&spki, b"m", &made)
        };
        let alice = RsaPrivateKey::from_pkcs8_der(PublishedKey::alice(1).to_pkcs8().as_bytes());
        let alice = alice.unwrap();
        assert_eq!(
            [0, 20, 32, 64].map(|salt| verify(&alice, salt)),
            [false, false, true, false]
        );
        let report = include_str!("../keys/alice-faithful.pem");
        let report = RsaPrivateKey::from_pkcs1_pem(report).unwrap();
        assert!(!verify(&report, 32), "a key of 1024 bits");
    }
}
