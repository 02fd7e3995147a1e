//! RSA-PSS with SHA-256, for the host from rung 5 on and for users from rung 6 on.
//!
//! The signed message is `context ‖ 00 ‖ hash of the transcript`. MGF1 uses SHA-256, the salt has 32 bytes.

use rand::rngs::ChaCha20Rng;
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey, LineEnding},
    pss,
    signature::{RandomizedSigner, SignatureEncoding, Verifier},
    traits::PublicKeyParts,
};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Bits of every key.
pub const BITS: u32 = 3072;
/// Bytes of every signature.
pub const SIGNATURE: usize = 384;
/// Bytes of every public key: DER of a SubjectPublicKeyInfo.
pub const SPKI: usize = 422;

/// A key that is none of this ladder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the key cannot be used: {0}; make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`"
)]
pub struct KeyError(String);

/// What a signature is for. Each use has its own words, so that a signature for one is never one for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The host's, over the transcript up to its key.
    Host,
    /// The user's, over the transcript up to the name.
    User,
}

impl Context {
    fn words(self) -> &'static [u8] {
        match self {
            Self::Host => b"ladder host signature\0",
            Self::User => b"ladder user signature\0",
        }
    }

    fn message(self, transcript: &[u8; 32]) -> Vec<u8> {
        [self.words(), transcript].concat()
    }
}

/// A private key that signs.
#[derive(Clone)]
pub struct SigningKey {
    spki: Vec<u8>,
    key: pss::SigningKey<Sha256>,
}

impl SigningKey {
    /// Reads PKCS#8 PEM (`BEGIN PRIVATE KEY`), not encrypted.
    ///
    /// # Errors
    /// [`KeyError`] when it is something else, or not of 3072 bits with e = 65537.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).map_err(|e| KeyError(e.to_string()))?;
        let spki =
            (key.to_public_key().to_public_key_der()).map_err(|e| KeyError(e.to_string()))?;
        let spki = spki.into_vec();
        public_key(&spki).ok_or_else(wrong_size)?;
        Ok(Self {
            spki,
            key: pss::SigningKey::new(key),
        })
    }

    /// What an impostor has: it shows another's public half, and signs with its own private one.
    pub fn showing(self, other: &Self) -> Self {
        Self {
            spki: other.spki.clone(),
            ..self
        }
    }

    /// The public half.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The public half as SPKI PEM.
    ///
    /// # Panics
    /// Never: the key was encoded before.
    pub fn public_pem(&self) -> String {
        let key = RsaPublicKey::from_public_key_der(&self.spki).expect("it was encoded here");
        key.to_public_key_pem(LineEnding::LF)
            .expect("it was encoded before")
    }

    /// Signs for one use; the salt comes from the generator.
    pub fn sign(&self, context: Context, transcript: &[u8; 32], rng: &mut ChaCha20Rng) -> Vec<u8> {
        let signature = self.key.sign_with_rng(rng, &context.message(transcript));
        signature.to_vec()
    }
}

/// Reads SPKI PEM (`BEGIN PUBLIC KEY`): DER of 422 bytes.
///
/// # Errors
/// [`KeyError`] when it is something else, or not of 3072 bits with e = 65537.
pub fn public_from_pem(pem: &str) -> Result<Vec<u8>, KeyError> {
    let key = RsaPublicKey::from_public_key_pem(pem).map_err(|e| KeyError(e.to_string()))?;
    let spki = key
        .to_public_key_der()
        .map_err(|e| KeyError(e.to_string()))?;
    let spki = spki.into_vec();
    public_key(&spki).ok_or_else(wrong_size)?;
    Ok(spki)
}

/// Whether the signature is by this key, for this use, over this transcript.
pub fn verify(spki: &[u8], context: Context, transcript: &[u8; 32], signature: &[u8]) -> bool {
    let Some(key) = public_key(spki) else {
        return false;
    };
    let Ok(signature) = pss::Signature::try_from(signature) else {
        return false;
    };
    pss::VerifyingKey::<Sha256>::new(key)
        .verify(&context.message(transcript), &signature)
        .is_ok()
}

/// What a client pins: SHA-256 of the host's SPKI.
pub fn fingerprint(spki: &[u8]) -> [u8; 32] {
    Sha256::digest(spki).into()
}

fn public_key(spki: &[u8]) -> Option<RsaPublicKey> {
    let key = RsaPublicKey::from_public_key_der(spki).ok()?;
    let ours = key.n().bits() == BITS && spki.len() == SPKI;
    ours.then_some(key)
}

fn wrong_size() -> KeyError {
    KeyError("it is not an RSA key of 3072 bits with e = 65537".to_owned())
}
