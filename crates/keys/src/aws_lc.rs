//! RSA-PSS in constant time, by `aws-lc-rs`, for the programs that people deploy.
//!
//! The faithful protocol and the lab use the `rsa` crate, whose private operations take a time that depends on the key
//! (RUSTSEC-2023-0071). A server that anybody can ask for signatures must not.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, UnparsedPublicKey},
};
use latchstring_net::{
    protocol::hardened::signature::{SignError, Signer, Verifier},
    public_key::{Bits, KeyError, check_public_key},
};

/// Checks signatures; holds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct AwsLc;

impl Verifier for AwsLc {
    fn verify(&self, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
        check_public_key(spki).is_ok() && pss_holds(spki, message, signature)
    }
}

/// PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes, for a key of any size that the library takes.
fn pss_holds(spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, spki)
        .verify(message, signature)
        .is_ok()
}

/// An RSA private key that signs in constant time. The library wipes it when it is dropped.
pub struct RsaKey {
    pair: KeyPair,
    spki: Vec<u8>,
    bits: Bits,
}

impl RsaKey {
    /// Makes a key from the operating system's randomness; e = 65537. Takes about a second.
    ///
    /// # Errors
    /// [`KeyError::Generate`] when the library fails.
    pub fn generate(bits: Bits) -> Result<Self, KeyError> {
        let size = match bits {
            Bits::B3072 => KeySize::Rsa3072,
            Bits::B4096 => KeySize::Rsa4096,
        };
        Self::checked(KeyPair::generate(size).map_err(|_| KeyError::Generate)?)
    }

    /// Reads DER of a PKCS#8 `PrivateKeyInfo` and checks that its numbers belong together.
    ///
    /// # Errors
    /// [`KeyError::Private`] for anything else, [`KeyError::Size`] or [`KeyError::Public`] for a key that the protocol
    /// does not allow.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8(der).map_err(|why| KeyError::Private(why.to_string()))?;
        Self::checked(pair)
    }

    /// DER of the PKCS#8 `PrivateKeyInfo`, wiped when dropped.
    ///
    /// # Errors
    /// [`KeyError::Private`] when the library cannot encode it.
    pub fn to_pkcs8(&self) -> Result<Pkcs8V1Der<'static>, KeyError> {
        (self.pair.as_der()).map_err(|_| KeyError::Private("it cannot be encoded".to_owned()))
    }

    /// Size of the key.
    pub fn bits(&self) -> Bits {
        self.bits
    }

    fn checked(pair: KeyPair) -> Result<Self, KeyError> {
        let spki: PublicKeyX509Der<'static> =
            (pair.public_key().as_der()).map_err(|_| KeyError::Public)?;
        let spki = spki.as_ref().to_vec();
        let bits = check_public_key(&spki)?;
        Ok(Self { pair, spki, bits })
    }
}

impl std::fmt::Debug for RsaKey {
    /// Nothing of the private half.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RsaKey")
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

impl Signer for RsaKey {
    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.bits.modulus_len()];
        self.pair
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| SignError("the library failed".to_owned()))?;
        release(&self.spki, message, signature)
    }
}

/// Lets a signature out only if it is right.
///
/// With the Chinese remainder theorem a signature is put together from one half for each prime. Suppose a fault (heat,
/// a bad memory cell, an attacker with a voltage glitch) spoils one half. Then `gcd(signature^e - m, n)` **is** a prime
/// factor: one wrong signature reveals the key (Boneh, DeMillo and Lipton, 1997).
fn release(spki: &[u8], message: &[u8], signature: Vec<u8>) -> Result<Vec<u8>, SignError> {
    if pss_holds(spki, message, &signature) {
        Ok(signature)
    } else {
        Err(SignError(
            "the signature came out wrong and was not sent: check this machine's memory".to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests;
