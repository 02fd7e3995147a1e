//! Breaks textbook RSA without breaking RSA.
//!
//! Usage: cargo run --quiet -- dictionary CAPTURE FOLDER    who logged in? FOLDER has the public keys of all users
//!        cargo run --quiet -- factor FOLDER                which of these public keys give their primes away?
//!        cargo run --quiet -- show CAPTURE                 what was sent, piece by piece

mod capture;
mod keys;

use std::{collections::BTreeMap, env, error::Error};

use capture::{pieces, show, Sender};
use dashu_int::{
    fast_div::ConstDivisor,
    ops::{Gcd, SquareRoot},
    UBig,
};
use keys::{read_folder, Key};

/// Of Fermat's method: primes that are neighbours need fewer.
const STEPS: usize = 100;

/// The login that this user's client sends: the name, encrypted with the user's public key.
fn login_of(name: &str, n: &UBig, e: &UBig) -> Vec<u8> {
    let m = UBig::from_be_bytes(name.as_bytes());
    power(&m, e, n).to_be_bytes().to_vec()
}

/// The name of the user who sent this login; `None` if it is none of them. `keys` has n and e for each name.
fn who_logged_in(login: &[u8], keys: &BTreeMap<String, Key>) -> Option<String> {
    let mut users = keys.iter();
    let user = users.find(|(name, (n, e))| login_of(name, n, e) == login);
    user.map(|(name, _)| name.clone())
}

/// A prime that n shares with one of the other moduli; `None` if it shares none.
fn shared_prime(n: &UBig, others: &[UBig]) -> Option<UBig> {
    let mut divisors = others.iter().map(|other| n.gcd(other));
    divisors.find(|divisor| *divisor != UBig::ONE)
}

/// A prime of n, if its two primes are close to each other; `None` if they are not.
fn close_prime(n: &UBig) -> Option<UBig> {
    let mut a = (n - UBig::ONE).sqrt() + UBig::ONE;
    for _ in 0..STEPS {
        let rest = &a * &a - n;
        let b = rest.sqrt();
        if &b * &b == rest {
            return Some(a - b);
        }
        a += UBig::ONE;
    }
    None
}

// ---------------------------------------------------------------------------------- from here on everything is complete

/// `base^exponent mod n`, as `pow` in Python.
fn power(base: &UBig, exponent: &UBig, n: &UBig) -> UBig {
    let modulo_n = ConstDivisor::new(n.clone());
    modulo_n.reduce(base.clone()).pow(exponent).residue()
}

/// The smaller prime of each key that has a fault.
fn factor(keys: &BTreeMap<String, Key>) -> BTreeMap<&str, UBig> {
    let mut found = BTreeMap::new();
    for (name, (n, _)) in keys {
        let others = keys.values().map(|(other, _)| other.clone());
        let others: Vec<UBig> = others.filter(|other| other != n).collect();
        if let Some(prime) = shared_prime(n, &others).or_else(|| close_prime(n)) {
            let second = n / &prime;
            found.insert(name.as_str(), prime.min(second));
        }
    }
    found
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["dictionary", capture, folder] => {
            let mut sent = pieces(capture)?.into_iter();
            let login = sent.find(|(sender, _)| *sender == Sender::Client);
            let (_, login) = login.ok_or("the capture holds no login")?;
            let name = who_logged_in(&login, &read_folder(folder)?);
            println!("{}", name.as_deref().unwrap_or("nobody of this folder"));
        }
        ["factor", folder] => {
            for (name, prime) in factor(&read_folder(folder)?) {
                println!("{name} {:016x}", prime % (UBig::ONE << 64)); // its last 16 hex digits
            }
        }
        ["show", capture] => show(capture)?,
        _ => return Err("usage: dictionary CAPTURE FOLDER | factor FOLDER | show CAPTURE".into()),
    }
    Ok(())
}
