//! A private key from the primes of a public one, as a PEM file.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use dashu_int::fast_div::ConstDivisor;
use latchstring_cryptanalysis::rsa::{Factorization, UBig};
use rsa::{
    pkcs1::{EncodeRsaPrivateKey, LineEnding, OtherPrimeInfo, RsaPrivateKey},
    pkcs8::der::asn1::Uint,
};
use zeroize::Zeroizing;

use super::keys::Key;

/// Where the private key of `key` goes.
///
/// # Errors
/// If something is there already: nothing is written over.
pub(super) fn path(folder: &Path, key: &Key) -> Result<PathBuf> {
    let path = folder.join(&key.file);
    ensure!(
        !path.exists(),
        "{} is there already: give another --out",
        path.display()
    );
    Ok(path)
}

/// Writes PKCS#1, the format of the faithful programs, that only the owner can read.
///
/// # Errors
/// If there is such a file already, or it cannot be written.
pub(super) fn write(path: &Path, pem: &str) -> Result<()> {
    let name = path.display();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("cannot make {name}"))?;
    file.write_all(pem.as_bytes())
        .with_context(|| format!("cannot write {name}"))
}

/// The key as PEM. A key of three or more primes is one of several primes (RFC 8017, A.1.2).
///
/// # Errors
/// If the format has no place for such a key.
pub(super) fn pem(whole: &Factorization, e: &UBig, d: &UBig) -> Result<Zeroizing<String>> {
    ensure!(
        whole.is_squarefree(),
        "PKCS#1 has no place for a prime that divides the modulus twice"
    );
    let primes: Vec<&UBig> = whole.primes.iter().map(|(prime, _)| prime).collect();
    let [p, q, others @ ..] = &primes[..] else {
        bail!("PKCS#1 has no place for a modulus that is itself a prime");
    };
    let exponent = |prime: &UBig| number(&(d % (prime - UBig::ONE)));
    let mut product = *p * *q;
    let mut infos = Vec::new();
    for prime in others {
        infos.push(OtherPrimeInfo {
            prime: number(prime)?,
            exponent: exponent(prime)?,
            coefficient: number(&inverse(&product, prime)?)?,
        });
        product *= *prime;
    }
    let key = RsaPrivateKey {
        modulus: number(&whole.modulus())?,
        public_exponent: number(e)?,
        private_exponent: number(d)?,
        prime1: number(p)?,
        prime2: number(q)?,
        exponent1: exponent(p)?,
        exponent2: exponent(q)?,
        coefficient: number(&inverse(q, p)?)?,
        other_prime_infos: Some(infos).filter(|infos| !infos.is_empty()),
    };
    Ok(key.to_pkcs1_pem(LineEnding::LF)?)
}

fn number(n: &UBig) -> Result<Uint> {
    // DER has one byte for zero.
    let bytes = n.to_be_bytes();
    Ok(Uint::new(if bytes.is_empty() { &[0] } else { &bytes })?)
}

fn inverse(n: &UBig, prime: &UBig) -> Result<UBig> {
    let ring = ConstDivisor::new(prime.clone());
    let inverse = ring.reduce(n.clone()).inv();
    Ok(inverse.context("two primes are the same")?.residue())
}
