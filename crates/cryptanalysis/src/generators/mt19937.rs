//! The Mersenne Twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8(1), 1998), with both of its seedings of 2002.

/// Number of state words.
pub(crate) const N: usize = 624;
/// Distance of the word that is mixed in.
pub(crate) const M: usize = 397;
/// The matrix of the recurrence, as one word.
pub(crate) const TWIST: u32 = 0x9908_b0df;

/// A seeded Mersenne Twister.
#[derive(Clone)]
pub struct Mt19937 {
    state: [u32; N],
    next: usize,
}

impl std::fmt::Debug for Mt19937 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mt19937").finish_non_exhaustive()
    }
}

/// The one-step seeding's word `i`, from word `i - 1`.
#[inline(always)]
pub(crate) const fn init_step(before: u32, i: u32) -> u32 {
    1_812_433_253u32
        .wrapping_mul(before ^ (before >> 30))
        .wrapping_add(i)
}

/// The state from which every seeding with an array begins: that of the one-step seed 19650218.
pub(crate) const SCRAMBLED: u32 = 19_650_218;

impl Mt19937 {
    /// One-step seeding with 32 bits (`init_genrand`), as in C++ and PHP.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; N];
        for i in 1..N {
            state[i] = init_step(state[i - 1], i as u32);
        }
        Self { state, next: N }
    }

    /// Seeding with an array of words (`init_by_array`), as in CPython. An empty key is not allowed there either; here
    /// it is taken as one zero.
    pub fn from_key(key: &[u32]) -> Self {
        let key = if key.is_empty() { &[0] } else { key };
        let mut mt = Self::new(SCRAMBLED);
        let state = &mut mt.state;
        let mut i = 1;
        for j in (0..key.len()).cycle().take(N.max(key.len())) {
            let mixed = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_664_525);
            state[i] = (state[i] ^ mixed)
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i = advance(state, i);
        }
        for _ in 1..N {
            let mixed = (state[i - 1] ^ (state[i - 1] >> 30)).wrapping_mul(1_566_083_941);
            state[i] = (state[i] ^ mixed).wrapping_sub(i as u32);
            i = advance(state, i);
        }
        state[0] = 1 << 31;
        mt
    }

    /// CPython's `random.seed(seed)`: the key is the integer in as few 32-bit words as it needs, the lowest first.
    pub fn from_integer(seed: u64) -> Self {
        let (low, high) = (seed as u32, (seed >> 32) as u32);
        match high {
            0 => Self::from_key(&[low]),
            high => Self::from_key(&[low, high]),
        }
    }

    /// The next output.
    pub fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.twist();
            self.next = 0;
        }
        let word = self.state[self.next];
        self.next += 1;
        temper(word)
    }

    fn twist(&mut self) {
        for i in 0..N {
            let (this, next) = (self.state[i], self.state[(i + 1) % N]);
            let mixed = (this & 0x8000_0000) | (next & 0x7fff_ffff);
            self.state[i] =
                self.state[(i + M) % N] ^ (mixed >> 1) ^ (TWIST & (mixed & 1).wrapping_neg());
        }
    }
}

/// The next index of `init_by_array`: the words go round, and word 0 becomes the last.
fn advance(state: &mut [u32; N], i: usize) -> usize {
    if i + 1 < N {
        return i + 1;
    }
    state[0] = state[N - 1];
    1
}

/// The last step of every output; it is a bijection, so an output tells its state word.
#[inline(always)]
pub fn temper(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    word ^ (word >> 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_thousandth_output_is_that_of_the_cpp_standard() {
        // C++11, 26.5.5 [rand.predef]: std::mt19937 with its default seed.
        let mut mt = Mt19937::new(5489);
        assert_eq!(
            (0..10_000).map(|_| mt.next_u32()).last(),
            Some(4_123_659_995)
        );
    }

    #[test]
    fn an_array_seeds_as_in_the_authors_test() {
        // mt19937ar.out, published with the reference implementation.
        let mut mt = Mt19937::from_key(&[0x123, 0x234, 0x345, 0x456]);
        let first = [0; 5].map(|_| mt.next_u32());
        assert_eq!(
            first,
            [1067595299, 955945823, 477289528, 4107218783, 4228976476]
        );
    }

    #[test]
    fn mt_rand_of_php_is_as_php_itself_tests_it() {
        // php-src, ext/standard/tests/math/mt_rand_value.phpt: mt_srand(12345678); mt_rand() has 31 bits.
        let mut mt = Mt19937::new(12_345_678);
        let first = [0; 8].map(|_| mt.next_u32() >> 1);
        assert_eq!(
            first,
            [
                527860569, 1711027313, 1280820687, 688176834, 770499160, 412773096, 813703253,
                898651287
            ]
        );
        let rest = (8..16).map(|_| mt.next_u32()).count();
        let folded = (0..1024).fold(0, |x, _| x ^ (mt.next_u32() >> 1));
        assert_eq!((rest, folded), (8, 1_612_214_270));
    }
}
