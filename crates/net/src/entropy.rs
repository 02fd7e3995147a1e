//! Where randomness comes from.
//!
//! The protocol takes random bytes as arguments. The programs that people deploy fill them from the operating system.
//! The lab hands in a seeded source, so that a session can be replayed byte for byte.

use rand::{TryRng, rngs::SysRng};

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Overwrites `out` with bytes that nobody else can predict.
    fn fill(&self, out: &mut [u8]);

    /// An array of fresh random bytes.
    fn array<const N: usize>(&self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The operating system's generator (`getrandom(2)` on Linux), the only source fit for a deployed program.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    /// # Panics
    /// When the operating system has no randomness to give. No key made after that could be trusted, so the program
    /// must not go on.
    fn fill(&self, out: &mut [u8]) {
        SysRng
            .try_fill_bytes(out)
            .expect("the operating system gives randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fills_differ_and_reach_the_last_byte() {
        let (a, b): ([u8; 64], [u8; 64]) = (OsEntropy.array(), OsEntropy.array());
        assert_ne!(a, b);
        assert_ne!(a[48..], [0; 16]);
    }

    #[test]
    fn the_trait_can_be_handed_in_as_an_object() {
        let source: &dyn Entropy = &OsEntropy;
        let mut out = [0; 32];
        source.fill(&mut out);
        assert_ne!(out, [0; 32]);
    }
}
