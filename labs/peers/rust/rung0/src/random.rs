//! Randomness of the operating system. If its generator fails, there is nothing to go on with.

use getrandom::SysRng;
use rsa::rand_core::{Rng, UnwrapErr};

/// So many random bytes.
pub fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    generator().fill_bytes(&mut bytes);
    bytes
}

/// The generator.
pub fn generator() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}
