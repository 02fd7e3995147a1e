//! The generators with a small state.

/// Words of glibc's TYPE_3 generator, and how far back the second term lies.
const DEGREE: usize = 31;
const SEPARATION: usize = 28;
/// Outputs that `srand` throws away.
const DISCARDED: usize = 310;

/// `rand` of the GNU C library: `r[i] = r[i - 3] + r[i - 31]`, and the lowest bit is dropped.
#[derive(Clone, Debug)]
pub(super) struct CRand {
    words: [u32; DEGREE],
    at: usize,
}

impl CRand {
    /// `srand(seed)`. Seed 0 is taken as 1.
    pub(super) fn new(seed: u32) -> Self {
        // The library computes this with signed numbers; a seed of 2^31 and more is negative there.
        let mut word = seed.max(1) as i32;
        let mut words = [word as u32; DEGREE];
        for slot in &mut words[1..] {
            // Park and Miller's minimal standard: 16807 * word mod 2^31 - 1, with Schrage's trick against overflow.
            word = 16_807 * (word % 127_773) - 2_836 * (word / 127_773);
            if word < 0 {
                word += i32::MAX;
            }
            *slot = word as u32;
        }
        // r[31], r[32] and r[33] are copies of r[0], r[1] and r[2]: the feedback begins at slot 3.
        let mut rand = Self { words, at: 3 };
        for _ in 0..DISCARDED {
            rand.next_i31();
        }
        rand
    }

    /// `rand()`: 31 bits.
    pub(super) fn next_i31(&mut self) -> u32 {
        // Slot `at` holds r[i - 31] still; three before it in the ring is r[i - 3].
        let recent = self.words[(self.at + SEPARATION) % DEGREE];
        let word = self.words[self.at].wrapping_add(recent);
        self.words[self.at] = word;
        self.at = (self.at + 1) % DEGREE;
        word >> 1
    }
}

/// Xorshift64*.
#[derive(Clone, Debug)]
pub(super) struct Xorshift64Star(u64);

impl Xorshift64Star {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// `java.util.Random`, as its documentation defines it.
#[derive(Clone, Debug)]
pub(super) struct JavaRandom(u64);

impl JavaRandom {
    const MULTIPLIER: u64 = 0x5_deec_e66d;
    const MASK: u64 = (1 << 48) - 1;

    pub(super) fn new(seed: u64) -> Self {
        Self((seed ^ Self::MULTIPLIER) & Self::MASK)
    }

    /// `nextInt()`: the upper 32 of the 48 bits.
    pub(super) fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(Self::MULTIPLIER).wrapping_add(11) & Self::MASK;
        (self.0 >> 16) as u32
    }
}
