//! Folders of public RSA keys, some of them made with a fault. A faulty key has primes that are close to each other, or a
//! prime in common with another key.

use anyhow::{Context, ensure};
use latchstring_attacker::cryptanalysis::rsa::{UBig, next_prime};
use rand::{Rng, seq::SliceRandom};
use rsa::{
    BoxedUint, RsaPublicKey,
    pkcs8::{EncodePublicKey, LineEnding},
};

use super::{catalogue::KeyFolder, facts::Facts, seed::Seed};

/// Each prime has this number of bytes, so that a modulus has the 1024 bits of the faithful protocol.
const PRIME_LEN: usize = 64;
/// The public exponent of every key.
const EXPONENT: u32 = 65_537;

/// One key.
struct Key {
    name: String,
    primes: [UBig; 2],
    /// Whether it was made with a fault.
    faulty: bool,
}

/// Makes the keys of a folder, and tells their facts. Gives the files: names and contents.
///
/// # Errors
/// When the numbers of faulty keys are no numbers, or more than there are keys.
pub fn make(
    folder: &KeyFolder,
    seed: &Seed,
    facts: &mut Facts,
) -> anyhow::Result<Vec<(String, String)>> {
    let id = &folder.id;
    let mut names = facts.fill_all(&folder.names)?;
    let number = |field: &str, text: &str| {
        let text = facts.fill(text)?;
        let no_number = || format!("`{field}` of the keys {id:?} is {text:?}, which is no number");
        text.parse::<usize>().with_context(no_number)
    };
    let (close, shared) = (
        number("close", &folder.close)?,
        number("shared", &folder.shared)?,
    );
    ensure!(
        close + shared <= names.len() && shared != 1,
        "the keys {id:?} have {} names, and {close} close and {shared} shared faults: a prime is shared by two keys or more, and no key has two faults",
        names.len()
    );
    names.shuffle(&mut seed.stream(&format!("order of the keys {id}")));
    let mut draw = Primes(seed.stream(&format!("primes of the keys {id}")));
    let common = draw.prime();
    let keys: Vec<Key> = names
        .into_iter()
        .enumerate()
        .map(|(i, name)| {
            let first = draw.prime();
            let (second, faulty) = match i {
                i if i < close => (next_prime(&(&first + UBig::ONE)), true),
                i if i < close + shared => (common.clone(), true),
                _ => (draw.prime(), false),
            };
            Key {
                name,
                primes: [first, second],
                faulty,
            }
        })
        .collect();
    tell(id, &keys, facts);
    keys.iter().map(Key::file).collect()
}

fn tell(id: &str, keys: &[Key], facts: &mut Facts) {
    let faulty = keys.iter().filter(|key| key.faulty);
    let lines: Vec<String> = faulty.map(Key::line).collect();
    facts.set(format!("{id}.keys"), keys.len());
    facts.set(format!("{id}.weak"), lines.len());
    facts.set(format!("{id}.factored"), lines.join("\n"));
}

impl Key {
    /// Its name, and the last 16 hex digits of its smaller prime.
    fn line(&self) -> String {
        let [one, other] = &self.primes;
        let bytes = one.min(other).to_be_bytes();
        let last = &bytes[bytes.len() - 8..];
        format!("{} {}", self.name, hex::encode(last))
    }

    fn file(&self) -> anyhow::Result<(String, String)> {
        let [one, other] = &self.primes;
        let n = (one * other).to_be_bytes();
        let n = BoxedUint::from_be_slice(&n, 8 * 2 * PRIME_LEN as u32)
            .context("a modulus has another size")?;
        let key = RsaPublicKey::new(n, EXPONENT.into())?;
        let pem = key.to_public_key_pem(LineEnding::LF)?;
        Ok((format!("{}.pub", self.name), pem))
    }
}

/// Draws primes.
struct Primes<R>(R);

impl<R: Rng> Primes<R> {
    /// One whose two upper bits are set, so that the product of two has its full size.
    fn prime(&mut self) -> UBig {
        loop {
            let mut bytes = [0; PRIME_LEN];
            self.0.fill_bytes(&mut bytes);
            bytes[0] |= 0xc0;
            let prime = next_prime(&UBig::from_be_bytes(&bytes));
            // Otherwise the public exponent would have no private one.
            if &prime % EXPONENT != 1 {
                return prime;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::cryptanalysis::rsa::{Shared, fermat, shared_primes};

    use super::*;

    fn folder(close: &str, shared: &str) -> KeyFolder {
        KeyFolder {
            id: "office".to_owned(),
            folder: "office".to_owned(),
            names: ["ada", "bob", "cy", "dora", "eli"]
                .map(str::to_owned)
                .to_vec(),
            close: close.to_owned(),
            shared: shared.to_owned(),
        }
    }

    #[test]
    fn the_faulty_keys_fall_as_the_facts_say_and_the_others_do_not() {
        let mut facts = Facts::default();
        facts.set("two", 2);
        let files = make(&folder("1", "{two}"), &Seed::chosen(1), &mut facts).unwrap();
        assert_eq!(
            facts.fill("{office.weak} of {office.keys}").unwrap(),
            "3 of 5"
        );
        let factored = facts.fill("{office.factored}").unwrap();
        let moduli: Vec<UBig> = files
            .iter()
            .map(|(_, pem)| {
                use rsa::{pkcs8::DecodePublicKey, traits::PublicKeyParts};
                let key = RsaPublicKey::from_public_key_pem(pem).unwrap();
                UBig::from_be_bytes(&key.n_bytes())
            })
            .collect();
        let beside = shared_primes(&moduli);
        for ((name, _), (n, beside)) in files.iter().zip(moduli.iter().zip(beside)) {
            let found = match (fermat(n, 100), beside) {
                (Some(found), _) | (None, Shared::Prime(found)) => Some(found.p),
                _ => None,
            };
            let name = name.strip_suffix(".pub").unwrap();
            let line = factored.lines().find(|line| line.starts_with(name));
            let last = found.map(|p| {
                let bytes = p.to_be_bytes();
                format!("{name} {}", hex::encode(&bytes[bytes.len() - 8..]))
            });
            assert_eq!(line.map(str::to_owned), last, "{name}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_named() {
        for (close, shared, says) in [
            ("x", "0", "is no number"),
            ("4", "2", "no key has two faults"),
            ("0", "1", "shared by two keys"),
        ] {
            let why = make(
                &folder(close, shared),
                &Seed::chosen(1),
                &mut Facts::default(),
            );
            let why = why.unwrap_err().to_string();
            assert!(why.contains(says), "{why}");
        }
    }
}
