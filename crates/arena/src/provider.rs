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
