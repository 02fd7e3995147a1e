//! Arithmetic modulo a small prime.

/// `base^exponent mod p`.
pub(super) fn power(base: u32, mut exponent: u32, p: u32) -> u32 {
    let modulus = u64::from(p);
    let (mut base, mut result) = (u64::from(base) % modulus, 1 % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result as u32
}

/// The inverse of `x` modulo the prime `p`, by Euclid's algorithm. 0 for a multiple of p.
pub(super) fn inverse(x: u32, p: u32) -> u32 {
    let (mut a, mut b) = (i64::from(x % p), i64::from(p));
    let (mut u, mut v) = (1, 0);
    while a > 1 {
        let quotient = b / a;
        (a, b) = (b - quotient * a, a);
        (u, v) = (v - quotient * u, u);
    }
    if a == 0 {
        return 0;
    }
    u.rem_euclid(i64::from(p)) as u32
}

/// A square root of `x` modulo the prime `p`, if there is one (Tonelli and Shanks).
pub(super) fn square_root(x: u32, p: u32) -> Option<u32> {
    let x = x % p;
    if p == 2 || x == 0 {
        return Some(x);
    }
    if power(x, (p - 1) / 2, p) != 1 {
        return None;
    }
    let times = |a: u32, b: u32| (u64::from(a) * u64::from(b) % u64::from(p)) as u32;
    let twos = (p - 1).trailing_zeros();
    let odd = (p - 1) >> twos;
    let non_residue = (2..p).find(|&z| power(z, (p - 1) / 2, p) == p - 1)?;
    let mut order = twos;
    let mut generator = power(non_residue, odd, p);
    let mut rest = power(x, odd, p);
    let mut root = power(x, odd.div_ceil(2), p);
    while rest != 1 {
        let mut squared = rest;
        let mut least = 0;
        while squared != 1 {
            squared = times(squared, squared);
            least += 1;
        }
        let factor = power(generator, 1 << (order - least - 1), p);
        generator = times(factor, factor);
        order = least;
        rest = times(rest, generator);
        root = times(root, factor);
    }
    Some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_and_inverses_are_right_for_all_residues() {
        for p in [2, 3, 5, 7, 13, 17, 97, 193, 257, 7_681] {
            let mut with_root = 0;
            for x in 0..p {
                if let Some(root) = square_root(x, p) {
                    assert_eq!(
                        u64::from(root) * u64::from(root) % u64::from(p),
                        u64::from(x)
                    );
                    with_root += 1;
                }
                if x > 0 {
                    assert_eq!(u64::from(inverse(x, p)) * u64::from(x) % u64::from(p), 1);
                }
            }
            assert_eq!(with_root, p / 2 + 1);
        }
        let p = 4_294_967_291;
        assert_eq!(
            u64::from(inverse(p - 2, p)) * u64::from(p - 2) % u64::from(p),
            1
        );
        assert_eq!(inverse(0, 7), 0);
    }
}
