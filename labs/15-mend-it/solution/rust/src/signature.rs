//! RSA-PSS with SHA-256 and a salt of 32 bytes, by keys of 3072 bits: the host's from rung 5 on, the users' from rung 6 on.

use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey},
    pss::{Signature, SigningKey, VerifyingKey},
    signature::{RandomizedSigner, SignatureEncoding, Verifier},
    traits::PublicKeyParts,
};
use sha2::Sha256;

use crate::random::generator;

/// Bytes of a signature.
pub const SIGNATURE: usize = 384;
/// Bytes of a public key: DER of a SubjectPublicKeyInfo.
pub const SPKI: usize = 422;

/// What a signature is for. A signature for one use is never one for the other, since the signed words differ.
#[derive(Clone, Copy)]
pub enum Use {
    Host,
    User,
}

impl Use {
    fn message(self, transcript: &[u8; 32]) -> Vec<u8> {
        let context: &[u8] = match self {
            Self::Host => b"ladder host signature\0",
            Self::User => b"ladder user signature\0",
        };
        [context, transcript].concat()
    }
}

pub struct PrivateKey {
    key: SigningKey<Sha256>,
    pub public: PublicKey,
}

impl PrivateKey {
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).map_err(|why| why.to_string())?;
        let public = PublicKey::new(key.to_public_key())?;
        Ok(Self {
            key: SigningKey::new(key),
            public,
        })
    }

    pub fn sign(&self, purpose: Use, transcript: &[u8; 32]) -> Vec<u8> {
        let message = purpose.message(transcript);
        self.key
            .sign_with_rng(&mut generator(), &message)
            .to_vec()
    }
}

pub struct PublicKey {
    key: RsaPublicKey,
    pub spki: Vec<u8>,
}

impl PublicKey {
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        Self::new(RsaPublicKey::from_public_key_pem(pem).map_err(|why| why.to_string())?)
    }

    fn new(key: RsaPublicKey) -> Result<Self, String> {
        let spki = key
            .to_public_key_der()
            .map_err(|why| why.to_string())?
            .into_vec();
        match key.n().bits() == 3072 && spki.len() == SPKI {
            true => Ok(Self { key, spki }),
            false => Err("it is not an RSA key of 3072 bits with e = 65537".to_owned()),
        }
    }

    /// Whether the signature is by this key, for this use, over this transcript.
    pub fn verify(&self, purpose: Use, transcript: &[u8; 32], signature: &[u8]) -> bool {
        let key = VerifyingKey::<Sha256>::new(self.key.clone());
        let message = purpose.message(transcript);
        Signature::try_from(signature)
            .is_ok_and(|signature| key.verify(&message, &signature).is_ok())
    }
}
