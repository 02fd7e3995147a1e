//! What the whole cases are made of.

/// A keystream with no pattern that helps anyone.
pub(crate) fn key(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Lines that no model was trained on.
pub(crate) const HELD_OUT: &str = include_str!("../held-out.txt");
