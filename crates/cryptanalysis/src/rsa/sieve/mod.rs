//! The self-initialising quadratic sieve: factors any number of up to about 256 bits, with any primes.
//!
//! The idea is Fermat's: two different square roots of one number modulo n give a factor, `gcd(x - y, n)`. Nobody finds
//! such a pair directly. But where `x^2 - n` has only small prime factors, these can be written as a vector of
//! exponents. If there are more such vectors than small primes, some of them add up to all even exponents. Their
//! product is a square on both sides. So there are three steps:
//!
//! 1. [`polynomial`]: `(ax + b)^2 - n`, for many a and b, so that the values stay small (Silverman 1987; Contini 1997).
//! 2. [`collect`]: a sieve finds the x whose value is smooth, adding up logarithms of primes at the places that they
//!    divide. One larger prime is allowed.
//! 3. [`matrix`]: linear algebra over the field of two elements picks out the products that are squares.
//!
//! (Pomerance, "The quadratic sieve factoring algorithm", EUROCRYPT 1984.)

mod collect;
mod matrix;
mod modular;
mod polynomial;

use std::{collections::HashMap, collections::HashSet, ops::ControlFlow};

use dashu_int::{
    UBig,
    fast_div::ConstDivisor,
    ops::{BitTest, Gcd},
};
use rayon::prelude::*;

use super::{Factored, Method, is_probable_prime, pollard_rho};
pub use collect::Relation;
use collect::Sieve;
use polynomial::{Chooser, FactorBase};

/// Below this number of bits [`pollard_rho`] is faster.
const SMALLEST: usize = 80;
/// Above this number of bits the sieve would not end in a year.
const LARGEST: usize = 360;
/// Coefficients `a` between two looks at what has been found. A fixed number, so that the result does not depend on the
/// number of cores.
const BATCH: usize = 4;
/// A sieve with fewer relations than one in this number of steps would never end, so no saved file has such figures.
const MOST_STEPS_A_RELATION: u64 = 64;
/// A sieve may have been left before it found anything.
const FIRST_STEPS: u64 = 1_024;
/// Relations more than needed: each gives another chance of one half.
const SPARE: usize = 40;

/// How large everything is, by the number of bits of n. Taken from measurements; wrong values cost only time.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Bits of n.
    bits: usize,
    /// Primes in the factor base.
    primes: usize,
    /// Half the length of the sieve interval: x runs from -half to half - 1.
    half: usize,
    /// The factor by which the large prime may exceed the largest prime of the factor base.
    large: u64,
}

const SIZES: [Size; 9] = [
    Size {
        bits: 64,
        primes: 60,
        half: 1 << 13,
        large: 20,
    },
    Size {
        bits: 100,
        primes: 180,
        half: 1 << 14,
        large: 30,
    },
    Size {
        bits: 128,
        primes: 450,
        half: 1 << 15,
        large: 40,
    },
    Size {
        bits: 160,
        primes: 1_200,
        half: 1 << 15,
        large: 40,
    },
    Size {
        bits: 183,
        primes: 2_200,
        half: 1 << 16,
        large: 40,
    },
    Size {
        bits: 200,
        primes: 4_000,
        half: 1 << 16,
        large: 60,
    },
    Size {
        bits: 225,
        primes: 11_000,
        half: 1 << 17,
        large: 80,
    },
    Size {
        bits: 256,
        primes: 34_000,
        half: 3 << 16,
        large: 100,
    },
    Size {
        bits: 290,
        primes: 80_000,
        half: 1 << 19,
        large: 120,
    },
];

impl Size {
    /// For a number of `bits` bits: interpolated between two rows of the table.
    fn of(bits: usize) -> Self {
        let above = SIZES.iter().position(|size| size.bits >= bits);
        match above {
            None => SIZES[SIZES.len() - 1],
            Some(0) => SIZES[0],
            Some(i) => {
                let (low, high) = (SIZES[i - 1], SIZES[i]);
                let part = (bits - low.bits) as f64 / (high.bits - low.bits) as f64;
                let primes = (low.primes as f64).powf(1.0 - part) * (high.primes as f64).powf(part);
                Self {
                    bits,
                    primes: primes as usize,
                    ..high
                }
            }
        }
    }
}

/// Factors `n` with all cores. `None` if it is prime, below 4, above 360 bits, or if `progress` ends the
/// search.
///
/// `progress` gets the number of relations found and needed, several times a second, or several times a minute for
/// large n. To leave a search and take it up later, use [`QuadraticSieve`].
pub fn quadratic_sieve(
    n: &UBig,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Option<Factored> {
    let mut sieve = match QuadraticSieve::new(n) {
        Ok(sieve) => sieve,
        Err(without_sieving) => return without_sieving,
    };
    loop {
        if let Some(factored) = sieve.step() {
            return Some(factored);
        }
        if progress(sieve.found(), sieve.needed()).is_break() {
            return None;
        }
    }
}

/// A sieve that works in steps, and can be left between two of them.
pub struct QuadraticSieve {
    n: UBig,
    size: Size,
    base: FactorBase,
    chooser: Chooser,
    store: Store,
    steps: u64,
}

/// The progress of a [`QuadraticSieve`]: all that is needed to go on.
#[derive(Clone, Debug, Default)]
pub struct Sieved {
    /// How many steps it has made.
    pub steps: u64,
    /// The relations that they found.
    pub relations: Vec<Relation>,
}

impl QuadraticSieve {
    /// Prepares a sieve.
    ///
    /// # Errors
    /// The result for `n` without sieving: its factors, or `None` if it is prime, below 4 or above 360 bits.
    pub fn new(n: &UBig) -> Result<Self, Option<Factored>> {
        if let Some(small) = super::trial_division(n) {
            return Err(Some(small));
        }
        if *n < UBig::from(4u8) || n.bit_len() > LARGEST || is_probable_prime(n) {
            return Err(None);
        }
        // Modulo a power of one prime there are no other square roots of 1 than 1 and -1. Its root is above 2^16.
        let roots = (2..=n.bit_len() / 16).map(|k| (k, n.nth_root(k)));
        if let Some((_, root)) = roots.into_iter().find(|(k, root)| root.pow(*k) == *n) {
            return Err(Factored::from_factor(n, root, Method::QuadraticSieve));
        }
        if n.bit_len() < SMALLEST {
            let by_rho = pollard_rho(n, 1 << (SMALLEST / 4 + 4));
            let found = |found: Factored| Factored::from_factor(n, found.p, Method::QuadraticSieve);
            return Err(by_rho.and_then(found));
        }
        let size = Size::of(n.bit_len());
        let base = FactorBase::new(n, size.primes);
        Ok(Self {
            n: n.clone(),
            size,
            chooser: Chooser::new(&base, size.half),
            store: Store::new(base.primes.len()),
            base,
            steps: 0,
        })
    }

    /// Sieves for a while on all cores; the factors, once there are enough relations.
    pub fn step(&mut self) -> Option<Factored> {
        let (base, size) = (&self.base, self.size);
        let batch: Vec<_> = (0..BATCH).map(|_| self.chooser.next(base)).collect();
        let found_by = batch.par_iter().map(|a| Sieve::new(base, size).run(a));
        let relations: Vec<Relation> = found_by.flatten_iter().collect();
        self.store.add(relations);
        self.steps += 1;
        if self.store.surplus() < SPARE as isize {
            return None;
        }
        let factor = self.store.solve(&self.n, base);
        // All dependencies may be trivial, which happens to small n: then it goes on for more.
        self.store.columns += SPARE;
        factor.and_then(|factor| Factored::from_factor(&self.n, factor, Method::QuadraticSieve))
    }

    /// How many relations there are that count.
    pub fn found(&self) -> usize {
        self.store.usable()
    }

    /// How many there must be.
    pub fn needed(&self) -> usize {
        self.store.columns + SPARE
    }

    /// The progress to save.
    pub fn sieved(&self) -> Sieved {
        Sieved {
            steps: self.steps,
            relations: self.store.relations.clone(),
        }
    }

    /// Goes on from what another sieve of the same `n` did. Returns `false`, and changes nothing, if the progress does
    /// not fit `n`. Each relation is checked, and also whether this number of steps can have found so few.
    pub fn take_up(&mut self, sieved: Sieved) -> bool {
        let roots: HashSet<&UBig> = sieved.relations.iter().map(|found| &found.root).collect();
        let most = FIRST_STEPS + MOST_STEPS_A_RELATION * roots.len() as u64;
        if sieved.steps > most || !sieved.relations.iter().all(|relation| self.holds(relation)) {
            return false;
        }
        for _ in 0..sieved.steps.saturating_mul(BATCH as u64) {
            self.chooser.next(&self.base);
        }
        self.steps += sieved.steps;
        self.store.add(sieved.relations);
        true
    }

    fn holds(&self, relation: &Relation) -> bool {
        // A root is below n. One of a million digits would take long to square, and belongs to no sieve.
        if relation.root.bit_len() > self.n.bit_len() + 64
            || relation.factors.len() > self.n.bit_len()
        {
            return false;
        }
        let ring = ConstDivisor::new(self.n.clone());
        let mut product = ring.reduce(UBig::from(relation.large));
        for &factor in &relation.factors {
            product *= match factor.checked_sub(1) {
                None => -ring.reduce(UBig::ONE),
                Some(i) => match self.base.primes.get(i as usize) {
                    Some(&p) => ring.reduce(UBig::from(p)),
                    None => return false,
                },
            };
        }
        ring.reduce(relation.root.clone()).sqr() == product
    }
}

/// All relations so far.
struct Store {
    relations: Vec<Relation>,
    seen: HashSet<UBig>,
    large: HashMap<u64, u32>,
    columns: usize,
}

impl Store {
    fn new(primes: usize) -> Self {
        Self {
            relations: Vec::new(),
            seen: HashSet::new(),
            large: HashMap::new(),
            // One for the sign.
            columns: primes + 1,
        }
    }

    fn add(&mut self, relations: Vec<Relation>) {
        for relation in relations {
            if self.seen.insert(relation.root.clone()) {
                if relation.large > 1 {
                    *self.large.entry(relation.large).or_default() += 1;
                }
                self.relations.push(relation);
            }
        }
    }

    /// How many relations are left when each large prime has used up one of those that hold it.
    fn usable(&self) -> usize {
        self.relations.len() - self.large.len()
    }

    fn surplus(&self) -> isize {
        self.usable() as isize - self.columns as isize
    }

    /// A factor out of one of the dependencies.
    fn solve(&self, n: &UBig, base: &FactorBase) -> Option<UBig> {
        let rows = self.relations.iter().map(|relation| {
            // A large prime is a column like the others, behind them.
            let large = (relation.large > 1).then(|| base.primes.len() as u64 + relation.large);
            matrix::odd(relation.factors.iter().map(|&i| u64::from(i)).chain(large))
        });
        let dependencies = matrix::dependencies(rows.collect());
        dependencies.iter().find_map(|members| {
            let factor = self.square_roots(members, n, base);
            (factor > UBig::ONE && factor < *n).then_some(factor)
        })
    }

    /// `gcd(x - y, n)`, where x is the product of the roots and y the root of the product of the values.
    fn square_roots(&self, members: &[u32], n: &UBig, base: &FactorBase) -> UBig {
        let ring = ConstDivisor::new(n.clone());
        let mut x = ring.reduce(UBig::ONE);
        let mut y = ring.reduce(UBig::ONE);
        let mut exponents = vec![0u32; base.primes.len() + 1];
        let mut large: HashMap<u64, u32> = HashMap::new();
        for &member in members {
            let relation = &self.relations[member as usize];
            x *= ring.reduce(relation.root.clone());
            for &i in &relation.factors {
                exponents[i as usize] += 1;
            }
            *large.entry(relation.large).or_default() += 1;
        }
        // Column 0 is the sign, which an even number of relations have.
        for (&p, exponent) in base.primes.iter().zip(&exponents[1..]) {
            if *exponent > 0 {
                y *= ring.reduce(UBig::from(p)).pow(&(exponent / 2).into());
            }
        }
        for (p, exponent) in large {
            y *= ring.reduce(UBig::from(p)).pow(&(exponent / 2).into());
        }
        (x - y).residue().gcd(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::testing::prime;

    fn sieve(n: &UBig) -> Option<Factored> {
        quadratic_sieve(n, |_, _| ControlFlow::Continue(()))
    }

    #[test]
    fn numbers_of_all_sizes_are_factored() {
        for bits in [20, 30, 39, 40, 41, 45, 50, 55, 60, 64, 70] {
            for seed in 0..4 {
                let (p, q) = (
                    prime(bits, seed),
                    prime(bits + seed as usize % 3, seed + 100),
                );
                let found = sieve(&(&p * &q)).unwrap();
                assert_eq!((&found.p, &found.q), (&p.clone().min(q.clone()), &p.max(q)));
            }
        }
    }

    #[test]
    fn lopsided_squares_and_many_primes_are_no_trouble() {
        let (p, q, r) = (prime(30, 1), prime(60, 2), prime(45, 3));
        for n in [&p * &q, &q * &q, &p * &p * &p, &p * &q * &r] {
            let found = sieve(&n).unwrap();
            assert_eq!(&found.p * &found.q, n);
        }
        assert_eq!(sieve(&q), None);
        assert_eq!(sieve(&UBig::ONE), None);
        assert_eq!(
            sieve(&UBig::from(6u8)).unwrap().method,
            Method::TrialDivision
        );
    }

    #[test]
    fn the_search_can_be_ended() {
        let n = prime(80, 1) * prime(80, 2);
        let mut told = None;
        let ended = quadratic_sieve(&n, |found, needed| {
            told = Some((found, needed));
            ControlFlow::Break(())
        });
        assert_eq!(ended, None);
        let (found, needed) = told.unwrap();
        assert!(found < needed && needed > 1_000);
    }

    #[test]
    fn a_sieve_that_was_left_is_taken_up_where_it_was() {
        let n = prime(64, 1) * prime(64, 2);
        let mut whole = QuadraticSieve::new(&n).ok().unwrap();
        let factored = std::iter::repeat_with(|| whole.step()).find_map(|found| found);

        let mut left = QuadraticSieve::new(&n).ok().unwrap();
        assert_eq!(left.step(), None);
        let mut taken_up = QuadraticSieve::new(&n).ok().unwrap();
        assert!(taken_up.take_up(left.sieved()));
        assert_eq!(taken_up.found(), left.found());
        let again = std::iter::repeat_with(|| taken_up.step()).find_map(|found| found);
        assert_eq!((again, taken_up.steps), (factored, whole.steps));
    }

    #[test]
    fn what_is_not_true_of_the_number_is_not_taken_up() {
        let n = prime(64, 1) * prime(64, 2);
        let mut sieve = QuadraticSieve::new(&n).ok().unwrap();
        sieve.step();
        let mut sieved = sieve.sieved();
        sieved.relations[0].root += UBig::ONE;
        let mut fresh = QuadraticSieve::new(&n).ok().unwrap();
        assert!(!fresh.take_up(sieved.clone()));
        sieved.relations.truncate(1);
        sieved.relations[0].factors = vec![u32::MAX];
        assert!(!fresh.take_up(sieved));
        assert_eq!((fresh.steps, fresh.found()), (0, 0));
    }

    #[test]
    fn more_steps_than_a_sieve_can_have_made_are_refused_at_once() {
        let n = prime(70, 1) * prime(70, 2);
        let mut sieve = QuadraticSieve::new(&n).ok().unwrap();
        for steps in [u64::MAX, u64::MAX / BATCH as u64, 1 << 20] {
            let forged = Sieved {
                steps,
                relations: Vec::new(),
            };
            assert!(!sieve.take_up(forged), "{steps}");
        }
        assert!(sieve.step().is_none());
        let mut honest = sieve.sieved();
        assert!(
            QuadraticSieve::new(&n)
                .ok()
                .unwrap()
                .take_up(honest.clone())
        );
        // The same relation many times is one relation.
        let one = honest.relations[0].clone();
        honest.relations = vec![one; 100_000];
        honest.steps = 200_000;
        assert!(!QuadraticSieve::new(&n).ok().unwrap().take_up(honest));
    }
}
