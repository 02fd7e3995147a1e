//! Wiener's attack on small private exponents.

use dashu_int::{UBig, ops::DivRem};

use super::{Factored, Method, few::square_root};

/// A private key that the public one gave away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeakExponent {
    /// The private exponent.
    pub d: UBig,
    /// The primes.
    pub factors: Factored,
}

/// Finds a private exponent `d < n^(1/4) / 3` from the public key (Wiener, IEEE Trans. Inf. Theory 36, 1990).
///
/// `e d = 1 + k phi(n)` means that `k/d` is so close to `e/n` that it is a convergent of its continued fraction, and
/// those are few. The right one gives phi(n) and with it the sum of the primes. A key with a small `d`, chosen to sign
/// faster, is broken by this. Where `d` belongs to the least common multiple of p - 1 and q - 1, the bound is smaller
/// by their common divisor.
pub fn wiener(n: &UBig, e: &UBig) -> Option<WeakExponent> {
    let (mut numerator, mut denominator) = (e.clone(), n.clone());
    // Convergents k/d: the last one and the one before.
    let (mut k, mut k_before) = (UBig::ZERO, UBig::ONE);
    let (mut d, mut d_before) = (UBig::ONE, UBig::ZERO);
    let mut first = true;
    while !denominator.is_zero() {
        let (quotient, rest) = numerator.div_rem(&denominator);
        (numerator, denominator) = (denominator, rest);
        if first {
            // Convergent 0 is quotient / 1.
            (first, k) = (false, quotient);
        } else {
            let (next_k, next_d) = (&quotient * &k + k_before, &quotient * &d + d_before);
            (k_before, k) = (k, next_k);
            (d_before, d) = (d, next_d);
        }
        if let Some(factors) = with_exponent(n, e, &k, &d) {
            let d = factors.private_exponent(e)?;
            return Some(WeakExponent { d, factors });
        }
    }
    None
}

/// The primes, if `e d = g + k phi(n)` for a small g: the common divisor of p - 1 and q - 1, or 1.
fn with_exponent(n: &UBig, e: &UBig, k: &UBig, d: &UBig) -> Option<Factored> {
    let product = e * d;
    if k.is_zero() || product.is_zero() {
        return None;
    }
    let phi = (product - UBig::ONE) / k;
    if phi >= *n {
        return None;
    }
    // p + q = n - phi + 1, and p, q are the roots of x^2 - (p + q) x + n.
    let sum = n - phi + UBig::ONE;
    let discriminant = &sum * &sum;
    if discriminant < n << 2 {
        return None;
    }
    let difference = square_root(&(discriminant - (n << 2)))?;
    Factored::from_factor(n, (sum + difference) >> 1, Method::Wiener)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::testing::prime;

    /// `d` of about `bits` bits, and the `e` that belongs to it.
    fn key(bits: usize) -> (UBig, UBig, UBig) {
        let key = Factored {
            p: prime(512, 1),
            q: prime(512, 2),
            method: Method::Wiener,
        };
        let d = prime(bits, 3);
        let e = key.private_exponent(&d).unwrap();
        (&key.p * &key.q, e, d)
    }

    #[test]
    fn a_small_private_exponent_is_found() {
        for bits in [16, 100, 240] {
            let (n, e, d) = key(bits);
            let found = wiener(&n, &e).unwrap();
            assert_eq!(found.d, d);
            assert_eq!(&found.factors.p * &found.factors.q, n);
        }
    }

    #[test]
    fn a_larger_one_and_nonsense_are_not() {
        let (n, e, _) = key(280);
        assert_eq!(wiener(&n, &e), None);
        assert_eq!(wiener(&n, &UBig::from(65_537u32)), None);
        for n in 0..40u8 {
            for e in 0..40u8 {
                let (n, e) = (UBig::from(n), UBig::from(e));
                if let Some(found) = wiener(&n, &e) {
                    assert_eq!(&found.factors.p * &found.factors.q, n);
                }
            }
        }
    }
}
