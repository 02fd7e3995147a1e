//! RSA moduli that can be factored, because of how their primes were chosen or because they are short.
//!
//! | method | breaks | cost |
//! | --- | --- | --- |
//! | [`trial_division`] | a factor below 2^16 | nothing |
//! | [`fermat`] | primes that are close to each other | (p - q)^2 / (8 sqrt(n)) steps |
//! | [`pollard_p_minus_1`] | a prime p where p - 1 has only small factors | grows with the largest of them |
//! | [`pollard_rho`] | a small prime factor | sqrt(p) steps |
//! | [`quadratic_sieve`] | everything up to some 256 bits | minutes at 256 bits, ten times that for 30 bits more |
//! | [`batch_gcd`] | two moduli that share a prime, among any number of moduli | quasi-linear in their number |
//! | [`wiener`] | a private exponent below a third of the fourth root of n | nothing |
//!
//! [`factor`] tries those that need one modulus alone, the cheapest first; [`factor_fully`] goes on until all is prime.

mod batch;
mod few;
mod primes;
mod sieve;
mod whole;
mod wiener;

pub use batch::{Shared, batch_gcd, shared_primes};
pub use dashu_int::UBig;
pub use few::{fermat, pollard_p_minus_1, pollard_rho, trial_division};
pub use primes::{is_probable_prime, next_prime};
pub use sieve::{QuadraticSieve, Relation, Sieved, quadratic_sieve};
pub use whole::{Factorization, NoExponent, factor_fully};
pub use wiener::{WeakExponent, wiener};

use dashu_int::{
    fast_div::ConstDivisor,
    ops::{BitTest, Gcd},
};
use std::{fmt, ops::ControlFlow};

/// The method that found the factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// [`trial_division`]
    TrialDivision,
    /// [`fermat`]
    Fermat,
    /// [`pollard_p_minus_1`]
    PollardPMinus1,
    /// [`pollard_rho`]
    PollardRho,
    /// [`quadratic_sieve`]
    QuadraticSieve,
    /// [`batch_gcd`]
    SharedPrime,
    /// [`wiener`]
    Wiener,
    /// [`factor_fully`]
    PerfectPower,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrialDivision => "trial division",
            Self::Fermat => "Fermat (close primes)",
            Self::PollardPMinus1 => "Pollard p-1 (smooth p-1)",
            Self::PollardRho => "Pollard rho (small prime)",
            Self::QuadraticSieve => "quadratic sieve (short modulus)",
            Self::SharedPrime => "batch GCD (shared prime)",
            Self::Wiener => "Wiener (small private exponent)",
            Self::PerfectPower => "root (a power of one number)",
        })
    }
}

/// `p * q == n`, with `1 < p <= q`. For an RSA modulus both are prime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factored {
    /// The smaller factor.
    pub p: UBig,
    /// The larger factor.
    pub q: UBig,
    /// The method that found them.
    pub method: Method,
}

impl Factored {
    /// From one factor of `n`. `None` if it is not a proper one.
    fn from_factor(n: &UBig, factor: UBig, method: Method) -> Option<Self> {
        if factor <= UBig::ONE || factor >= *n || !(n % &factor).is_zero() {
            return None;
        }
        let other = n / &factor;
        let (p, q) = if factor <= other {
            (factor, other)
        } else {
            (other, factor)
        };
        Some(Self { p, q, method })
    }

    /// The private exponent that belongs to the public exponent `e`, where both factors are primes and different:
    /// [`Factorization`] takes any modulus.
    ///
    /// `None` when `e` has none: it shares a factor with (p - 1)(q - 1).
    pub fn private_exponent(&self, e: &UBig) -> Option<UBig> {
        let (p1, q1) = (&self.p - UBig::ONE, &self.q - UBig::ONE);
        let lambda = &p1 / (&p1).gcd(&q1) * q1;
        if lambda <= UBig::ONE {
            return None;
        }
        let ring = ConstDivisor::new(lambda);
        ring.reduce(e.clone())
            .inv()
            .map(|inverse| inverse.residue())
    }
}

/// How much work [`factor`] puts into one modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Steps of [`fermat`].
    pub fermat_steps: u64,
    /// Bound of the prime factors of p - 1 for [`pollard_p_minus_1`], but for one that may be 30 times larger.
    pub smooth_bound: u32,
    /// Steps of [`pollard_rho`].
    pub rho_steps: u64,
    /// Moduli up to this number of bits are given to [`quadratic_sieve`], which always succeeds.
    pub sieve_bits: usize,
}

impl Effort {
    /// A second or two for a modulus of 1024 bits: suitable for a scan over many keys.
    pub const QUICK: Self = Self {
        fermat_steps: 50_000,
        smooth_bound: 50_000,
        rho_steps: 200_000,
        sieve_bits: 180,
    };

    /// Minutes for one modulus.
    pub const THOROUGH: Self = Self {
        fermat_steps: 20_000_000,
        smooth_bound: 2_000_000,
        rho_steps: 20_000_000,
        sieve_bits: 260,
    };
}

/// Tries to factor `n`, the cheapest method first. `None` when nothing within the effort worked, or `n` is prime.
///
/// For progress of the sieve, or to end it, call [`quadratic_sieve`] itself.
pub fn factor(n: &UBig, effort: &Effort) -> Option<Factored> {
    if let Some(found) = trial_division(n) {
        return Some(found);
    }
    if *n < UBig::from(4u8) || is_probable_prime(n) {
        return None;
    }
    if n.bit_len() <= effort.sieve_bits {
        // The method says more when the primes are close than that the modulus is short.
        return fermat(n, 100).or_else(|| quadratic_sieve(n, |_, _| ControlFlow::Continue(())));
    }
    fermat(n, effort.fermat_steps)
        .or_else(|| pollard_p_minus_1(n, effort.smooth_bound))
        .or_else(|| pollard_rho(n, effort.rho_steps))
}

/// For the tests: keys made to be broken.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::generators::Generator;

    /// The first prime above a random number of exactly `bits` bits whose two upper bits are set.
    pub(crate) fn prime(bits: usize, seed: u64) -> UBig {
        let mut bytes = vec![0; bits.div_ceil(8)];
        Generator::Mt19937.fill(seed, &mut bytes);
        let mut start = UBig::from_le_bytes(&bytes);
        start.clear_high_bits(bits);
        start.set_bit(bits - 1);
        start.set_bit(bits - 2);
        next_prime(&start)
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::prime, *};

    fn found_by(n: &UBig) -> Option<Method> {
        factor(n, &Effort::QUICK).map(|found| {
            assert_eq!(&found.p * &found.q, *n);
            found.method
        })
    }

    #[test]
    fn each_weakness_is_found_by_its_method() {
        let p = prime(512, 1);
        assert_eq!(
            found_by(&(&p * UBig::from(65_521u32))),
            Some(Method::TrialDivision)
        );
        let close = next_prime(&(&p + (UBig::ONE << 200)));
        assert_eq!(found_by(&(&p * close)), Some(Method::Fermat));
        assert_eq!(found_by(&(&p * &p)), Some(Method::Fermat));
        assert_eq!(
            found_by(&(prime(32, 2) * prime(400, 3))),
            Some(Method::PollardRho)
        );
        assert_eq!(
            found_by(&(prime(50, 4) * prime(50, 5))),
            Some(Method::QuadraticSieve)
        );
    }

    #[test]
    fn a_sound_key_and_a_prime_are_left_alone() {
        assert_eq!(found_by(&(prime(256, 1) * prime(256, 2))), None);
        assert_eq!(found_by(&prime(256, 1)), None);
        for small in [0u8, 1, 2, 3] {
            assert_eq!(found_by(&UBig::from(small)), None);
        }
    }

    #[test]
    fn the_factors_give_the_private_exponent() {
        let (p, q) = (prime(128, 5), prime(128, 6));
        let n = &p * &q;
        let key = Factored::from_factor(&n, p, Method::Fermat).unwrap();
        let e = UBig::from(65_537u32);
        let d = key.private_exponent(&e).unwrap();
        let ring = ConstDivisor::new(n);
        let message = UBig::from(0x6869u32);
        let ciphertext = ring.reduce(message.clone()).pow(&e);
        assert_eq!(ciphertext.pow(&d).residue(), message);
        assert_eq!(key.private_exponent(&UBig::from(2u8)), None);
    }
}
