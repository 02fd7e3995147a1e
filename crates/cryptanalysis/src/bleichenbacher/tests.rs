use super::*;
use crate::rsa::{Factored, Method, testing::prime};

struct Key {
    n: UBig,
    e: UBig,
    d: UBig,
    k: usize,
}

fn key(p_bits: usize, q_bits: usize) -> Key {
    let (p, q) = (prime(p_bits, 1), prime(q_bits, 2));
    let n = &p * &q;
    let e = UBig::from(65_537u32);
    let key = Factored {
        p,
        q,
        method: Method::Fermat,
    };
    let d = key.private_exponent(&e).unwrap();
    let k = n.bit_len().div_ceil(8);
    Key { n, e, d, k }
}

impl Key {
    fn power(&self, x: &[u8], exponent: &UBig) -> Vec<u8> {
        let ring = ConstDivisor::new(self.n.clone());
        let power = ring.reduce(UBig::from_be_bytes(x)).pow(exponent);
        fixed_length(&power.residue(), self.k)
    }

    fn pad(&self, message: &[u8]) -> Vec<u8> {
        let padding: Vec<u8> = (0..self.k - message.len() - 3)
            .map(|i| 1 + i as u8)
            .collect();
        [&[0, 2], &padding[..], &[0], message].concat()
    }
}

#[test]
fn a_padded_message_is_decrypted_with_the_strict_check() {
    // 505 bits in 64 bytes: conforming plaintexts are as frequent as they can be.
    let key = key(253, 252);
    let block = key.pad(b"the session key");
    let c = key.power(&block, &key.e);
    let oracle = |c: &[u8]| unpad(&key.power(c, &key.d)).is_some();
    let found = decrypt(&key.n, &key.e, &c, 7, 1_000_000, oracle).unwrap();
    assert_eq!(found.block, block);
    assert_eq!(unpad(&found.block), Some(&b"the session key"[..]));
    assert_eq!(found.queries.blinding, 1);
    let expected = expected_queries(&key.n, true);
    let ratio = found.queries.total() as f64 / expected;
    assert!(
        (0.1..4.0).contains(&ratio),
        "{:?} of {expected}",
        found.queries
    );
}

#[test]
fn a_full_length_modulus_falls_to_the_lenient_check() {
    let key = key(256, 256);
    assert_eq!(key.n.bit_len(), 512);
    let block = key.pad(b"48 bytes of premaster secret");
    let c = key.power(&block, &key.e);
    let mut asked = 0;
    let found = decrypt(&key.n, &key.e, &c, 7, 1_000_000, |c| {
        asked += 1;
        key.power(c, &key.d).starts_with(&[0, 2])
    });
    let found = found.unwrap();
    assert_eq!((found.block, found.queries.total()), (block, asked));
}

#[test]
fn blinding_opens_what_does_not_conform() {
    // A textbook ciphertext: a user name and nothing else.
    let key = key(253, 252);
    let name = fixed_length(&UBig::from_be_bytes(b"alice"), key.k);
    let c = key.power(&name, &key.e);
    let oracle = |c: &[u8]| key.power(c, &key.d).starts_with(&[0, 2]);
    let found = decrypt(&key.n, &key.e, &c, 7, 100_000, oracle).unwrap();
    assert_eq!(found.block, name);
    assert!(found.queries.blinding > 1);
    let again = decrypt(&key.n, &key.e, &c, 7, 100_000, oracle).unwrap();
    assert_eq!(again.queries, found.queries, "the same seed, the same run");
}

#[test]
fn a_liar_and_a_limit_end_the_attack() {
    let key = key(253, 252);
    let c = key.power(&key.pad(b"x"), &key.e);
    let run = |limit, oracle: fn(&[u8]) -> bool| decrypt(&key.n, &key.e, &c, 7, limit, oracle);
    assert_eq!(run(1_000, |_| false), Err(Error::Exhausted));
    // Whatever a liar says, the attack ends; what it yields is wrong or nothing.
    assert!(run(10_000, |_| true).map_or(true, |found| found.block != key.pad(b"x")));
}

#[test]
fn what_is_no_rsa_is_refused() {
    let e = UBig::from(3u8);
    let small = prime(80, 1);
    assert_eq!(
        decrypt(&small, &e, &[1], 0, 9, |_| true),
        Err(Error::NotRsa)
    );
    let n = prime(128, 1);
    assert_eq!(
        decrypt(&n, &e, &[0xff; 16], 0, 9, |_| true),
        Err(Error::NotRsa)
    );
    assert_eq!(
        decrypt(&UBig::ZERO, &e, &[], 0, 9, |_| true),
        Err(Error::NotRsa)
    );
}

#[test]
fn padding_is_read_strictly() {
    assert_eq!(unpad(b"\x00\x0212345678\x00hi"), Some(&b"hi"[..]));
    assert_eq!(unpad(b"\x00\x0212345678\x00"), Some(&b""[..]));
    for bad in [
        &b"\x00\x0212345678"[..],
        b"\x00\x021234567\x00hi",
        b"\x00\x0112345678\x00hi",
        b"\x01\x0212345678\x00",
        b"",
    ] {
        assert_eq!(unpad(bad), None);
    }
}

#[test]
fn a_million_messages_are_expected_at_1024_bits() {
    let n = prime(1024, 1);
    let expected = expected_queries(&n, true);
    assert!((400_000.0..1_500_000.0).contains(&expected), "{expected}");
    assert!(expected_queries(&n, false) < expected / 2.0);
}
