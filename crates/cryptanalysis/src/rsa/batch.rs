//! Shared primes among many moduli, in quasi-linear time.
//!
//! Keys made with too little randomness share primes (Heninger et al., "Mining your Ps and Qs", USENIX Security 2012).
//! The value `gcd(n1, n2)` of two such moduli is the prime. For 100,000 moduli that is five thousand million pairs.
//! Instead, with the product P of all moduli, `gcd(n, P/n mod n)` shows whether n shares a factor with any other. Trees
//! make all of these at once (Bernstein, "How to find smooth parts of integers", 2004, and "Scaled remainder trees",
//! 2004):
//!
//! 1. Up the *product tree*: `P = P_left * P_right`, together with the sum `S = S_left * P_right + S_right * P_left`, where
//!    a leaf has `P = n` and `S = 1`. At the root S is the sum of all `P/n`, and modulo one n every other term vanishes: so
//!    `S mod n = P/n mod n`.
//! 2. Down the *scaled remainder tree*: the root holds the fraction `S/P`, a child the fractional part of its parent's
//!    times the *other* child's product. A leaf then holds the fractional part of `S/n`, which times n is `S mod n`.
//!
//! The fractions are fixed-point numbers with a few guard bits. So going down needs products alone: only one division
//! of large numbers is left, at the root.

use dashu_int::{
    UBig,
    ops::{BitTest, Gcd},
};
use rayon::prelude::*;

use super::{Factored, Method};

/// Guard bits of the fractions. Their error doubles at each level, and there cannot be 64 levels.
const GUARD: usize = 96;

/// For each modulus, the greatest common divisor of it and the product of all others: 1 unless they share a factor.
///
/// Runs on all cores. Zeros are taken for ones.
pub fn batch_gcd(moduli: &[UBig]) -> Vec<UBig> {
    if moduli.is_empty() {
        return Vec::new();
    }
    let one_for_zero = |n: &UBig| if n.is_zero() { UBig::ONE } else { n.clone() };
    let (tree, sum) = grow(moduli.iter().map(one_for_zero).collect());
    let root = &tree[tree.len() - 1][0];
    let mut fractions = vec![((sum % root) << scale(root)) / root];
    for level in tree.windows(2).rev() {
        fractions = descend(&level[1], &fractions, &level[0]);
    }
    let leaves = tree[0].par_iter().zip(fractions);
    leaves
        .map(|(n, fraction)| {
            // The error only ever makes the fraction smaller, so round up. S mod n may come out as n for 0.
            let scale = scale(n);
            let remainder = (fraction * n + UBig::ones(scale)) >> scale;
            remainder.gcd(n)
        })
        .collect()
}

/// Bits after the point of the fraction that belongs to `product`.
fn scale(product: &UBig) -> usize {
    product.bit_len() + GUARD
}

/// The product tree, the leaves first, and the sum of all `P/n`.
fn grow(leaves: Vec<UBig>) -> (Vec<Vec<UBig>>, UBig) {
    let mut sums = vec![UBig::ONE; leaves.len()];
    let mut tree = vec![leaves];
    while sums.len() > 1 {
        let level = &tree[tree.len() - 1];
        let pairs = level.par_chunks(2).zip(sums.par_chunks(2));
        let (products, next): (Vec<_>, Vec<_>) = pairs
            .map(|pair| match pair {
                ([p, q], [s, t]) => {
                    let (product, sum) = rayon::join(|| p * q, || s * q + t * p);
                    (product, sum)
                }
                (p, s) => (p[0].clone(), s[0].clone()),
            })
            .unzip();
        tree.push(products);
        sums = next;
    }
    (tree, sums.swap_remove(0))
}

/// The fractions one level below.
fn descend(parents: &[UBig], fractions: &[UBig], children: &[UBig]) -> Vec<UBig> {
    let families = parents
        .par_iter()
        .zip(fractions)
        .zip(children.par_chunks(2));
    families
        .flat_map_iter(|((parent, fraction), children)| {
            let child = |own: &UBig, other: &UBig| {
                let mut product = fraction * other;
                product.clear_high_bits(scale(parent));
                product >> (scale(parent) - scale(own))
            };
            match children {
                [left, right] => {
                    let (a, b) = rayon::join(|| child(left, right), || child(right, left));
                    vec![a, b]
                }
                _ => vec![fraction.clone()],
            }
        })
        .collect()
}

/// The factor that a modulus shares with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Nothing.
    No,
    /// One prime, so it is factored.
    Prime(Factored),
    /// The whole modulus, and no other modulus separates its primes: most likely the same key is in use twice.
    Whole,
}

/// The factor that each modulus shares with the others.
///
/// The greatest common divisor is the modulus itself in two cases. The key occurs twice, or it shares one prime with
/// one key and the other prime with another. Such moduli are compared among each other, one by one.
pub fn shared_primes(moduli: &[UBig]) -> Vec<Shared> {
    let divisors = batch_gcd(moduli);
    let shares: Vec<&UBig> = (moduli.iter().zip(&divisors))
        .filter_map(|(n, divisor)| (*divisor > UBig::ONE).then_some(n))
        .collect();
    let by_factor = |n: &UBig, factor| Factored::from_factor(n, factor, Method::SharedPrime);
    let all = moduli.par_iter().zip(divisors);
    all.map(|(n, divisor)| {
        if divisor == UBig::ONE {
            return Shared::No;
        }
        by_factor(n, divisor)
            .or_else(|| shares.iter().find_map(|other| by_factor(n, n.gcd(*other))))
            .map_or(Shared::Whole, Shared::Prime)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generators::Generator, rsa::testing::prime};

    fn plain(moduli: &[UBig]) -> Vec<UBig> {
        let product_but = |skip: usize| {
            let others = moduli.iter().enumerate().filter(|(i, _)| *i != skip);
            others.fold(UBig::ONE, |product, (_, n)| product * n)
        };
        (0..moduli.len())
            .map(|i| product_but(i).gcd(&moduli[i]))
            .collect()
    }

    #[test]
    fn the_trees_agree_with_the_definition() {
        for count in 0..40 {
            // Short numbers of different lengths, so that many share factors, some are equal, and some are 1.
            let moduli: Vec<UBig> = (0..count)
                .map(|i| {
                    let bytes: [u8; 9] = Generator::Mt19937.bytes(1000 * count + i);
                    UBig::from_le_bytes(&bytes[..1 + (i % 9) as usize]) + UBig::ONE
                })
                .collect();
            assert_eq!(batch_gcd(&moduli), plain(&moduli), "{moduli:?}");
        }
    }

    #[test]
    fn shared_primes_are_found_among_sound_keys() {
        let p: Vec<UBig> = (0..12).map(|seed| prime(96, seed)).collect();
        let moduli = [
            &p[0] * &p[1],
            &p[2] * &p[3], // shares p[3]
            &p[4] * &p[5],
            &p[6] * &p[3], // shares p[3] and p[6]
            &p[6] * &p[7], // shares p[6]
            &p[8] * &p[9], // the same key twice
            &p[10] * &p[11],
            &p[8] * &p[9],
        ];
        let found = shared_primes(&moduli);
        for i in [0, 2, 6] {
            assert_eq!(found[i], Shared::No);
        }
        for i in [1, 3, 4] {
            let Shared::Prime(factors) = &found[i] else {
                panic!("modulus {i} shares a prime");
            };
            assert_eq!(&factors.p * &factors.q, moduli[i]);
            assert_eq!(factors.method, Method::SharedPrime);
        }
        assert_eq!((&found[5], &found[7]), (&Shared::Whole, &Shared::Whole));
    }

    #[test]
    fn zeros_and_ones_are_harmless() {
        assert!(batch_gcd(&[]).is_empty());
        let moduli = [0u8, 1, 15, 0, 21].map(UBig::from);
        let expected = [1u8, 1, 3, 1, 3].map(UBig::from);
        assert_eq!(batch_gcd(&moduli), expected);
        assert_eq!(batch_gcd(&moduli[..1]), [UBig::ONE]);
    }
}
