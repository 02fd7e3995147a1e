//! The arena's fixed keys, and signing and randomness that come out the same every time.

use std::sync::{Mutex, MutexGuard};

use latchstring_attacker::{
    net::entropy::Entropy,
    protocol::hardened::{
        keys::hash,
        signature::{SignError, Signer},
    },
};
use rand::{Rng, SeedableRng, rngs::ChaCha20Rng};
use rsa::{
    RsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePublicKey},
    pss::SigningKey,
    signature::{RandomizedSigner, SignatureEncoding},
};
use sha2::Sha256;

/// Randomness from a seed. **Predictable on purpose**: for the arena alone, where a run must repeat to the byte.
pub struct Seeded(Mutex<ChaCha20Rng>);

impl Seeded {
    /// The stream of this seed; `who` keeps the streams of different parties apart.
    pub fn new(seed: u64, who: &str) -> Self {
        let key = hash(&[&seed.to_be_bytes(), who.as_bytes()]);
        Self(Mutex::new(ChaCha20Rng::from_seed(key)))
    }

    /// The generator, for one owner.
    ///
    /// # Panics
    /// As [`Seeded::rng`].
    pub fn into_rng(self) -> ChaCha20Rng {
        self.0
            .into_inner()
            .expect("no thread panicked while drawing")
    }

    /// The generator itself.
    ///
    /// # Panics
    /// When a thread panicked while it drew.
    pub fn rng(&self) -> MutexGuard<'_, ChaCha20Rng> {
        self.0.lock().expect("no thread panicked while drawing")
    }
}

impl Entropy for Seeded {
    fn fill(&self, out: &mut [u8]) {
        self.rng().fill_bytes(out);
    }
}

/// Signs with one of the published keys and seeded salts.
pub struct PublishedKey {
    spki: Vec<u8>,
    key: SigningKey<Sha256>,
    salts: Seeded,
}

impl PublishedKey {
    fn new(pem: &str, seed: u64, who: &str) -> Self {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).expect("the published keys are well-formed");
        let spki = key
            .to_public_key()
            .to_public_key_der()
            .expect("so are their public halves");
        Self {
            spki: spki.into_vec(),
            key: SigningKey::new(key),
            salts: Seeded::new(seed, who),
        }
    }

    /// The arena's host.
    pub fn host(seed: u64) -> Self {
        Self::new(include_str!("../keys/host.pem"), seed, "host salts")
    }

    /// The arena's user.
    pub fn alice(seed: u64) -> Self {
        Self::new(include_str!("../keys/alice.pem"), seed, "alice salts")
    }

    /// The arena's attacker.
    pub fn mallory(seed: u64) -> Self {
        Self::new(include_str!("../keys/mallory.pem"), seed, "mallory salts")
    }
}

impl Signer for PublishedKey {
    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self.key.try_sign_with_rng(&mut *self.salts.rng(), message);
        Ok(signature
            .map_err(|error| SignError(error.to_string()))?
            .to_vec())
    }
}
