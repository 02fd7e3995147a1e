//! The generators that people reach for when they need a random key, and should not.
//!
//! Each is fixed by its seed alone, and the seed is a small number: often the time. So a server that draws its session
//! key from such a generator has as many keys as seeds. An attacker who can guess the minute can try them all (see
//! [`crate::seeds`]). Netscape 1.1 was broken in this way (Goldberg and Wagner, "Randomness and the Netscape browser",
//! Dr. Dobb's, 1996).
//!
//! Every one is bit-exact: `vectors.txt` holds what the real implementations gave.

mod mt19937;
mod small;

use std::{fmt, str::FromStr};

pub(crate) use mt19937::{M, N as STATE_WORDS, SCRAMBLED, TWIST, init_step};
pub use mt19937::{Mt19937, temper};
use small::{CRand, JavaRandom, Xorshift64Star};

/// A weak generator, and the way a program usually makes bytes with it. The documented byte order is this:
///
/// | generator | what the program calls for `n` bytes | seeds that differ |
/// | --- | --- | --- |
/// | [`PythonRandom`](Self::PythonRandom) | `random.seed(s); random.randbytes(n)` | all (ours: 2^64) |
/// | [`Mt19937`](Self::Mt19937) | C++ `std::mt19937 g(s)`, each `g()` as four little-endian bytes | 2^32 |
/// | [`PhpMtRand`](Self::PhpMtRand) | `mt_srand($s)`, each byte `chr(mt_rand(0, 255))`, PHP 7.1 and later | 2^32 |
/// | [`CRand`](Self::CRand) | `srand(s)`, each byte `rand() & 255`, glibc | 2^32 - 1 |
/// | [`Xorshift64Star`](Self::Xorshift64Star) | state = seed, each output as eight little-endian bytes | 2^64 - 1 |
/// | [`JavaRandom`](Self::JavaRandom) | `new java.util.Random(s).nextBytes(b)` | 2^48 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generator {
    /// CPython's `random`: the Mersenne Twister, seeded with an integer of any size. `randbytes(n)` for a multiple of
    /// four equals `getrandbits(8 * n).to_bytes(n, "little")`.
    PythonRandom,
    /// The Mersenne Twister as in C++ `std::mt19937` (and PHP 8's `Randomizer` over `Engine\Mt19937`).
    Mt19937,
    /// PHP's `mt_rand(0, 255)`: the lowest byte of each output of the Mersenne Twister.
    PhpMtRand,
    /// `rand` of the GNU C library (its default, TYPE_3: additive feedback over 31 words).
    CRand,
    /// Marsaglia's xorshift with a multiplication (Vigna, "An experimental exploration of Marsaglia's xorshift generators,
    /// scrambled", 2014). Seed 0 gives zeros for ever.
    Xorshift64Star,
    /// Java's `java.util.Random`: a linear congruential generator of 48 bits.
    JavaRandom,
}

impl Generator {
    /// All generators, in the order of the table.
    pub const ALL: [Self; 6] = [
        Self::PythonRandom,
        Self::Mt19937,
        Self::PhpMtRand,
        Self::CRand,
        Self::Xorshift64Star,
        Self::JavaRandom,
    ];

    /// The name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::PythonRandom => "python",
            Self::Mt19937 => "mt19937",
            Self::PhpMtRand => "php",
            Self::CRand => "c-rand",
            Self::Xorshift64Star => "xorshift64*",
            Self::JavaRandom => "java",
        }
    }

    /// Seeds the generator. Like the real ones, those with small seeds drop the upper bits.
    #[inline(always)]
    pub fn start(self, seed: u64) -> Stream {
        // The real functions take `unsigned int`, `uint32_t` and `int`: truncation is what they do.
        let low = seed as u32;
        Stream(match self {
            Self::PythonRandom => State::Words(Mt19937::from_integer(seed)),
            Self::Mt19937 => State::Words(Mt19937::new(low)),
            Self::PhpMtRand => State::Bytes(Mt19937::new(low)),
            Self::CRand => State::CRand(CRand::new(low)),
            Self::Xorshift64Star => State::Xorshift(Xorshift64Star::new(seed)),
            Self::JavaRandom => State::Java(JavaRandom::new(seed)),
        })
    }

    /// The first `out.len()` bytes that `seed` gives.
    #[inline(always)]
    pub fn fill(self, seed: u64, out: &mut [u8]) {
        self.start(seed).fill(out);
    }

    /// The first `N` bytes that `seed` gives.
    pub fn bytes<const N: usize>(self, seed: u64) -> [u8; N] {
        let mut out = [0; N];
        self.fill(seed, &mut out);
        out
    }
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no generator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownGenerator(String);

impl fmt::Display for UnknownGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Generator::ALL.map(Generator::name).join(", ");
        write!(f, "there is no generator {:?}: take one of {known}", self.0)
    }
}

impl std::error::Error for UnknownGenerator {}

impl FromStr for Generator {
    type Err = UnknownGenerator;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|generator| generator.name() == name)
            .ok_or_else(|| UnknownGenerator(name.to_owned()))
    }
}

/// A seeded generator, which goes on where it stopped: the source of a server's keys, session after session.
#[derive(Clone, Debug)]
pub struct Stream(State);

#[derive(Clone, Debug)]
enum State {
    /// Four bytes of each output.
    Words(Mt19937),
    /// One byte of each output.
    Bytes(Mt19937),
    CRand(CRand),
    Xorshift(Xorshift64Star),
    Java(JavaRandom),
}

impl Stream {
    /// The next `out.len()` bytes.
    ///
    /// Each call begins with a fresh output, as a call of the real function does: the rest of an output is lost.
    #[inline(always)]
    pub fn fill(&mut self, out: &mut [u8]) {
        match &mut self.0 {
            State::Words(mt) => fill_words(out, || mt.next_u32()),
            State::Bytes(mt) => out.fill_with(|| mt.next_u32() as u8),
            State::CRand(c) => out.fill_with(|| c.next_i31() as u8),
            State::Xorshift(x) => {
                for chunk in out.chunks_mut(8) {
                    chunk.copy_from_slice(&x.next_u64().to_le_bytes()[..chunk.len()]);
                }
            }
            // `nextBytes` takes the low byte of a short rest first, unlike Python.
            State::Java(java) => {
                for chunk in out.chunks_mut(4) {
                    chunk.copy_from_slice(&java.next_u32().to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }
}

/// Little-endian words; of the last one, if fewer than four bytes are wanted, the *upper* ones, as `getrandbits` does.
fn fill_words(out: &mut [u8], mut next: impl FnMut() -> u32) {
    for chunk in out.chunks_mut(4) {
        let unused = 4 - chunk.len();
        chunk.copy_from_slice(&next().to_le_bytes()[unused..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_byte_is_that_of_the_real_implementation() {
        let mut seen = HashSet::new();
        for line in include_str!("vectors.txt").lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut fields = line.split(' ');
            let mut field = || fields.next().unwrap();
            let generator: Generator = field().parse().unwrap();
            let seed = field().parse().unwrap();
            let expected = field();
            let mut bytes = vec![0; expected.len() / 2];
            generator.fill(seed, &mut bytes);
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected, "{generator} seeded with {seed}");
            seen.insert(generator);
        }
        assert_eq!(seen.len(), Generator::ALL.len());
    }

    #[test]
    fn a_stream_goes_on_where_it_stopped() {
        for generator in Generator::ALL {
            let whole: [u8; 4000] = generator.bytes(1_700_000_000);
            let mut stream = generator.start(1_700_000_000);
            let (mut key, mut iv, mut rest) = ([0; 32], [0; 8], [0; 3960]);
            stream.fill(&mut key);
            stream.fill(&mut iv);
            stream.fill(&mut rest);
            assert_eq!([&key[..], &iv, &rest].concat(), whole, "{generator}");
        }
    }

    #[test]
    fn names_read_back() {
        for generator in Generator::ALL {
            assert_eq!(generator.to_string().parse(), Ok(generator));
        }
        let error = "mersenne".parse::<Generator>().unwrap_err();
        assert!(error.to_string().contains("python, mt19937"));
    }
}
