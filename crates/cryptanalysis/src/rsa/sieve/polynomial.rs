//! The factor base, and the polynomials whose values are sieved.

use std::collections::HashSet;

use dashu_int::{
    IBig, UBig,
    ops::{BitTest, SquareRoot, UnsignedAbs},
};

use super::modular::{inverse, square_root};
use crate::{
    generators::{Generator, Stream},
    rsa::primes::primes_up_to,
};

/// The primes that can divide a value, and what the sieve needs of each.
pub(super) struct FactorBase {
    /// n times a small multiplier: the number that is really sieved.
    pub(super) kn: UBig,
    /// The primes, 2 first.
    pub(super) primes: Vec<u32>,
    /// A square root of kn modulo each.
    pub(super) roots: Vec<u32>,
}

impl FactorBase {
    /// The `count` smallest primes modulo which kn is a square.
    pub(super) fn new(n: &UBig, count: usize) -> Self {
        // Half of all primes qualify; the primes below 30 * count are more than twice as many.
        let all = primes_up_to((30 * count.max(100)) as u32);
        let kn = n * UBig::from(multiplier(n, &all));
        let (primes, roots) = all
            .iter()
            .filter_map(|&p| Some((p, square_root(remainder(&kn, p), p)?)))
            .take(count)
            .unzip();
        Self { kn, primes, roots }
    }
}

pub(super) fn remainder(x: &UBig, p: u32) -> u32 {
    x % p
}

/// The small factor k that makes kn a square modulo the most small primes (Knuth and Schroeppel).
fn multiplier(n: &UBig, primes: &[u32]) -> u32 {
    let square_free = |k: &u32| {
        ![4u32, 9, 25, 49]
            .iter()
            .any(|&square| k.is_multiple_of(square))
    };
    let score = |k: u32| {
        let kn = n * UBig::from(k);
        let two = match remainder(&kn, 8) {
            1 => 2.0,
            5 => 1.0,
            3 | 7 => 0.5,
            _ => 0.0,
        };
        let others = primes[1..].iter().take(300).map(|&p| {
            let (residue, log) = (remainder(&kn, p), f64::from(p).ln() / f64::from(p - 1));
            match square_root(residue, p) {
                Some(0) => log,
                Some(_) => 2.0 * log,
                None => 0.0,
            }
        });
        two * 2f64.ln() + others.sum::<f64>() - 0.5 * f64::from(k).ln()
    };
    (1..=73)
        .filter(square_free)
        .map(|k| (k, score(k)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(1, |(k, _)| k)
}

/// A leading coefficient, and the parts of all the `b` that go with it.
pub(super) struct Leading {
    /// a, the product of the chosen primes.
    pub(super) a: UBig,
    /// Indices into the factor base of the chosen primes, in order.
    pub(super) chosen: Vec<usize>,
    /// B_j: `b = ± B_0 ± B_1 ...` gives `b^2 = kn mod a` for all signs.
    pub(super) parts: Vec<UBig>,
}

impl Leading {
    fn new(base: &FactorBase, chosen: Vec<usize>) -> Self {
        let product = chosen.iter().map(|&i| UBig::from(base.primes[i]));
        let a = product.fold(UBig::ONE, |a, p| a * p);
        let parts = chosen.iter().map(|&i| {
            let p = base.primes[i];
            let others = &a / UBig::from(p);
            let inverse = inverse(remainder(&others, p), p);
            let part = (u64::from(base.roots[i]) * u64::from(inverse)) % u64::from(p);
            others * UBig::from(part.min(u64::from(p) - part))
        });
        let parts = parts.collect();
        Self { a, chosen, parts }
    }

    /// How many polynomials it gives: one for each choice of signs, but not counting b and -b apart.
    pub(super) fn polynomials(&self) -> u32 {
        1 << (self.parts.len() - 1)
    }

    /// The first `b`: all signs positive.
    pub(super) fn first(&self) -> IBig {
        self.parts.iter().map(|part| IBig::from(part.clone())).sum()
    }

    /// The change from polynomial `count` to the next in the order of the Gray code, where one sign changes. The result
    /// is the part, and whether it is subtracted (twice) from b.
    pub(super) fn step(count: u32) -> (usize, bool) {
        let part = count.trailing_zeros();
        (part as usize, (count >> (part + 1)) & 1 == 0)
    }
}

/// Chooses leading coefficients: products of primes of the factor base, close to `sqrt(2 kn) / half`, where the values
/// are smallest over the whole interval. Always the same for the same n.
pub(super) struct Chooser {
    target: UBig,
    /// The indices to choose from.
    pool: std::ops::Range<usize>,
    count: usize,
    used: HashSet<Vec<usize>>,
    random: Stream,
}

impl Chooser {
    pub(super) fn new(base: &FactorBase, half: usize) -> Self {
        let target = (&base.kn << 1).sqrt() / UBig::from(half);
        // Primes of about 11 bits if there are such: larger ones waste a root each, with smaller ones the same relations
        // come up again and again.
        let bits = target.bit_len() as f64;
        let last = f64::from(base.primes[base.primes.len() * 2 / 3]).log2();
        let count = (bits / last.min(11.0)).round().max(2.0);
        let ideal = 2f64.powf(bits / count) as u32;
        let middle = base.primes.partition_point(|&p| p < ideal);
        let width = (base.primes.len() / 6).clamp(12, 150);
        let start = middle.saturating_sub(width).max(3);
        let end = (middle + width).min(base.primes.len());
        Self {
            target,
            pool: start..end,
            count: count as usize,
            used: HashSet::new(),
            random: Generator::Mt19937.start(1),
        }
    }

    /// The next one, different from all before.
    pub(super) fn next(&mut self, base: &FactorBase) -> Leading {
        loop {
            let best = (0..10)
                .map(|_| self.attempt(base))
                .min_by(|a, b| a.0.cmp(&b.0));
            if let Some((_, chosen)) = best
                && self.used.insert(chosen.clone())
            {
                return Leading::new(base, chosen);
            }
            // Few primes to choose from: take in more of them.
            self.pool.end = (self.pool.end + 1).min(base.primes.len());
            self.pool.start = (self.pool.start - 1).max(3);
        }
    }

    /// All primes but one at random, and that one to fit. The first of the pair is how far off the target it is.
    fn attempt(&mut self, base: &FactorBase) -> (UBig, Vec<usize>) {
        let mut chosen: Vec<usize> = Vec::with_capacity(self.count);
        let mut product = UBig::ONE;
        while chosen.len() + 1 < self.count {
            let i = self.pool.start + self.below(self.pool.len());
            if !chosen.contains(&i) {
                chosen.push(i);
                product *= UBig::from(base.primes[i]);
            }
        }
        let wanted = (&self.target / &product).try_into().unwrap_or(u32::MAX);
        let mut last = base
            .primes
            .partition_point(|&p| p < wanted)
            .clamp(3, base.primes.len() - 1);
        while chosen.contains(&last) {
            last = if last + 1 < base.primes.len() {
                last + 1
            } else {
                3
            };
        }
        product *= UBig::from(base.primes[last]);
        chosen.push(last);
        chosen.sort_unstable();
        let off = (IBig::from(product) - IBig::from(self.target.clone())).unsigned_abs();
        (off, chosen)
    }

    fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.random.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::testing::prime;

    #[test]
    fn every_b_is_a_root_of_kn_modulo_a() {
        let n = prime(80, 1) * prime(80, 2);
        let base = FactorBase::new(&n, 600);
        let mut chooser = Chooser::new(&base, 1 << 15);
        let leading = chooser.next(&base);
        let target = (&base.kn << 1).sqrt() >> 15;
        assert!(leading.a > &target / UBig::from(2u8) && leading.a < target << 1);
        let mut b = leading.first();
        let a = IBig::from(leading.a.clone());
        let mut seen = HashSet::new();
        for count in 1..=leading.polynomials() {
            assert_eq!((&b * &b - IBig::from(base.kn.clone())) % &a, IBig::ZERO);
            assert!(seen.insert(b.clone()) && !seen.contains(&-&b));
            if count < leading.polynomials() {
                let (part, minus) = Leading::step(count);
                let twice = IBig::from(&leading.parts[part] << 1);
                b = if minus { b - twice } else { b + twice };
            }
        }
    }

    #[test]
    fn coefficients_do_not_repeat() {
        let n = prime(45, 1) * prime(45, 2);
        let base = FactorBase::new(&n, 120);
        let mut chooser = Chooser::new(&base, 1 << 13);
        let chosen: HashSet<_> = (0..100).map(|_| chooser.next(&base).chosen).collect();
        assert_eq!(chosen.len(), 100);
    }
}
