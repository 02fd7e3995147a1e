//! Where everything personal comes from.

use rand::{SeedableRng, TryRng, rngs::ChaCha20Rng, rngs::SysRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 32 bytes. Each purpose draws from a separate stream, so that one more draw in one place changes no other. In a file it
/// is 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seed([u8; 32]);

impl Seed {
    /// From the operating system.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn fresh() -> anyhow::Result<Self> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed)?;
        Ok(Self(seed))
    }

    /// A chosen number, so that a run can be repeated.
    pub fn chosen(number: u64) -> Self {
        Self(Sha256::digest(number.to_be_bytes()).into())
    }

    /// As hex, for the state file.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// From [`Seed::to_hex`].
    ///
    /// # Errors
    /// When the text is not 64 hex digits.
    pub fn from_hex(digits: &str) -> anyhow::Result<Self> {
        let mut seed = [0; 32];
        hex::decode_to_slice(digits, &mut seed)?;
        Ok(Self(seed))
    }

    /// From 32 bytes that somebody else has derived.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as the key of a message authentication code.
    pub(super) fn mac_key(&self) -> [u8; 32] {
        self.0
    }

    /// A seed for one purpose. It tells nothing about the seed that it comes from.
    pub fn child(&self, purpose: &str) -> Self {
        Self(
            Sha256::new()
                .chain_update(self.0)
                .chain_update(purpose)
                .finalize()
                .into(),
        )
    }

    /// The stream of random bytes for one purpose.
    pub fn stream(&self, purpose: &str) -> ChaCha20Rng {
        self.child(purpose).only_stream()
    }

    /// The stream of random bytes of a seed that has one purpose.
    pub fn only_stream(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.0)
    }
}

impl TryFrom<String> for Seed {
    type Error = anyhow::Error;

    fn try_from(digits: String) -> anyhow::Result<Self> {
        Self::from_hex(&digits)
    }
}

impl From<Seed> for String {
    fn from(seed: Seed) -> Self {
        seed.to_hex()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_purposes_differ() {
        let seed = Seed::chosen(7);
        assert_eq!(Seed::from_hex(&seed.to_hex()).unwrap(), seed);
        assert_eq!(seed.child("a"), Seed::chosen(7).child("a"));
        assert_ne!(seed.child("a"), seed.child("b"));
        assert_ne!(seed.child("a"), Seed::chosen(8).child("a"));
        assert!(Seed::from_hex("00").is_err());
    }
}
