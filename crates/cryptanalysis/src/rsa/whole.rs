//! All prime factors of a modulus, and the private exponent that belongs to all of them.
//!
//! The textbook's `(p - 1)(q - 1)` is right for two different primes alone. Of a modulus with more of them, or with one
//! that is squared, it gives an exponent that decrypts nothing. Carmichael's function is right for every modulus.

use dashu_int::{
    UBig,
    fast_div::ConstDivisor,
    ops::{BitTest, Gcd},
};

use super::{Factored, Method, is_probable_prime, primes::primes_up_to};

/// A modulus taken apart, as far as that succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factorization {
    /// The primes in order, each with its exponent.
    pub primes: Vec<(UBig, u32)>,
    /// The rest: composite numbers that no method separated.
    pub composites: Vec<(UBig, u32)>,
    /// The method that found the first factor; `None` if nothing had to be separated.
    pub method: Option<Method>,
}

/// Takes `n` apart. `split` is asked for two factors of a composite number, again and again; `first` is what is known of
/// `n` already.
pub fn factor_fully(
    n: &UBig,
    first: Option<Factored>,
    mut split: impl FnMut(&UBig) -> Option<Factored>,
) -> Factorization {
    let mut out = Factorization::default();
    let mut left = Vec::new();
    match first {
        Some(Factored { p, q, method }) => {
            out.method = Some(method);
            left.extend([(p, 1), (q, 1)]);
        }
        None => left.push((n.clone(), 1)),
    }
    while let Some((part, exponent)) = left.pop() {
        if part <= UBig::ONE {
            continue;
        }
        if is_probable_prime(&part) {
            add(&mut out.primes, part, exponent);
        } else if let Some((root, power)) = root_of_power(&part) {
            out.method.get_or_insert(Method::PerfectPower);
            left.push((root, power * exponent));
        } else if let Some(Factored { p, q, method }) = split(&part) {
            out.method.get_or_insert(method);
            left.extend([(p, exponent), (q, exponent)]);
        } else {
            add(&mut out.composites, part, exponent);
        }
    }
    out.primes.sort();
    out.composites.sort();
    out
}

fn add(factors: &mut Vec<(UBig, u32)>, factor: UBig, exponent: u32) {
    match factors.iter_mut().find(|(known, _)| *known == factor) {
        Some((_, known)) => *known += exponent,
        None => factors.push((factor, exponent)),
    }
}

/// `r` and a prime `k` with `r^k == n`. Powers of numbers below 2^16 are left to trial division.
fn root_of_power(n: &UBig) -> Option<(UBig, u32)> {
    let most = (n.bit_len() / 16).max(2) as u32;
    let mut powers = primes_up_to(most).into_iter();
    powers.find_map(|k| {
        let root = n.nth_root(k as usize);
        (root.pow(k as usize) == *n).then_some((root, k))
    })
}

impl Factorization {
    /// Whether all factors are primes.
    pub fn is_complete(&self) -> bool {
        self.composites.is_empty() && !self.primes.is_empty()
    }

    /// Whether no prime divides the modulus twice. Only then does decryption give back *every* message.
    pub fn is_squarefree(&self) -> bool {
        let mut all = self.primes.iter().chain(&self.composites);
        all.all(|(_, exponent)| *exponent == 1)
    }

    /// Whether a factor was found that is not the modulus itself.
    pub fn is_proper(&self) -> bool {
        let parts = self.primes.iter().chain(&self.composites);
        parts.map(|(_, exponent)| *exponent).sum::<u32>() > 1
    }

    /// The product of all factors.
    pub fn modulus(&self) -> UBig {
        let parts = self.primes.iter().chain(&self.composites);
        parts.fold(UBig::ONE, |product, (factor, exponent)| {
            product * factor.pow(*exponent as usize)
        })
    }

    /// Carmichael's function: the least exponent that makes 1 of every number without a common factor with the modulus.
    /// `None` unless all primes are known.
    pub fn carmichael(&self) -> Option<UBig> {
        if !self.is_complete() {
            return None;
        }
        let lambda = self.primes.iter().map(|(p, exponent)| {
            let exponent = *exponent as usize;
            match *p == UBig::from(2u8) {
                true if exponent > 2 => UBig::ONE << (exponent - 2),
                _ => p.pow(exponent - 1) * (p - UBig::ONE),
            }
        });
        Some(lambda.fold(UBig::ONE, |all, one| &all / (&all).gcd(&one) * one))
    }

    /// The private exponent for the public exponent `e`, verified by encrypting and decrypting.
    ///
    /// # Errors
    /// The reason why there is none.
    pub fn private_exponent(&self, e: &UBig) -> Result<UBig, NoExponent> {
        let lambda = self.carmichael().ok_or(NoExponent::NotAllPrimes)?;
        if lambda == UBig::ONE {
            return Err(NoExponent::Trivial);
        }
        let ring = ConstDivisor::new(lambda);
        let inverse = ring.reduce(e.clone()).inv();
        let d = inverse.ok_or(NoExponent::NotCoprime)?.residue();
        match self.verifies(e, &d) {
            true => Ok(d),
            false => Err(NoExponent::Refuted),
        }
    }

    /// Whether `d` undoes `e`, for small, large and medium numbers. If the modulus has a squared prime, numbers that
    /// share a factor with it are left out, for nothing undoes them.
    fn verifies(&self, e: &UBig, d: &UBig) -> bool {
        let n = self.modulus();
        let ring = ConstDivisor::new(n.clone());
        let scattered = (1..=6u8).map(|i| (&n * UBig::from(i)) / UBig::from(7u8));
        let small = [0u8, 1, 2, 3, 42].map(UBig::from).into_iter();
        let primes = self.primes.iter().map(|(p, _)| p.clone());
        let mut values = small.chain([&n - UBig::ONE]).chain(scattered).chain(primes);
        values.all(|value| {
            if !self.is_squarefree() && (&value).gcd(&n) != UBig::ONE {
                return true;
            }
            let value = ring.reduce(value);
            value.pow(e).pow(d) == value
        })
    }
}

/// Why a modulus and a public exponent have no private one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoExponent {
    /// Not all primes of the modulus are known.
    NotAllPrimes,
    /// The public exponent shares a factor with a p - 1 or with a squared p, so two messages have one ciphertext.
    NotCoprime,
    /// The modulus is 1 or 2.
    Trivial,
    /// The exponent does not decrypt an encrypted number. Such a result would be a bug of this program.
    Refuted,
}

impl std::fmt::Display for NoExponent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAllPrimes => "not all primes are known",
            Self::NotCoprime => {
                "e shares a factor with p - 1 (or with a squared p), so different messages have one ciphertext"
            }
            Self::Trivial => "the modulus holds no message",
            Self::Refuted => "the exponent that was computed does not decrypt: please report this",
        })
    }
}

impl std::error::Error for NoExponent {}

#[cfg(test)]
mod tests {
    use super::super::{Effort, factor, testing::prime};
    use super::*;

    fn whole(n: &UBig) -> Factorization {
        let all = factor_fully(n, None, |part| factor(part, &Effort::QUICK));
        assert_eq!(all.modulus(), *n);
        all
    }

    fn number(n: u64) -> UBig {
        UBig::from(n)
    }

    #[test]
    fn every_shape_of_modulus_has_its_private_exponent() {
        let (p, q, r) = (prime(30, 1), prime(31, 2), prime(29, 3));
        let s = number(101);
        let e = number(65_537);
        let shapes: [(&str, UBig, usize); 11] = [
            ("p q", &p * &q, 2),
            ("p^2", &p * &p, 1),
            ("p^3", p.pow(3), 1),
            ("p^2 q", &p * &p * &q, 2),
            ("p^2 q^3", &p * &p * q.pow(3), 2),
            ("s p q", &s * &p * &q, 3),
            ("p q r", &p * &q * &r, 3),
            ("p", p.clone(), 1),
            ("2 p", &p * number(2), 2),
            ("8 p q", &p * &q * number(8), 3),
            ("a large prime squared", prime(512, 4).pow(2), 1),
        ];
        for (shape, n, primes) in shapes {
            let all = whole(&n);
            assert!(all.is_complete(), "{shape}: {all:?}");
            assert_eq!(all.primes.len(), primes, "{shape}");
            let d = all
                .private_exponent(&e)
                .unwrap_or_else(|why| panic!("{shape}: {why}"));
            // Numbers that nothing was verified with.
            let ring = ConstDivisor::new(n.clone());
            for i in 5..40u64 {
                let message = number(i) * number(1_000_003) + number(7);
                if (&message).gcd(&n) == UBig::ONE {
                    let message = ring.reduce(message);
                    assert_eq!(message.pow(&e).pow(&d), message, "{shape}, {i}");
                }
            }
        }
    }

    #[test]
    fn small_moduli_agree_with_trying_every_exponent() {
        for n in 3..400u64 {
            let all = whole(&number(n));
            let coprime: Vec<u64> = (1..n)
                .filter(|m| number(*m).gcd(&number(n)) == UBig::ONE)
                .collect();
            let power = |m: u64, k: u64| (0..k).fold(1, |x, _| x * m % n);
            let lambda = (1..)
                .find(|&k| coprime.iter().all(|&m| power(m, k) == 1))
                .unwrap();
            assert_eq!(all.carmichael(), Some(number(lambda)), "{n}");
        }
    }

    #[test]
    fn exponents_without_an_inverse_have_none() {
        let (p, q) = (prime(60, 1), prime(61, 2));
        let all = whole(&(&p * &q));
        for e in [number(0), number(2), number(1 << 20), &p - UBig::ONE] {
            assert_eq!(all.private_exponent(&e), Err(NoExponent::NotCoprime), "{e}");
        }
        assert_eq!(all.private_exponent(&UBig::ONE), Ok(UBig::ONE));
        let square = whole(&(&p * &p));
        assert_eq!(square.private_exponent(&p), Err(NoExponent::NotCoprime));
        for (n, why) in [
            (0u64, NoExponent::NotAllPrimes),
            (1, NoExponent::NotAllPrimes),
            (2, NoExponent::Trivial),
        ] {
            let all = factor_fully(&number(n), None, |_| None);
            assert_eq!(all.private_exponent(&number(3)), Err(why), "{n}");
        }
    }

    #[test]
    fn what_cannot_be_separated_is_said_to_be_left() {
        let (p, q) = (prime(256, 1), prime(256, 2));
        let n = &p * &q * number(101);
        let all = factor_fully(&n, None, super::super::trial_division);
        assert_eq!(
            (&all.primes[..], &all.composites[..]),
            (&[(number(101), 1)][..], &[(&p * &q, 1)][..])
        );
        assert!(all.is_proper() && !all.is_complete());
        assert_eq!(
            all.private_exponent(&number(3)),
            Err(NoExponent::NotAllPrimes)
        );
        let nothing = factor_fully(&(&p * &q), None, |_| None);
        assert!(!nothing.is_proper());
    }
}
