//! The result for a key, for a person and as JSON.

use std::io::Write;

use anyhow::Result;
use dashu_int::ops::BitTest;
use latchstring_cryptanalysis::rsa::{Factorization, NoExponent, UBig};
use serde_json::{Value, json};

use super::keys::Key;

/// A key, and what was found of it.
pub(super) struct Outcome<'a> {
    pub(super) key: &'a Key,
    pub(super) whole: Factorization,
    pub(super) e: UBig,
    /// Whether `e` is only what most keys have.
    pub(super) assumed: bool,
    pub(super) d: Result<UBig, NoExponent>,
    /// The name of an earlier key with the same modulus.
    pub(super) same_as: Option<String>,
}

impl Outcome<'_> {
    /// Whether the key is broken, at least in part.
    pub(super) fn found(&self) -> bool {
        self.whole.is_proper() || self.whole.is_complete()
    }

    /// For a person.
    ///
    /// # Errors
    /// If `out` fails.
    pub(super) fn print(&self, out: &mut impl Write) -> Result<()> {
        let name = &self.key.name;
        let same = self.same_as.as_ref();
        let same = same.map_or(String::new(), |other| {
            format!("; it has the modulus of {other}")
        });
        if self.key.n <= UBig::ONE {
            writeln!(out, "{name}: {} is no modulus{same}", self.key.n)?;
            return Ok(());
        }
        if !self.found() {
            writeln!(out, "{name}: nothing found{same}")?;
            return Ok(());
        }
        match self.whole.method {
            Some(method) => writeln!(out, "{name}: {method}{same}")?,
            None => writeln!(out, "{name}: the modulus is itself a prime{same}")?,
        }
        for (letter, (prime, exponent)) in self.letters().zip(&self.whole.primes) {
            match exponent {
                1 => writeln!(out, "  {letter} = {prime}")?,
                2 => writeln!(out, "  {letter} = {prime} (squared)")?,
                _ => writeln!(out, "  {letter} = {prime} (to the power of {exponent})")?,
            }
        }
        for (left, exponent) in &self.whole.composites {
            let bits = left.bit_len();
            let times = if *exponent == 1 {
                String::new()
            } else {
                format!(", {exponent} times")
            };
            writeln!(out, "  not taken apart: {left} ({bits} bits{times})")?;
        }
        self.print_exponent(out)
    }

    fn print_exponent(&self, out: &mut impl Write) -> Result<()> {
        let of = if self.assumed {
            ", which is assumed"
        } else {
            ""
        };
        match &self.d {
            Ok(d) => writeln!(out, "  d = {d} (for e = {}{of}; verified)", self.e)?,
            Err(why) => writeln!(out, "  no private exponent for e = {}{of}: {why}", self.e)?,
        }
        if self.d.is_ok() && self.e == UBig::ONE {
            writeln!(out, "  (with e = 1 every ciphertext is its own plaintext)")?;
        }
        if self.d.is_ok() && !self.whole.is_squarefree() {
            writeln!(
                out,
                "  (a message that a squared prime divides cannot be decrypted: no exponent gives it back)"
            )?;
        }
        Ok(())
    }

    /// p, q, r and so on; of a single prime, p.
    fn letters(&self) -> impl Iterator<Item = String> {
        let many = self.whole.primes.len() > 10;
        (0u8..=255).map(move |i| match many {
            false => char::from(b'p' + i).to_string(),
            true => format!("p{}", i + 1),
        })
    }

    /// For a script. `p` and `q` are those of a modulus of two different primes.
    pub(super) fn as_json(&self) -> Value {
        let number = |number: &UBig| number.to_string();
        let list = |factors: &[(UBig, u32)]| -> Value {
            let each = factors.iter().map(
                |(factor, exponent)| json!({ "factor": number(factor), "exponent": exponent }),
            );
            each.collect()
        };
        let two = match &self.whole.primes[..] {
            [(p, 1), (q, 1)] if self.whole.is_complete() => Some((number(p), number(q))),
            _ => None,
        };
        json!({
            "key": self.key.name,
            "modulus": number(&self.key.n),
            "method": self.whole.method.filter(|_| self.found()).map(|method| method.to_string()),
            "p": two.as_ref().map(|two| &two.0),
            "q": two.as_ref().map(|two| &two.1),
            "primes": list(&self.whole.primes),
            "not_taken_apart": if self.found() { list(&self.whole.composites) } else { json!([]) },
            "e": number(&self.e),
            "e_is_assumed": self.assumed,
            "d": self.d.as_ref().ok().map(number),
            "same_modulus_as": self.same_as,
        })
    }
}
