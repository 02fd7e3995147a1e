//! The classical methods: each asks one thing of the primes, and is quick when they have it.

use dashu_int::{
    UBig,
    monty::{Montgomery, MontgomeryRepr},
    ops::{BitTest, Gcd, SquareRootRem},
};

use super::{Factored, Method, primes::primes_up_to};

/// Divides by every prime below 2^16.
pub fn trial_division(n: &UBig) -> Option<Factored> {
    let found = primes_up_to(1 << 16).into_iter().find(|&p| n % p == 0)?;
    Factored::from_factor(n, found.into(), Method::TrialDivision)
}

/// Fermat's method: looks for `n = a^2 - b^2 = (a - b)(a + b)`, from `a = sqrt(n)` upwards, `steps` times.
///
/// Step 0 finds squares. A generator that takes the prime after p for q is found at once, at any size (CVE-2022-26320).
pub fn fermat(n: &UBig, steps: u64) -> Option<Factored> {
    if !odd_above_one(n) {
        return None;
    }
    let (root, rest) = n.sqrt_rem();
    let mut a = if rest.is_zero() {
        root
    } else {
        root + UBig::ONE
    };
    let mut square = &a * &a - n;
    for _ in 0..=steps {
        if let Some(b) = square_root(&square) {
            return Factored::from_factor(n, &a - b, Method::Fermat);
        }
        // (a + 1)^2 = a^2 + 2a + 1
        square += (&a << 1) + UBig::ONE;
        a += UBig::ONE;
    }
    None
}

/// Residues modulo 64 that squares have, one bit each: 12 of 64.
const SQUARES_MOD_64: u64 = {
    let (mut set, mut i) = (0, 0);
    while i < 64 {
        set |= 1 << (i * i % 64);
        i += 1;
    }
    set
};

/// The root of a perfect square.
pub(super) fn square_root(n: &UBig) -> Option<UBig> {
    let low = n.as_words().first().map_or(0, |word| word % 64);
    if SQUARES_MOD_64 >> low & 1 == 0 {
        return None;
    }
    let (root, rest) = n.sqrt_rem();
    rest.is_zero().then_some(root)
}

/// Products between two greatest common divisors, which cost as much as many products.
const BATCH: u64 = 128;

/// Pollard's rho in Brent's form: a sequence modulo n repeats modulo p after about sqrt(p) steps, which a greatest common
/// divisor shows. Takes at most about `steps` steps. (Pollard, BIT 15, 1975; Brent, BIT 20, 1980.)
pub fn pollard_rho(n: &UBig, steps: u64) -> Option<Factored> {
    if !odd_above_one(n) {
        return None;
    }
    // If both primes show in the same step, another sequence is needed; five such accidents in a row mean a prime power.
    (1..=5u8)
        .find_map(|constant| rho_cycle(n, constant, steps))
        .and_then(|factor| Factored::from_factor(n, factor, Method::PollardRho))
}

fn rho_cycle(n: &UBig, constant: u8, steps: u64) -> Option<UBig> {
    let ring = MontgomeryRepr::new(n.clone());
    let constant = ring.reduce(UBig::from(constant));
    let mut hare = ring.reduce(UBig::from(2u8));
    let (mut taken, mut lap) = (0, 1);
    while taken < steps {
        let tortoise = hare.clone();
        let mut left = lap;
        while left > 0 && taken < steps {
            let (before, count) = (hare.clone(), left.min(BATCH));
            let mut product = ring.reduce(UBig::ONE);
            for _ in 0..count {
                hare = hare.sqr() + &constant;
                product *= &tortoise - &hare;
            }
            let divisor = gcd_with(&product, n);
            if divisor == *n {
                return rho_one_by_one(&tortoise, before, &constant, n);
            }
            if divisor > UBig::ONE {
                return Some(divisor);
            }
            left -= count;
            taken += count;
        }
        lap *= 2;
    }
    None
}

/// Goes through a batch again, because both primes were in its product.
fn rho_one_by_one<'a>(
    tortoise: &Montgomery<'a>,
    mut hare: Montgomery<'a>,
    constant: &Montgomery<'a>,
    n: &UBig,
) -> Option<UBig> {
    loop {
        hare = hare.sqr() + constant;
        let divisor = gcd_with(&(tortoise - &hare), n);
        if divisor > UBig::ONE {
            return (divisor != *n).then_some(divisor);
        }
    }
}

/// How much larger than the bound one last prime factor of p - 1 may be.
const SECOND_STAGE: u32 = 30;
/// The list of primes is never longer than this, for any bound.
const LONGEST_LIST: u32 = 1 << 28;

/// Pollard's p - 1: raises 2 to every prime power up to `bound`. If they cover p - 1 (all of it, or all but one prime
/// up to 30 times the bound), the result is 1 modulo p. This is Fermat's little theorem. (Pollard, Proc. Camb. Phil.
/// Soc. 76, 1974.)
pub fn pollard_p_minus_1(n: &UBig, bound: u32) -> Option<Factored> {
    if !odd_above_one(n) {
        return None;
    }
    let ring = MontgomeryRepr::new(n.clone());
    let one = ring.reduce(UBig::ONE);
    let limit = bound.saturating_mul(SECOND_STAGE).min(LONGEST_LIST);
    let primes = primes_up_to(limit);
    let (small, large) = primes.split_at(primes.partition_point(|&p| p <= bound));
    let found = |factor| Factored::from_factor(n, factor, Method::PollardPMinus1);

    let mut x = ring.reduce(UBig::from(2u8));
    for batch in small.chunks(BATCH as usize) {
        let before = x.clone();
        for &prime in batch {
            x = x.pow(&largest_power(prime, bound).into());
        }
        let divisor = gcd_with(&(&x - &one), n);
        if divisor == *n {
            return p_minus_1_one_by_one(before, batch, bound, n).and_then(found);
        }
        if divisor > UBig::ONE {
            return found(divisor);
        }
    }
    second_stage(&x, large, n).and_then(found)
}

/// The largest power of `prime` that is at most `bound`.
fn largest_power(prime: u32, bound: u32) -> u32 {
    let mut power = prime;
    while let Some(next) = power.checked_mul(prime).filter(|&next| next <= bound) {
        power = next;
    }
    power
}

/// Goes through a batch again, one factor at a time, because it held the last of p - 1 and of q - 1.
fn p_minus_1_one_by_one(
    mut x: Montgomery<'_>,
    batch: &[u32],
    bound: u32,
    n: &UBig,
) -> Option<UBig> {
    for &prime in batch {
        let mut power = largest_power(prime, bound);
        while power > 1 {
            x = x.pow(&prime.into());
            power /= prime;
            let one = x.clone() / &x;
            let divisor = gcd_with(&(&x - one), n);
            if divisor > UBig::ONE {
                return (divisor != *n).then_some(divisor);
            }
        }
    }
    None
}

/// Allows one more prime: steps from `x^prime` to `x^(next prime)` with one product, from a table of the gaps.
fn second_stage(x: &Montgomery<'_>, primes: &[u32], n: &UBig) -> Option<UBig> {
    let widest = primes.windows(2).map(|pair| pair[1] - pair[0]).max()?;
    let square = x.sqr();
    let one = x.clone() / x;
    let mut gaps = vec![one.clone()];
    for _ in 0..widest / 2 {
        let next = gaps[gaps.len() - 1].clone() * &square;
        gaps.push(next);
    }
    let mut power = x.pow(&primes[0].into());
    let mut product = &power - &one;
    for (count, pair) in primes.windows(2).enumerate() {
        power *= &gaps[((pair[1] - pair[0]) / 2) as usize];
        product *= &power - &one;
        if count % 1024 == 1023 || count + 2 == primes.len() {
            let divisor = gcd_with(&product, n);
            if divisor > UBig::ONE {
                return (divisor != *n).then_some(divisor);
            }
        }
    }
    None
}

/// The condition of Montgomery arithmetic.
fn odd_above_one(n: &UBig) -> bool {
    n.bit(0) && *n > UBig::ONE
}

/// `gcd(x, n)`; n itself if x is zero.
fn gcd_with(x: &Montgomery<'_>, n: &UBig) -> UBig {
    x.residue().gcd(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::{is_probable_prime, next_prime, testing::prime};

    /// A prime p with p - 1 = 2 * (product of primes up to 2^16).
    fn smooth_prime(bits: usize) -> UBig {
        let mut product = UBig::from(2u8);
        for p in primes_up_to(1 << 16).into_iter().rev() {
            product *= UBig::from(p);
            if product.bit_len() >= bits && is_probable_prime(&(&product + UBig::ONE)) {
                return product + UBig::ONE;
            }
        }
        unreachable!("there are primes enough below 2^16")
    }

    #[test]
    fn fermat_counts_its_steps() {
        // 101 * 113: a begins at 107, and 107^2 - 11413 = 6^2. So no further step.
        assert!(fermat(&UBig::from(11_413u32), 0).is_some());
        // 10007 * 10807: b = 400, a = 10407 = root + 8.
        let n = UBig::from(10_007u32 * 10_807);
        assert!(fermat(&n, 6).is_none());
        assert_eq!(fermat(&n, 7).unwrap().p, UBig::from(10_007u32));
    }

    #[test]
    fn p_minus_1_needs_its_bound() {
        let smooth = smooth_prime(256);
        let n = &smooth * prime(256, 9);
        let found = pollard_p_minus_1(&n, 1 << 16).unwrap();
        assert!(found.p == smooth || found.q == smooth);
        assert_eq!(pollard_p_minus_1(&n, 1_000), None);
    }

    #[test]
    fn p_minus_1_allows_one_larger_prime() {
        // p = 2 k q + 1 with k up to 8000 and q just above 20,000.
        let q = UBig::from(20_011u32);
        let p = (1..4_000u32)
            .map(|k| UBig::from(2 * k) * &q + UBig::ONE)
            .find(is_probable_prime)
            .unwrap();
        let n = &p * prime(200, 1);
        assert_eq!(pollard_p_minus_1(&n, 8_000).unwrap().p, p);
    }

    #[test]
    fn both_primes_smooth_are_still_separated() {
        let (p, q) = (smooth_prime(100), smooth_prime(200));
        let found = pollard_p_minus_1(&(&p * &q), 1 << 16).unwrap();
        assert_eq!((found.p, found.q), (p, q));
    }

    #[test]
    fn rho_finds_small_primes_and_gives_up() {
        let n = prime(36, 1) * prime(300, 2);
        assert_eq!(pollard_rho(&n, 2_000_000).unwrap().p, prime(36, 1));
        assert_eq!(pollard_rho(&n, 100), None);
        assert!(pollard_rho(&UBig::from(9u8), 1_000).is_none_or(|f| f.p == UBig::from(3u8)));
        for n in (9u32..3_000).step_by(2) {
            if let Some(found) = pollard_rho(&UBig::from(n), 1_000) {
                assert_eq!(&found.p * &found.q, UBig::from(n));
            }
        }
    }

    #[test]
    fn even_and_tiny_numbers_are_no_trouble() {
        for n in [0u32, 1, 2, 4, 6, 100] {
            let n = UBig::from(n);
            assert_eq!(fermat(&n, 10), None);
            assert_eq!(pollard_rho(&n, 10), None);
            assert_eq!(pollard_p_minus_1(&n, 10), None);
        }
        for bound in [0, 1, 2, 3] {
            assert_eq!(
                pollard_p_minus_1(&(prime(64, 1) * prime(64, 2)), bound),
                None
            );
        }
        assert_eq!(
            trial_division(&UBig::from(2u8 * 3)).unwrap().q,
            next_prime(&UBig::from(3u8))
        );
    }
}
