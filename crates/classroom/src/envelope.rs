//! A text in an RSA envelope, with the padding of PKCS#1 v1.5 (RFC 8017, section 7.2), and the key that opens it.
//!
//! The key has 505 bits, the fewest that fill 64 bytes. So one number in 256 to 512 looks like a padded text, and a
//! padding oracle needs thousands of questions instead of a million. The length changes nothing about the flaw.

use anyhow::{Context, ensure};
use dashu_int::{UBig, fast_div::ConstDivisor};
use latchstring_attacker::cryptanalysis::rsa::{Factored, Method, next_prime};
use rand::Rng;

use super::seed::Seed;

/// How long a block is, in bytes.
pub const BLOCK: usize = 64;
/// The lengths of the two primes, in bits.
const PRIMES: [usize; 2] = [253, 252];
/// The longest text, in bytes: `00 02`, eight random bytes or more, and `00` come before it.
const LONGEST: usize = BLOCK - 11;
/// The public exponent.
const E: u32 = 65_537;

/// An envelope, and its private key.
#[derive(Debug, Clone)]
pub struct Envelope {
    n: UBig,
    d: UBig,
    ciphertext: Vec<u8>,
}

impl Envelope {
    /// Makes a key, and seals this text.
    ///
    /// # Errors
    /// When the text is too long.
    pub fn seal(text: &str, seed: &Seed) -> anyhow::Result<Self> {
        ensure!(
            text.len() <= LONGEST,
            "an envelope holds {LONGEST} bytes, and {text:?} has {}: shorten it",
            text.len()
        );
        let mut randomness = seed.stream("key of the envelope");
        // Few primes do not go with the exponent.
        let mut keys = (0..100).map(|_| draw_key(&mut randomness));
        let (n, d) = keys.find_map(|key| key).context("no key was found")?;
        let mut sealed = Self {
            n,
            d,
            ciphertext: Vec::new(),
        };
        let block = pad(text.as_bytes(), &mut seed.stream("padding"));
        sealed.ciphertext = sealed.power(&block, &UBig::from(E));
        Ok(sealed)
    }

    /// The file that everybody may have: modulus, exponent and ciphertext.
    pub fn public(&self) -> String {
        let n = hex::encode(fixed(&self.n));
        format!("n = {n}\ne = {E}\nc = {}\n", hex::encode(&self.ciphertext))
    }

    /// The smallest s for which `m s` can be a padded number above the modulus: n / 3B, rounded up.
    pub fn first_s(&self) -> String {
        let limit = UBig::from(3u32) << (8 * (BLOCK - 2));
        ((&self.n + &limit - UBig::ONE) / limit).to_string()
    }

    /// Whether a block decrypts to something that begins with `00 02`: all that the old server looks at.
    pub fn conforms(&self, block: &[u8]) -> bool {
        UBig::from_be_bytes(block) < self.n && self.power(block, &self.d).starts_with(&[0, 2])
    }

    fn power(&self, base: &[u8], exponent: &UBig) -> Vec<u8> {
        let ring = ConstDivisor::new(self.n.clone());
        let power = ring.reduce(UBig::from_be_bytes(base)).pow(exponent);
        fixed(&power.residue())
    }
}

/// A modulus of 505 bits and its private exponent; `None` when the primes do not go with the public exponent.
fn draw_key(randomness: &mut impl Rng) -> Option<(UBig, UBig)> {
    let [p, q] = PRIMES.map(|bits| {
        let mut bytes = [0; 32];
        randomness.fill_bytes(&mut bytes);
        // The two highest bits are set, so that the product has all its bits.
        let low = UBig::from_be_bytes(&bytes) % (UBig::ONE << (bits - 2));
        next_prime(&(low + (UBig::from(3u32) << (bits - 2))))
    });
    let n = &p * &q;
    let key = Factored {
        p,
        q,
        method: Method::TrialDivision,
    };
    Some((n, key.private_exponent(&UBig::from(E))?))
}

/// `00 02`, random bytes other than 0, `00`, and the text.
fn pad(text: &[u8], randomness: &mut impl Rng) -> Vec<u8> {
    let mut byte = || loop {
        let mut byte = [0];
        randomness.fill_bytes(&mut byte);
        if byte != [0] {
            return byte[0];
        }
    };
    let padding: Vec<u8> = (0..BLOCK - 3 - text.len()).map(|_| byte()).collect();
    [&[0, 2], &padding[..], &[0], text].concat()
}

/// As many bytes as a block has.
fn fixed(number: &UBig) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    [vec![0; BLOCK - bytes.len()], bytes.into_vec()].concat()
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::cryptanalysis::bleichenbacher::{decrypt, unpad};

    use super::*;

    #[test]
    fn the_key_fills_its_block_and_the_oracle_opens_the_envelope() {
        let text = "the third stone is loose";
        let envelope = Envelope::seal(text, &Seed::chosen(11)).unwrap();
        let modulus = fixed(&envelope.n);
        assert_eq!(modulus[0], 1, "505 bits: 63 whole bytes and one more bit");
        assert!(envelope.conforms(&envelope.ciphertext));
        assert!(!envelope.conforms(&[0xff; BLOCK]), "not below the modulus");
        let oracle = |block: &[u8]| envelope.conforms(block);
        let (e, c) = (UBig::from(E), &envelope.ciphertext);
        let found = decrypt(&envelope.n, &e, c, 1, 100_000, oracle).unwrap();
        assert_eq!(unpad(&found.block), Some(text.as_bytes()));
        assert!(envelope.public().contains("e = 65537\n"));
        let first: u32 = envelope.first_s().parse().unwrap();
        assert!((86..=171).contains(&first), "{first}");
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused() {
        let long = "x".repeat(LONGEST + 1);
        let error = Envelope::seal(&long, &Seed::chosen(1)).unwrap_err();
        assert!(error.to_string().contains("holds 53 bytes"), "{error}");
        assert!(Envelope::seal(&long[1..], &Seed::chosen(1)).is_ok());
    }
}
