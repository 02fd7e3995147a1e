//! Many generators seeded side by side.
//!
//! Everything here is loops over arrays `[u32; L]` with only additions, multiplications, shifts and exclusive ors. The
//! compiler turns each into a few vector instructions. `multiversion` compiles them for several instruction sets and
//! takes the best one at run time. No intrinsics.

use multiversion::{multiversion, target::match_target};

use super::{SECRETS_LEN, Secrets};
use crate::generators::{Generator, M, SCRAMBLED, STATE_WORDS, TWIST, init_step, temper};

/// Seeds per call of [`fill`].
pub(super) const LANES: usize = 128;

/// The secrets of the seeds `first`, `first + 1`, ... `first + 127`. `first` must be a multiple of [`LANES`].
// 128 lanes of state fill the 32 registers of AVX-512; with the 16 of AVX2, 64 lanes are faster.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
pub(super) fn fill(generator: Generator, first: u64, out: &mut [Secrets; LANES]) {
    match_target! {
        "x86_64+avx512f+avx512dq+avx512vl" => fill_by::<128>(generator, first, out),
        _ => fill_by::<64>(generator, first, out),
    }
}

#[inline(always)]
fn fill_by<const L: usize>(generator: Generator, first: u64, out: &mut [Secrets; LANES]) {
    for (part, out) in out.as_chunks_mut::<L>().0.iter_mut().enumerate() {
        let first = first + (part * L) as u64;
        match generator {
            Generator::Mt19937 => words(&one_step::<L, 10>(first), out),
            Generator::PhpMtRand => bytes(&one_step::<L, 40>(first), out),
            Generator::PythonRandom if first >> 32 == 0 => {
                words(&from_key::<L, false>(first), out);
            }
            Generator::PythonRandom => words(&from_key::<L, true>(first), out),
            Generator::CRand => c_rand(first, out),
            Generator::Xorshift64Star => each(Generator::Xorshift64Star, first, out),
            Generator::JavaRandom => each(Generator::JavaRandom, first, out),
        }
    }
}

/// One lane after the other, for generators whose state is a single word. Compiled for each generator by itself: the
/// compiler then sees that nothing else can be meant.
#[inline(always)]
fn each<const L: usize>(generator: Generator, first: u64, out: &mut [Secrets; L]) {
    for (lane, secrets) in out.iter_mut().enumerate() {
        generator.fill(first + lane as u64, secrets);
    }
}

/// One number for each lane.
type Lanes<const L: usize> = [u32; L];

/// The lower halves of the seeds.
#[inline(always)]
fn seeds<const L: usize>(first: u64) -> Lanes<L> {
    let mut seeds = [0; L];
    for (lane, seed) in seeds.iter_mut().enumerate() {
        *seed = (first as u32).wrapping_add(lane as u32);
    }
    seeds
}

/// The state words that the first W outputs of the Mersenne Twister are made of: 0 to W, and M to M + W - 1.
struct Words<const L: usize, const W: usize> {
    low: [Lanes<L>; 64],
    high: [Lanes<L>; W],
}

impl<const L: usize, const W: usize> Words<L, W> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            low: [[0; L]; 64],
            high: [[0; L]; W],
        }
    }

    /// Output `k` in each lane.
    #[inline(always)]
    fn output(&self, k: usize) -> Lanes<L> {
        let (this, next) = (&self.low[k], &self.low[k + 1]);
        let mut output = self.high[k];
        for ((output, this), next) in output.iter_mut().zip(this).zip(next) {
            let mixed = (this & 0x8000_0000) | (next & 0x7fff_ffff);
            *output = temper(*output ^ (mixed >> 1) ^ (TWIST & (mixed & 1).wrapping_neg()));
        }
        output
    }
}

/// The one-step seeding: a chain in which each word needs the one before, so nothing before word M + W can be left out.
#[inline(always)]
fn one_step<const L: usize, const W: usize>(first: u64) -> Words<L, W> {
    let mut words = Words::new();
    let mut x = seeds(first);
    words.low[0] = x;
    for i in 1..=W {
        init_lanes(&mut x, i);
        words.low[i] = x;
    }
    for i in W + 1..M {
        init_lanes(&mut x, i);
    }
    for (k, word) in words.high.iter_mut().enumerate() {
        init_lanes(&mut x, M + k);
        *word = x;
    }
    words
}

#[inline(always)]
fn init_lanes<const L: usize>(x: &mut Lanes<L>, i: usize) {
    for x in x {
        *x = init_step(*x, i as u32);
    }
}

/// The state that every seeding with a key starts from.
const SCRAMBLED_STATE: [u32; STATE_WORDS] = {
    let mut state = [SCRAMBLED; STATE_WORDS];
    let mut i = 1;
    while i < STATE_WORDS {
        state[i] = init_step(state[i - 1], i as u32);
        i += 1;
    }
    state
};

/// CPython's seeding with an integer of one 32-bit word, or of TWO.
///
/// The key goes over the state in two passes, and the second needs the words of the first. They would not fit into the
/// nearest cache for all lanes, so the first pass is done twice. It runs once for its end, where the second pass
/// begins, and once more in step with the second.
#[inline(always)]
fn from_key<const L: usize, const TWO: bool>(first: u64) -> Words<L, 10> {
    let low: Lanes<L> = seeds(first);
    let high = (first >> 32) as u32;
    // Round t of the first pass adds word t mod 2 of the key and that index, or always the only word.
    let pass_1 = |x: &mut Lanes<L>, before: u32, round: usize| {
        for (x, low) in x.iter_mut().zip(&low) {
            let key = if TWO && round % 2 == 1 {
                high.wrapping_add(1)
            } else {
                *low
            };
            *x = (before ^ mix(*x, 1_664_525)).wrapping_add(key);
        }
    };
    let pass_2 = |y: &mut Lanes<L>, before: &Lanes<L>, i: usize| {
        for (y, before) in y.iter_mut().zip(before) {
            *y = (before ^ mix(*y, 1_566_083_941)).wrapping_sub(i as u32);
        }
    };

    let mut x = [SCRAMBLED; L];
    pass_1(&mut x, SCRAMBLED_STATE[1], 0);
    let word_1 = x;
    for (round, &before) in SCRAMBLED_STATE[2..].iter().enumerate() {
        pass_1(&mut x, before, round + 1);
    }
    // The pass ends at word 1, which it meets a second time.
    let mut y = [0; L];
    for lane in 0..L {
        let key = if TWO { high.wrapping_add(1) } else { low[lane] };
        y[lane] = (word_1[lane] ^ mix(x[lane], 1_664_525)).wrapping_add(key);
    }
    let last_of_pass_1 = y;

    let mut words = Words::new();
    x = word_1;
    let mut step = |i: usize| {
        pass_1(&mut x, SCRAMBLED_STATE[i], i - 1);
        pass_2(&mut y, &x, i);
        y
    };
    for i in 2..=10 {
        words.low[i] = step(i);
    }
    for i in 11..M {
        step(i);
    }
    for (k, word) in words.high.iter_mut().enumerate() {
        *word = step(M + k);
    }
    for i in M + 10..STATE_WORDS {
        step(i);
    }
    pass_2(&mut y, &last_of_pass_1, 1);
    words.low[1] = y;
    words.low[0] = [1 << 31; L];
    words
}

#[inline(always)]
fn mix(word: u32, multiplier: u32) -> u32 {
    (word ^ (word >> 30)).wrapping_mul(multiplier)
}

/// Ten outputs, four bytes each.
#[inline(always)]
fn words<const L: usize>(words: &Words<L, 10>, out: &mut [Secrets; L]) {
    for k in 0..SECRETS_LEN / 4 {
        store(&words.output(k), k, out);
    }
}

/// The lowest byte of forty outputs.
#[inline(always)]
fn bytes<const L: usize>(words: &Words<L, 40>, out: &mut [Secrets; L]) {
    let mut k = 0;
    low_bytes(out, || {
        k += 1;
        words.output(k - 1)
    });
}

/// Forty outputs, of which the lowest byte is taken. Four make a word first, which saves three of four scattered stores.
#[inline(always)]
fn low_bytes<const L: usize>(out: &mut [Secrets; L], mut next: impl FnMut() -> Lanes<L>) {
    for k in 0..SECRETS_LEN / 4 {
        let mut word = [0; L];
        for shift in [0, 8, 16, 24] {
            for (word, output) in word.iter_mut().zip(next()) {
                *word |= (output & 0xff) << shift;
            }
        }
        store(&word, k, out);
    }
}

/// Makes one word of each lane word `k` of its secrets.
#[inline(always)]
fn store<const L: usize>(word: &Lanes<L>, k: usize, out: &mut [Secrets; L]) {
    for (secrets, word) in out.iter_mut().zip(word) {
        secrets[4 * k..][..4].copy_from_slice(&word.to_le_bytes());
    }
}

/// glibc's `rand`: see `generators::small`.
#[inline(always)]
fn c_rand<const L: usize>(first: u64, out: &mut [Secrets; L]) {
    const MODULUS: u64 = i32::MAX as u64;
    let mut ring = [[0; L]; 31];
    // Seed 0 counts as 1, and one above 2^31 is a negative number to the library.
    ring[0] = seeds::<L>(first).map(|seed| seed.max(1));
    let signed = |seed: u32| i64::from(seed as i32).rem_euclid(MODULUS as i64);
    let mut word = ring[0].map(|seed| signed(seed) as u32);
    for row in &mut ring[1..] {
        for word in &mut word {
            // Modulo 2^31 - 1 the upper bits count once more as lower ones.
            let product = u64::from(*word) * 16_807;
            let folded = (product & MODULUS) + (product >> 31);
            *word = folded.min(folded.wrapping_sub(MODULUS)) as u32;
        }
        *row = word;
    }
    let mut at = 3;
    let mut next = || {
        let recent = ring[(at + 28) % 31];
        for (word, recent) in ring[at].iter_mut().zip(recent) {
            *word = word.wrapping_add(recent);
        }
        let output = ring[at].map(|word| word >> 1);
        at = (at + 1) % 31;
        output
    };
    for _ in 0..310 {
        next();
    }
    low_bytes(out, next);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition.
    fn plain(generator: Generator, first: u64) -> [Secrets; LANES] {
        std::array::from_fn(|lane| generator.bytes(first + lane as u64))
    }

    #[test]
    fn every_lane_is_what_the_plain_generator_gives() {
        for generator in Generator::ALL {
            for first in [
                0,
                128,
                1_700_000_000 / 128 * 128,
                (1 << 31) - 128,
                1 << 31,
                (1 << 32) - 128,
                1 << 32,
                1_700_000_000_123_456 / 128 * 128,
                u64::MAX - 127,
            ] {
                let expected = plain(generator, first);
                let mut out = [[0; SECRETS_LEN]; LANES];
                fill(generator, first, &mut out);
                assert!(out == expected, "{generator} from {first}");
                // The widths that this machine does not choose.
                out = [[0; SECRETS_LEN]; LANES];
                fill_by::<64>(generator, first, &mut out);
                assert!(out == expected, "{generator} from {first}, 64 lanes");
                fill_by::<128>(generator, first, &mut out);
                assert!(out == expected, "{generator} from {first}, 128 lanes");
            }
        }
    }
}
