//! Where everything personal comes from.

use rand::{SeedableRng, TryRng, rngs::ChaCha20Rng, rngs::SysRng};
use sha2::{Digest, Sha256};

/// 32 bytes. Each purpose draws from a separate stream, so that one more draw in one place changes no other.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// A seed for one purpose.
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
        ChaCha20Rng::from_seed(self.child(purpose).0)
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
