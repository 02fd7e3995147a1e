//! Sieving: which values of a polynomial are products of small primes.

use std::ops::Range;

use dashu_int::{
    IBig, UBig,
    ops::{BitTest, DivRem, UnsignedAbs},
};
use multiversion::multiversion;

use super::{
    Size,
    modular::inverse,
    polynomial::{FactorBase, Leading, remainder},
};

/// `root^2 = product of the factors, times the large prime` modulo n.
#[derive(Clone, Debug)]
pub struct Relation {
    /// `ax + b`, without its sign.
    pub root: UBig,
    /// 0 for -1, and `i + 1` for prime i of the factor base, as often as it divides.
    pub factors: Vec<u32>,
    /// The one prime beyond the factor base, or 1.
    pub large: u64,
}

/// Primes below this are not sieved with: they cost the most and tell the least. Their share is guessed.
const SMALL: u32 = 128;

/// The arrays of one sieve.
pub(super) struct Sieve<'a> {
    base: &'a FactorBase,
    size: Size,
    /// Where in the interval each prime divides the value, at two places modulo itself.
    first: Vec<u32>,
    second: Vec<u32>,
    /// For each part of b, how the places move when its sign changes.
    shifts: Vec<Vec<u32>>,
    logs: Vec<u8>,
    /// First prime to sieve with.
    start: usize,
    interval: Vec<u8>,
    largest: u64,
}

impl<'a> Sieve<'a> {
    pub(super) fn new(base: &'a FactorBase, size: Size) -> Self {
        let start = base.primes.partition_point(|&p| p < SMALL);
        // A small factor base is sieved with from its first odd primes on.
        let start = if start * 4 > base.primes.len() {
            3
        } else {
            start
        };
        let largest = u64::from(base.primes[base.primes.len() - 1]) * size.large;
        Self {
            base,
            size,
            first: Vec::new(),
            second: Vec::new(),
            shifts: Vec::new(),
            logs: base.primes.iter().map(|&p| log2(p)).collect(),
            start,
            interval: vec![0; 2 * size.half],
            largest,
        }
    }

    /// All relations of all polynomials with this leading coefficient.
    pub(super) fn run(mut self, leading: &Leading) -> Vec<Relation> {
        let mut relations = Vec::new();
        let mut b = leading.first();
        self.prepare(leading, &b);
        for count in 1..=leading.polynomials() {
            self.sieve(leading);
            self.collect(leading, &b, &mut relations);
            if count == leading.polynomials() {
                break;
            }
            let (part, minus) = Leading::step(count);
            let twice = IBig::from(&leading.parts[part] << 1);
            let shift = &self.shifts[part];
            b = if minus { b - twice } else { b + twice };
            // A smaller b puts the roots (±t - b)/a further up.
            advance(&mut self.first, shift, &self.base.primes, minus);
            advance(&mut self.second, shift, &self.base.primes, minus);
        }
        relations
    }

    /// The places for the first polynomial.
    fn prepare(&mut self, leading: &Leading, b: &IBig) {
        let base = self.base;
        let count = base.primes.len();
        self.first = vec![0; count];
        self.second = vec![0; count];
        self.shifts = vec![vec![0; count]; leading.parts.len()];
        // b is the sum of its parts here, so positive.
        let b = b.unsigned_abs();
        for (i, (&p, &root)) in base.primes.iter().zip(&base.roots).enumerate() {
            let inverse = u64::from(inverse(remainder(&leading.a, p), p));
            let modulus = u64::from(p);
            let place =
                |numerator: u64| ((numerator * inverse + self.size.half as u64) % modulus) as u32;
            let minus_b = modulus - u64::from(remainder(&b, p));
            self.first[i] = place(minus_b + u64::from(root));
            self.second[i] = place(minus_b + modulus - u64::from(root));
            for (part, shifts) in leading.parts.iter().zip(&mut self.shifts) {
                shifts[i] = (2 * u64::from(remainder(part, p)) * inverse % modulus) as u32;
            }
        }
    }

    /// Adds the logarithm of each prime at all places where it divides the value. Bytes that reach 128 are candidates.
    fn sieve(&mut self, leading: &Leading) {
        let begin = 128 - self.threshold(leading);
        self.interval.fill(begin);
        // A prime of a divides at one place only; it is left to the trial division.
        let mut from = self.start;
        for &chosen in leading.chosen.iter().chain([&self.base.primes.len()]) {
            if from < chosen {
                self.mark_all(from..chosen);
            }
            from = from.max(chosen + 1);
        }
    }

    fn mark_all(&mut self, range: Range<usize>) {
        let primes = self.base.primes[range.clone()]
            .iter()
            .zip(&self.logs[range.clone()]);
        let places = self.first[range.clone()].iter().zip(&self.second[range]);
        for ((&p, &log), (&first, &second)) in primes.zip(places) {
            mark(&mut self.interval, first as usize, p as usize, log);
            if first != second {
                mark(&mut self.interval, second as usize, p as usize, log);
            }
        }
    }

    /// How large the sum must be: the size of the value, less what a large prime and the small primes may hold.
    fn threshold(&self, leading: &Leading) -> u8 {
        // At most half * sqrt(kn / 2), which is about a * half^2 / 2 ... a * half^2.
        let value = leading.a.bit_len() + 2 * self.size.half.ilog2() as usize - 1;
        let large = self.largest.ilog2() as usize;
        let unsieved: f64 = self.base.primes[..self.start]
            .iter()
            .map(|&p| 2.0 * f64::from(p).log2() / f64::from(p - 1))
            .sum();
        let slack = 2.0 + unsieved;
        (value.saturating_sub(large) as f64 - slack).clamp(10.0, 120.0) as u8
    }

    /// Divides the candidates out.
    fn collect(&self, leading: &Leading, b: &IBig, relations: &mut Vec<Relation>) {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let words = self.interval.as_chunks::<8>().0;
        for (at, word) in words.iter().enumerate() {
            if u64::from_le_bytes(*word) & HIGH == 0 {
                continue;
            }
            for (i, byte) in word.iter().enumerate() {
                if byte & 0x80 != 0 {
                    relations.extend(self.relation(leading, b, 8 * at + i));
                }
            }
        }
    }

    /// The relation at this place, if its value is smooth.
    fn relation(&self, leading: &Leading, b: &IBig, place: usize) -> Option<Relation> {
        let x = place as i64 - self.size.half as i64;
        let root = IBig::from(leading.a.clone()) * IBig::from(x) + b;
        // ((ax + b)^2 - kn) / a, which is exact.
        let kn = IBig::from(self.base.kn.clone());
        let value = (&root * &root - kn) / IBig::from(leading.a.clone());
        let mut factors: Vec<u32> = leading.chosen.iter().map(|&i| i as u32 + 1).collect();
        if value < IBig::ZERO {
            factors.push(0);
        }
        let mut rest = value.unsigned_abs();
        if rest.is_zero() {
            return None;
        }
        for i in self.divisors(leading, place) {
            let p = UBig::from(self.base.primes[i]);
            loop {
                let (quotient, remainder) = (&rest).div_rem(&p);
                if !remainder.is_zero() {
                    break;
                }
                rest = quotient;
                factors.push(i as u32 + 1);
            }
        }
        let large = u64::try_from(rest)
            .ok()
            .filter(|&large| large < self.largest)?;
        let root = root.unsigned_abs();
        Some(Relation {
            root,
            factors,
            large,
        })
    }

    /// The primes that may divide the value at this place: those that the sieve left out, and those that hit it.
    fn divisors(&self, leading: &Leading, place: usize) -> Vec<usize> {
        let mut divisors: Vec<usize> = (0..self.start).collect();
        divisors.extend(leading.chosen.iter().filter(|&&i| i >= self.start));
        let place = place as u32;
        let primes = &self.base.primes[..];
        let len = self.interval.len();
        let long = primes
            .partition_point(|&p| (p as usize) < len)
            .max(self.start);
        let hit = |i: usize, at: u32| at == self.first[i] || at == self.second[i];
        divisors.extend((self.start..long).filter(|&i| hit(i, place % primes[i])));
        divisors.extend((long..primes.len()).filter(|&i| hit(i, place)));
        divisors
    }
}

/// Adds `log` at every place of an arithmetic sequence.
#[inline(always)]
fn mark(interval: &mut [u8], mut place: usize, step: usize, log: u8) {
    while let Some(byte) = interval.get_mut(place) {
        *byte = byte.wrapping_add(log);
        place += step;
    }
}

/// Moves all places by their shifts, modulo the primes.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "x86_64+sse4.1"))]
fn advance(places: &mut [u32], shifts: &[u32], primes: &[u32], up: bool) {
    for ((place, &shift), &p) in places.iter_mut().zip(shifts).zip(primes) {
        let sum = *place + if up { shift } else { p - shift };
        // The smaller one, because below zero wraps to very large.
        *place = sum.min(sum.wrapping_sub(p));
    }
}

/// Rounded.
fn log2(p: u32) -> u8 {
    f64::from(p).log2().round() as u8
}
