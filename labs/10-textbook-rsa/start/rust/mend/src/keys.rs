//! Keys that sign: RSA-PSS with SHA-256 and a salt of 32 bytes, by keys of 3072 bits.
//!
//! ```text
//! signature = over context ‖ 00 ‖ hash
//! ```

use rsa::{
    BoxedUint, RsaPrivateKey, RsaPublicKey,
    hazmat::rsa_decrypt,
    pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey},
    pss::{Signature, SigningKey, VerifyingKey},
    rand_core::CryptoRng,
    signature::Verifier,
    traits::PublicKeyParts,
};
// Your part needs these two, and `generator`.
#[allow(unused_imports)]
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
#[allow(unused_imports)]
use crate::random::generator;

/// Bytes of a public key: DER of a SubjectPublicKeyInfo.
pub const SPKI: usize = 422;
/// Bytes of a signature.
pub const SIGNATURE: usize = 384;

pub struct PrivateKey(RsaPrivateKey);

impl PrivateKey {
    pub fn from_pem(pem: &str) -> Result<Self> {
        let key = RsaPrivateKey::from_pkcs8_pem(pem).map_err(|why| why.to_string())?;
        Ok(Self(key))
    }

    pub fn public(&self) -> Result<PublicKey> {
        PublicKey::new(self.0.to_public_key())
    }

    /// A signature. The context says what it is for, so that it is good for nothing else.
    pub fn sign(&self, context: &[u8], hash: &[u8; 32]) -> Vec<u8> {
        // Your part. This is textbook RSA: the message itself, to the power of d.
        let message = [context, &[0], hash].concat();
        let m = BoxedUint::from_be_slice(&message, self.0.n_bits_precision()).expect("it is shorter than the key");
        let s = rsa_decrypt(None::<&mut dyn CryptoRng>, &self.0, &m).expect("it is below the modulus");
        s.to_be_bytes().to_vec()
    }

    /// The key, for signatures with the padding PSS.
    pub fn pss(&self) -> SigningKey<Sha256> {
        SigningKey::new(self.0.clone())
    }
}

pub struct PublicKey {
    key: RsaPublicKey,
    /// Its DER, which travels.
    pub spki: Vec<u8>,
}

impl PublicKey {
    pub fn from_pem(pem: &str) -> Result<Self> {
        Self::new(RsaPublicKey::from_public_key_pem(pem).map_err(|why| why.to_string())?)
    }

    fn new(key: RsaPublicKey) -> Result<Self> {
        let spki = key.to_public_key_der().map_err(|why| why.to_string())?.into_vec();
        match key.n().bits() == 3072 && spki.len() == SPKI {
            true => Ok(Self { key, spki }),
            false => Err("it is no RSA key of 3072 bits with e = 65537".into()),
        }
    }

    /// An error unless this key has signed this hash for this purpose.
    pub fn verify(&self, context: &[u8], hash: &[u8; 32], signature: &[u8]) -> Result<()> {
        let wrong = |_| Error::from("the signature is wrong");
        let signature = Signature::try_from(signature).map_err(wrong)?;
        let key = VerifyingKey::<Sha256>::new(self.key.clone());
        let message = [context, &[0], hash].concat();
        key.verify(&message, &signature).map_err(wrong)
    }
}

pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}
