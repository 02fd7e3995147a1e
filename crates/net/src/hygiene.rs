//! The rules for public keys that may be enrolled.
//!
//! A signature proves that the signer holds the private key. The signature does not prove that others cannot compute
//! that key. Keys that anybody can compute exist by the thousand, because their generators had a fault. The faults of
//! the past leave traces in the modulus, and here they are looked for, before the key is trusted:
//!
//! | trace | found by | whose fault it was |
//! | --- | --- | --- |
//! | another size, exponent or encoding | [`check_public_key`] | many |
//! | a small prime factor | division by every prime below 2^16 | bytes changed on the way; a test for primes left out |
//! | two primes close to each other | 100 steps of Fermat's method | "take the next prime" (CVE-2022-26320) |
//! | primes of the form k M + 65537^a mod M | the fingerprint of ROCA | chips of one maker (CVE-2017-15361) |
//! | a prime that another enrolled key has too | greatest common divisor | little randomness at the first boot (Heninger and others, "Mining your Ps and Qs", 2012) |
//!
//! No trace proves a key good. Everything here is public, so nothing needs to be done in constant time.

use std::sync::LazyLock;

use dashu_int::{
    UBig,
    ops::{Gcd, SquareRootRem},
};
use latchstring_protocol::hardened::message::Fingerprint;
use thiserror::Error;

use crate::public_key::{Bits, KeyError, check_public_key, modulus};

/// Steps of Fermat's method. Two random primes of 1536 bits would take 2^1500.
const FERMAT_STEPS: u32 = 100;
/// Trial division goes up to here.
const SMALL: u32 = 1 << 16;
/// The fingerprint of ROCA is searched modulo the primes up to here, those of the shortest keys. (Nemec and others,
/// "The Return of Coppersmith's Attack", 2017.) The M of longer keys is a multiple, so they show it too.
const ROCA_LARGEST: u32 = 167;

/// The fault of a key that is not enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// Size, exponent or encoding.
    #[error(transparent)]
    Form(#[from] KeyError),
    /// Everybody can divide.
    #[error(
        "the key's modulus is divisible by {0}: it was damaged, or never was a good one. {RENEW}"
    )]
    SmallFactor(u32),
    /// `n = a^2 - b^2` is found at once.
    #[error(
        "the key's two primes are so close to each other that anybody can compute the private key. {RENEW}"
    )]
    ClosePrimes,
    /// Made by the library of CVE-2017-15361.
    #[error(
        "the key has the fingerprint of ROCA (CVE-2017-15361): it was made by a chip whose keys can be broken. {RENEW}"
    )]
    Roca,
    /// The very same key.
    #[error("the key {0} is enrolled already; every user needs a different key")]
    SameKey(Fingerprint),
    /// The greatest common divisor of the two moduli is a prime of both.
    #[error(
        "the key shares a prime with the enrolled key {0}: anybody can compute both private keys. Its generator lacked randomness. {RENEW}"
    )]
    SharedPrime(Fingerprint),
}

/// The advice for nearly all of them.
const RENEW: &str = "Make a new one with other software, such as latchstring-client keygen";

/// Checks a key (DER of a SubjectPublicKeyInfo) by itself and against every key that is enrolled.
///
/// Takes some milliseconds and 10 µs for each enrolled key.
///
/// # Errors
/// [`WeakKey`], with the first thing that is wrong.
pub fn check<'a>(
    spki: &[u8],
    enrolled: impl IntoIterator<Item = &'a [u8]> + Clone,
) -> Result<Bits, WeakKey> {
    let bits = check_public_key(spki)?;
    let n = number(spki)?;
    if let Some(small) = SMALL_PRIMES.iter().find(|p| &n % **p == 0) {
        return Err(WeakKey::SmallFactor(*small));
    }
    if has_close_primes(&n) {
        return Err(WeakKey::ClosePrimes);
    }
    if has_roca_fingerprint(&n) {
        return Err(WeakKey::Roca);
    }
    check_against(&n, enrolled)?;
    Ok(bits)
}

fn number(spki: &[u8]) -> Result<UBig, KeyError> {
    modulus(spki).map(UBig::from_be_bytes)
}

/// One division modulo n for each enrolled key, and one greatest common divisor for all. The divisor is 1 unless some
/// key shares a factor with this one. Only then it matters which.
fn check_against<'a>(
    n: &UBig,
    enrolled: impl IntoIterator<Item = &'a [u8]> + Clone,
) -> Result<(), WeakKey> {
    let mut product = UBig::ONE;
    for other in enrolled.clone() {
        product = product * number(other)? % n;
    }
    if n.gcd(&product) == UBig::ONE {
        return Ok(());
    }
    for other in enrolled {
        let common = n.gcd(&number(other)?);
        let kid = Fingerprint::of(other);
        if common == *n {
            return Err(WeakKey::SameKey(kid));
        } else if common != UBig::ONE {
            return Err(WeakKey::SharedPrime(kid));
        }
    }
    Ok(())
}

/// Fermat's method: looks for `n = a^2 - b^2 = (a - b)(a + b)`, from `a = sqrt(n)` upwards.
fn has_close_primes(n: &UBig) -> bool {
    let (mut a, rest) = n.sqrt_rem();
    if rest == UBig::ZERO {
        return true;
    }
    (0..FERMAT_STEPS).any(|_| {
        a += UBig::ONE;
        let (_, rest) = (&a * &a - n).sqrt_rem();
        rest == UBig::ZERO
    })
}

/// Whether n is a power of 65537 modulo every small prime, as products of such primes are. A random modulus passes for
/// one once in some 2^27.
fn has_roca_fingerprint(n: &UBig) -> bool {
    let primes = SMALL_PRIMES.iter().filter(|p| **p <= ROCA_LARGEST);
    primes.copied().all(|p| {
        let rest = n % p;
        powers_of_65537(p).any(|power| power == rest)
    })
}

/// `65537^0, 65537^1, ... mod p`, until 1 comes again.
fn powers_of_65537(p: u32) -> impl Iterator<Item = u32> {
    let next = move |power: &u32| Some(power * (65_537 % p) % p).filter(|power| *power != 1);
    std::iter::successors(Some(1), next)
}

/// All odd primes below 2^16; that n is odd is known by then.
static SMALL_PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut composite = vec![false; SMALL as usize];
    let mut primes = Vec::new();
    for candidate in (3..SMALL).step_by(2) {
        if !composite[candidate as usize] {
            primes.push(candidate);
            let multiples = (candidate as usize..composite.len()).step_by(candidate as usize);
            multiples.for_each(|multiple| composite[multiple] = true);
        }
    }
    primes
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyfile::public_from_pem;

    macro_rules! key {
        ($name:literal) => {
            public_from_pem(include_bytes!(concat!("../tests/keys/", $name, ".pub.pem")))
                .expect("a key in good form")
        };
    }

    /// Alone in an empty store.
    fn alone(spki: &[u8]) -> Result<Bits, WeakKey> {
        check(spki, [])
    }

    #[test]
    fn good_keys_are_taken() {
        let openssl = key!("openssl-3072");
        assert_eq!(alone(&openssl), Ok(Bits::B3072));
    }

    #[test]
    fn each_weakness_is_called_by_its_name() {
        assert_eq!(alone(&key!("weak/close-primes")), Err(WeakKey::ClosePrimes));
        assert_eq!(alone(&key!("weak/near-primes")), Err(WeakKey::ClosePrimes));
        assert_eq!(alone(&key!("weak/roca")), Err(WeakKey::Roca));
        let small = alone(&key!("weak/small-factor"));
        assert_eq!(small, Err(WeakKey::SmallFactor(65_521)));
        assert!(small.unwrap_err().to_string().contains("keygen"));
    }

    #[test]
    fn a_key_of_another_form_is_told_so() {
        let pem = include_bytes!("../tests/keys/openssl-2048.pub.pem");
        let (_, short) = pem_rfc7468::decode_vec(pem.trim_ascii()).unwrap();
        let size = KeyError::Size { bits: 2048 };
        assert_eq!(alone(&short), Err(WeakKey::Form(size)));
        let pem = include_bytes!("../tests/keys/openssl-3072-e3.pub.pem");
        let (_, three) = pem_rfc7468::decode_vec(pem.trim_ascii()).unwrap();
        assert_eq!(alone(&three), Err(WeakKey::Form(KeyError::Public)));
        let mut even = key!("openssl-3072");
        let last = even.len() - 6;
        even[last] &= 0xfe;
        assert_eq!(alone(&even), Err(WeakKey::Form(KeyError::Public)));
        assert_eq!(alone(b""), Err(WeakKey::Form(KeyError::Public)));
    }

    #[test]
    fn a_prime_in_common_with_any_enrolled_key_is_found() {
        let (one, two) = (key!("weak/shared-prime-1"), key!("weak/shared-prime-2"));
        let other = key!("openssl-3072");
        assert_eq!(alone(&one), Ok(Bits::B3072), "nothing to see in one alone");
        assert_eq!(check(&one, [&other[..]]), Ok(Bits::B3072));
        let shared = Err(WeakKey::SharedPrime(Fingerprint::of(&two)));
        assert_eq!(check(&one, [&other[..], &two]), shared);
        assert_eq!(check(&one, [&two[..], &other]), shared);
        let same = Err(WeakKey::SameKey(Fingerprint::of(&other)));
        assert_eq!(check(&other, [&two[..], &other]), same);
    }

    #[test]
    fn a_random_modulus_hardly_passes_for_one_of_roca() {
        let chance: f64 = (SMALL_PRIMES.iter().take_while(|p| **p <= ROCA_LARGEST))
            .map(|p| powers_of_65537(*p).count() as f64 / f64::from(p - 1))
            .product();
        assert!(chance < 1e-7, "{chance}");
    }
}
