//! The arena's fixed keys, and signing and randomness that come out the same every time.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard},
};

use latchstring_attacker::{
    net::entropy::Entropy,
    protocol::hardened::{
        primitives::hash,
        signature::{SignError, Signer},
    },
};
use rand::{Rng, SeedableRng, rngs::ChaCha20Rng};
use rsa::{
    RsaPrivateKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, SecretDocument},
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
    salts: Box<dyn Entropy>,
}

/// Signatures that were made before, by what they depend on: key, salt and message. The matrix has the same honest
/// session in every column, and signing is most of its cost.
static MADE: LazyLock<Mutex<HashMap<[u8; 32], Vec<u8>>>> = LazyLock::new(Mutex::default);

impl PublishedKey {
    fn new(key: &RsaPrivateKey, seed: u64, who: &str) -> Self {
        let spki = key
            .to_public_key()
            .to_public_key_der()
            .expect("the published keys have public halves");
        Self {
            spki: spki.into_vec(),
            key: SigningKey::new(key.clone()),
            salts: Box::new(Seeded::new(seed, who)),
        }
    }

    /// The private key, as DER of a PKCS#8 `PrivateKeyInfo`.
    ///
    /// # Panics
    /// Never: the published keys are well-formed.
    pub fn to_pkcs8(&self) -> SecretDocument {
        let key: &RsaPrivateKey = self.key.as_ref();
        key.to_pkcs8_der()
            .expect("the published keys can be encoded")
    }

    /// The arena's host.
    pub fn host(seed: u64) -> Self {
        Self::new(&HOST, seed, "host salts")
    }

    /// The same key with other salts.
    pub fn with_salts(self, salts: impl Entropy + 'static) -> Self {
        let salts = Box::new(salts);
        Self { salts, ..self }
    }

    /// The arena's user.
    pub fn alice(seed: u64) -> Self {
        Self::new(&ALICE, seed, "alice salts")
    }

    /// A key that was published as PEM.
    pub fn of_pem(pem: &str, seed: u64, who: &str) -> Self {
        Self::new(&private(pem), seed, &format!("{who} salts"))
    }

    /// The arena's attacker.
    pub fn mallory(seed: u64) -> Self {
        Self::new(&MALLORY, seed, "mallory salts")
    }

    /// A key of the attacker's that is enrolled nowhere.
    pub fn mallory_new(seed: u64) -> Self {
        Self::new(&MALLORY_NEW, seed, "mallory's new salts")
    }
}

impl Signer for PublishedKey {
    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut salt = [0; 32];
        self.salts.fill(&mut salt);
        let made = || MADE.lock().expect("no thread panicked while looking");
        let depends_on = hash(&[&self.spki, &salt, message]);
        if let Some(signature) = made().get(&depends_on) {
            return Ok(signature.clone());
        }
        let signature = (self.key)
            .try_sign_with_rng(&mut ChaCha20Rng::from_seed(salt), message)
            .map_err(|error| SignError(error.to_string()))?
            .to_vec();
        made().insert(depends_on, signature.clone());
        Ok(signature)
    }
}

/// A private key in PEM, read once.
fn private(pem: &str) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(pem).expect("the published keys are well-formed")
}

static HOST: LazyLock<RsaPrivateKey> = LazyLock::new(|| private(HOST_PEM));
static ALICE: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| private(include_str!("../keys/alice.pem")));
static MALLORY_NEW: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| private(include_str!("../keys/mallory-new.pem")));
static MALLORY: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| private(include_str!("../keys/mallory.pem")));

/// The host's private key as a thief would find it.
pub const HOST_PEM: &str = include_str!("../keys/host.pem");

/// The host's private key, for a key exchange that decrypts with it.
pub fn host_private_key() -> &'static RsaPrivateKey {
    &HOST
}

/// The same for the key below.
pub const TRANSPORT_PEM: &str = include_str!("../keys/transport.pem");

/// A key of 505 bits that serves RSA transport in the old padding. The key is so short that a padding oracle reveals
/// its secret within seconds. The length changes nothing about the flaw.
pub static TRANSPORT_KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| private(TRANSPORT_PEM));
