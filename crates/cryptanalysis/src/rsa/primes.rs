//! Primes: listing the small ones, recognising the large ones.

use dashu_int::{UBig, monty::MontgomeryRepr};

/// All primes up to and including `limit` (sieve of Eratosthenes).
pub(super) fn primes_up_to(limit: u32) -> Vec<u32> {
    let limit = limit as usize;
    let mut composite = vec![false; limit + 1];
    let mut primes = Vec::new();
    for i in 2..=limit {
        if composite[i] {
            continue;
        }
        primes.push(i as u32);
        for multiple in (i * i..=limit).step_by(i) {
            composite[multiple] = true;
        }
    }
    primes
}

/// The bases of the Miller-Rabin test. The first twelve decide every number below 3.3 * 10^24.
const BASES: [u8; 24] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89,
];

/// Whether `n` is prime, by the Miller-Rabin test over the 24 smallest primes.
///
/// Fit for numbers that nobody chose to deceive it: the bases are fixed, so composites that pass can be constructed.
pub fn is_probable_prime(n: &UBig) -> bool {
    for base in BASES {
        if (n % base) == 0 {
            return *n == UBig::from(base);
        }
    }
    if *n < UBig::from(89u32 * 89) {
        return *n > UBig::ONE;
    }
    let minus_one = n - UBig::ONE;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    let ring = MontgomeryRepr::new(n.clone());
    let (one, last) = (ring.reduce(UBig::ONE), ring.reduce(minus_one));
    BASES.iter().all(|&base| {
        let mut x = ring.reduce(UBig::from(base)).pow(&odd);
        if x == one {
            return true;
        }
        for _ in 1..twos {
            if x == last {
                return true;
            }
            x = x.sqr();
        }
        x == last
    })
}

/// The smallest prime that is not below `from`.
pub fn next_prime(from: &UBig) -> UBig {
    if *from <= UBig::from(2u8) {
        return UBig::from(2u8);
    }
    let mut candidate = from | UBig::ONE;
    while !is_probable_prime(&candidate) {
        candidate += UBig::from(2u8);
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_agree_on_small_numbers() {
        let listed = primes_up_to(20_000);
        let tested: Vec<u32> = (0..=20_000)
            .filter(|&n| is_probable_prime(&UBig::from(n)))
            .collect();
        assert_eq!(listed, tested);
    }

    #[test]
    fn large_primes_and_pseudoprimes_are_told_apart() {
        let mersenne = (UBig::ONE << 521) - UBig::ONE;
        assert!(is_probable_prime(&mersenne));
        assert!(!is_probable_prime(&((UBig::ONE << 523) - UBig::ONE)));
        // A Carmichael number, and the strong pseudoprime to the nine smallest bases (Jaeschke 1993).
        for composite in [1_729u64, 3_825_123_056_546_413_051] {
            assert!(!is_probable_prime(&UBig::from(composite)));
        }
    }

    #[test]
    fn the_next_prime_is_the_next() {
        for (from, next) in [
            (0u32, 2u32),
            (2, 2),
            (3, 3),
            (8, 11),
            (90, 97),
            (65_536, 65_537),
        ] {
            assert_eq!(next_prime(&UBig::from(from)), UBig::from(next));
        }
    }
}
