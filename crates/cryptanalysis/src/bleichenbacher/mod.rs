//! Bleichenbacher's attack on RSA with PKCS#1 v1.5 padding (CRYPTO 1998): one bit of answer is enough.
//!
//! A conforming block begins with `00 02`. Suppose an attacker learns only *that* the plaintext of a ciphertext
//! conforms. Then the plaintext lies between 2B and 3B, where `B = 2^(8(k - 2))` and k is the length of the modulus in
//! bytes. RSA is multiplicative: `c s^e` decrypts to `m s mod n`. Every s that conforms shows that `m s` lies in one of
//! the intervals `[2B + rn, 3B - 1 + rn]`. So m lies in one of these intervals divided by s, and soon only one m is
//! left.
//!
//! Names and numbers of the steps are the paper's: n, e, k, B, c, s, the set M of intervals [a, b], and r. The attack
//! asks questions and takes answers, and touches no network: [`Bleichenbacher::query`] and [`Bleichenbacher::answer`],
//! or [`decrypt`] with a closure.

use std::fmt;

use dashu_int::{
    UBig,
    fast_div::ConstDivisor,
    ops::{BitTest, DivRem},
};

use crate::generators::{Generator, Stream};

/// Fewer bytes cannot hold `00 02`, eight bytes of padding, and `00`.
const SHORTEST: usize = 11;

/// Why the attack cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The modulus has fewer than eleven bytes, or the ciphertext is not below it.
    NotRsa,
    /// The answers contradict each other: a value that was called conforming does not begin with `00 02`.
    Contradiction,
    /// The allowed number of queries is used up.
    Exhausted,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRsa => {
                "the modulus is below 88 bits or the ciphertext is not below it: check that they belong together"
            }
            Self::Contradiction => {
                "the oracle's answers contradict each other: check what it calls conforming, it must mean `00 02` in front"
            }
            Self::Exhausted => {
                "the allowed queries are used up: allow more, or ask an oracle that checks less of the padding"
            }
        })
    }
}

impl std::error::Error for Error {}

/// How many queries each step of the paper took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queries {
    /// Step 1: until a blinded ciphertext conforms. One query, for a ciphertext that conforms without blinding.
    pub blinding: u64,
    /// Step 2a: the first s.
    pub first: u64,
    /// Step 2b: the next s while several intervals are left.
    pub many_intervals: u64,
    /// Step 2c: the rest, with one interval left.
    pub one_interval: u64,
}

impl Queries {
    /// All queries.
    pub fn total(&self) -> u64 {
        self.blinding + self.first + self.many_intervals + self.one_interval
    }
}

/// Where the attack stands.
#[derive(Clone, Debug)]
enum Step {
    /// Step 1, with s0 as the one that is asked about.
    Blinding,
    /// Step 2a or, after the first, 2b: s counts up.
    Counting,
    /// Step 2c: s is searched for one r after the other; `last` is the largest s of this r.
    Halving { r: UBig, last: UBig },
    /// Step 4: the plaintext is known.
    Solved(UBig),
    /// The answers left nothing.
    Failed,
}

/// The attack on one ciphertext: ask the oracle about [`query`](Self::query), tell [`answer`](Self::answer), again and
/// again, until [`message`](Self::message).
#[derive(Clone, Debug)]
pub struct Bleichenbacher {
    n: UBig,
    ring: ConstDivisor,
    e: UBig,
    k: usize,
    two_b: UBig,
    three_b: UBig,
    c0: UBig,
    s0: UBig,
    /// s_i: the multiplier that is asked about.
    s: UBig,
    /// M_(i-1).
    intervals: Vec<(UBig, UBig)>,
    step: Step,
    first_found: bool,
    queries: Queries,
    random: Stream,
}

impl Bleichenbacher {
    /// Begins with step 1. The ciphertext `c` is big-endian; `seed` fixes the blinding. Blinding is needed only if the
    /// plaintext of `c` does not conform (a signature to forge, or a textbook ciphertext).
    ///
    /// # Errors
    /// [`Error::NotRsa`].
    pub fn new(n: &UBig, e: &UBig, c: &[u8], seed: u64) -> Result<Self, Error> {
        let k = n.bit_len().div_ceil(8);
        let c = UBig::from_be_bytes(c);
        if k < SHORTEST || c >= *n {
            return Err(Error::NotRsa);
        }
        let b = UBig::ONE << (8 * (k - 2));
        Ok(Self {
            n: n.clone(),
            ring: ConstDivisor::new(n.clone()),
            e: e.clone(),
            k,
            two_b: &b * UBig::from(2u8),
            three_b: &b * UBig::from(3u8),
            c0: c,
            s0: UBig::ONE,
            s: UBig::ONE,
            intervals: Vec::new(),
            step: Step::Blinding,
            first_found: false,
            queries: Queries::default(),
            random: Generator::Mt19937.start(seed),
        })
    }

    /// The ciphertext to ask about, k bytes big-endian: `c s^e mod n`. `None` when there is nothing left to ask.
    pub fn query(&self) -> Option<Vec<u8>> {
        match self.step {
            Step::Solved(_) | Step::Failed => None,
            _ => Some(fixed_length(&self.times(&self.s), self.k)),
        }
    }

    /// The multiplier of the current query: s_i, or s_0 while blinding.
    pub fn multiplier(&self) -> &UBig {
        &self.s
    }

    /// Takes the oracle's answer to the current query: whether its plaintext conforms.
    pub fn answer(&mut self, conforming: bool) {
        *self.counter() += 1;
        match (&self.step, conforming) {
            (Step::Blinding, true) => {
                self.c0 = self.times(&self.s);
                self.s0 = self.s.clone();
                self.intervals = vec![(self.two_b.clone(), &self.three_b - UBig::ONE)];
                // Step 2a starts at n / 3B: a smaller s cannot take a plaintext of at least 2B round the modulus.
                self.s = ceiling(&self.n, &self.three_b);
                self.step = Step::Counting;
            }
            (Step::Blinding, false) => self.s = self.draw(),
            (Step::Counting, false) => self.s += UBig::ONE,
            (Step::Halving { .. }, false) => self.next_of_halving(),
            (Step::Counting | Step::Halving { .. }, true) => self.narrow(),
            (Step::Solved(_) | Step::Failed, _) => {}
        }
    }

    /// The queries so far.
    pub fn queries(&self) -> Queries {
        self.queries
    }

    /// How many bits of the plaintext are still open: for a progress bar.
    pub fn bits_left(&self) -> usize {
        match self.step {
            Step::Blinding => 8 * (self.k - 2),
            Step::Solved(_) => 0,
            _ => {
                let widths = self.intervals.iter().map(|(a, b)| b - a);
                widths.max().map_or(0, |widest| widest.bit_len())
            }
        }
    }

    /// The plaintext, k bytes with its padding, once it is known: `c^d mod n`.
    pub fn message(&self) -> Option<Vec<u8>> {
        match &self.step {
            Step::Solved(message) => Some(fixed_length(message, self.k)),
            _ => None,
        }
    }

    /// Whether the answers contradicted each other.
    pub fn failed(&self) -> bool {
        matches!(self.step, Step::Failed)
    }

    fn counter(&mut self) -> &mut u64 {
        match self.step {
            Step::Blinding => &mut self.queries.blinding,
            Step::Counting if !self.first_found => &mut self.queries.first,
            Step::Counting => &mut self.queries.many_intervals,
            _ => &mut self.queries.one_interval,
        }
    }

    /// `c0 s^e mod n`.
    fn times(&self, s: &UBig) -> UBig {
        let power = self.ring.reduce(s.clone()).pow(&self.e);
        (power * self.ring.reduce(self.c0.clone())).residue()
    }

    /// A random number below n, for the blinding.
    fn draw(&mut self) -> UBig {
        let mut bytes = vec![0; self.k + 8];
        self.random.fill(&mut bytes);
        UBig::from_le_bytes(&bytes) % &self.n
    }

    /// Step 3: keeps of every interval what the new s leaves of it, and then decides how to look for the next s.
    fn narrow(&mut self) {
        self.first_found = true;
        let mut narrowed: Vec<(UBig, UBig)> = Vec::new();
        for (a, b) in &self.intervals {
            // 2B <= m s - r n <= 3B - 1 for some a <= m <= b.
            let least = minus(a * &self.s + UBig::ONE, &self.three_b);
            let most = minus(b * &self.s, &self.two_b) / &self.n;
            let mut r = ceiling(&least, &self.n);
            while r <= most {
                let from = a
                    .clone()
                    .max(ceiling(&(&self.two_b + &r * &self.n), &self.s));
                let to = b
                    .clone()
                    .min((&self.three_b - UBig::ONE + &r * &self.n) / &self.s);
                if from <= to {
                    narrowed.push((from, to));
                }
                r += UBig::ONE;
            }
        }
        self.intervals = union(narrowed);
        self.next_step();
    }

    fn next_step(&mut self) {
        match &self.intervals[..] {
            [] => self.step = Step::Failed,
            [(a, b)] if a == b => self.step = self.solve(a),
            [(_, b)] => {
                // Step 2c: r at least 2 (b s - 2B) / n, so that every success halves the interval.
                let twice = minus(b * &self.s, &self.two_b) << 1;
                let r = ceiling(&twice, &self.n);
                self.begin_r(r);
            }
            // Step 2b.
            _ => {
                self.s += UBig::ONE;
                self.step = Step::Counting;
            }
        }
    }

    /// Step 4: takes the blinding away.
    fn solve(&self, m: &UBig) -> Step {
        let inverse = self.ring.reduce(self.s0.clone()).inv();
        inverse.map_or(Step::Failed, |inverse| {
            Step::Solved((inverse * self.ring.reduce(m.clone())).residue())
        })
    }

    /// Step 2c: the smallest s for this r, or for the first larger one that has any.
    fn begin_r(&mut self, mut r: UBig) {
        let (a, b) = &self.intervals[0];
        loop {
            let first = ceiling(&(&self.two_b + &r * &self.n), b);
            let last = ceiling(&(&self.three_b + &r * &self.n), a) - UBig::ONE;
            if first <= last {
                self.s = first;
                self.step = Step::Halving { r, last };
                return;
            }
            r += UBig::ONE;
        }
    }

    fn next_of_halving(&mut self) {
        let Step::Halving { r, last } = &self.step else {
            return;
        };
        if self.s < *last {
            self.s += UBig::ONE;
        } else {
            let next = r + UBig::ONE;
            self.begin_r(next);
        }
    }
}

/// `a - b`, or zero: bounds below zero mean zero here.
fn minus(a: UBig, b: &UBig) -> UBig {
    if a < *b { UBig::ZERO } else { a - b }
}

fn ceiling(numerator: &UBig, denominator: &UBig) -> UBig {
    let (quotient, rest) = numerator.div_rem(denominator);
    if rest.is_zero() {
        quotient
    } else {
        quotient + UBig::ONE
    }
}

/// The same set, in order and without overlaps.
fn union(mut intervals: Vec<(UBig, UBig)>) -> Vec<(UBig, UBig)> {
    intervals.sort();
    let mut united: Vec<(UBig, UBig)> = Vec::with_capacity(intervals.len());
    for (a, b) in intervals {
        match united.last_mut() {
            Some((_, end)) if a <= *end => *end = end.clone().max(b),
            _ => united.push((a, b)),
        }
    }
    united
}

fn fixed_length(x: &UBig, k: usize) -> Vec<u8> {
    let bytes = x.to_be_bytes();
    [&vec![0; k - bytes.len()][..], &bytes].concat()
}

/// The result of the attack, and its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decrypted {
    /// `c^d mod n` in k bytes, padding and all: see [`unpad`].
    pub block: Vec<u8>,
    /// The queries it took.
    pub queries: Queries,
}

/// Runs the attack against an oracle that can be called: `oracle(ciphertext)` is whether its plaintext conforms.
///
/// # Errors
/// All of [`Error`]; [`Error::Exhausted`] after `limit` queries.
pub fn decrypt(
    n: &UBig,
    e: &UBig,
    c: &[u8],
    seed: u64,
    limit: u64,
    mut oracle: impl FnMut(&[u8]) -> bool,
) -> Result<Decrypted, Error> {
    let mut attack = Bleichenbacher::new(n, e, c, seed)?;
    while let Some(query) = attack.query() {
        if attack.queries().total() == limit {
            return Err(Error::Exhausted);
        }
        let conforming = oracle(&query);
        attack.answer(conforming);
    }
    let queries = attack.queries();
    let block = attack.message().ok_or(Error::Contradiction)?;
    Ok(Decrypted { block, queries })
}

/// The message inside a PKCS#1 v1.5 block, `00 02`, at least eight bytes that are not zero, `00`, message (RFC 8017, 7.2.2).
/// `None` if the block does not conform: the strictest oracle says just that.
pub fn unpad(block: &[u8]) -> Option<&[u8]> {
    let padded = block.strip_prefix(&[0, 2])?;
    let zero = padded.iter().position(|&byte| byte == 0)?;
    (zero >= 8).then(|| &padded[zero + 1..])
}

/// The number of queries for the whole attack by the estimate of the paper (section 3.2). The oracle checks as
/// [`unpad`] does (`strict`), or only the first two bytes.
///
/// A random plaintext begins with `00 02` with probability B/n, and then passes the rest of the check with some
/// probability that the strictness decides. Blinding, s_1 and s_2 are each found at random; after that, two queries a
/// bit that pass half the time. For a modulus of 1024 bits and the strict check that is about half a million to a
/// million: hence "the million message attack". Measured runs take fewer queries. A ciphertext that conforms needs no
/// blinding, and s_1 often leaves one interval alone, so that s_2 is not found at random.
pub fn expected_queries(n: &UBig, strict: bool) -> f64 {
    let k = n.bit_len().div_ceil(8).max(SHORTEST);
    // n/B as a fixed-point number with 32 bits after the point; it is below 2^16.
    let n_over_b = (n >> (8 * (k - 2) - 32)).to_f64().value() / 2f64.powi(32);
    let no_zero = 255.0 / 256.0f64;
    let passes = if strict {
        no_zero.powi(8) * (1.0 - no_zero.powi(k as i32 - 10))
    } else {
        1.0
    };
    3.0 * n_over_b / passes + 16.0 * k as f64 / passes
}

#[cfg(test)]
mod tests;
