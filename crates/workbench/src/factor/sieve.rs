//! The quadratic sieve as a long run that can be left and taken up again.

use std::{ops::ControlFlow, path::Path};

use anyhow::{Result, ensure};
use latchstring_cryptanalysis::rsa::{Factored, QuadraticSieve, Relation, Sieved, UBig};
use latchstring_net::print::note;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::job::{CtrlC, Job};

/// The progress of a sieve, as JSON.
#[derive(Serialize, Deserialize)]
struct SavedSieve {
    steps: u64,
    /// Root in hexadecimal, factors, large prime.
    relations: Vec<(String, Vec<u32>, u64)>,
}

impl From<Sieved> for SavedSieve {
    fn from(sieved: Sieved) -> Self {
        let relations = sieved.relations.into_iter();
        let plain = |relation: Relation| {
            (
                format!("{:x}", relation.root),
                relation.factors,
                relation.large,
            )
        };
        Self {
            steps: sieved.steps,
            relations: relations.map(plain).collect(),
        }
    }
}

impl SavedSieve {
    fn sieved(self) -> Option<Sieved> {
        let relation = |(root, factors, large): (String, Vec<u32>, u64)| {
            let root = UBig::from_str_radix(&root, 16).ok()?;
            Some(Relation {
                root,
                factors,
                large,
            })
        };
        Some(Sieved {
            steps: self.steps,
            relations: self
                .relations
                .into_iter()
                .map(relation)
                .collect::<Option<_>>()?,
        })
    }
}

/// Sieves, with a bar, until the factors are found or Ctrl-C is pressed.
///
/// # Errors
/// If `file` cannot be read or written, or holds what is not true of `n`.
pub(super) fn sieve(n: &UBig, file: Option<&Path>, ctrl_c: &CtrlC) -> Result<Option<Factored>> {
    let mut sieve = match QuadraticSieve::new(n) {
        Ok(sieve) => sieve,
        Err(without_sieving) => return Ok(without_sieving),
    };
    let run = json!({ "command": "solve factor", "modulus": n.to_string() });
    let mut job: Job<SavedSieve> =
        Job::begin((sieve.needed() as u64, "relations"), run, file, ctrl_c)?;
    if let Some(kept) = job.take_up(|kept| kept.relations.len() as u64) {
        let taken_up = kept.sieved().is_some_and(|sieved| sieve.take_up(sieved));
        ensure!(
            taken_up,
            "the file of --resume is damaged, or was changed: its numbers do not fit this modulus; remove it and begin \
             again"
        );
    }
    loop {
        if let Some(factored) = sieve.step() {
            job.end(false)?;
            return Ok(Some(factored));
        }
        let state = || SavedSieve::from(sieve.sieved());
        if let ControlFlow::Break(()) = job.at(sieve.found() as u64, state)? {
            note(format_args!(
                "{} of {} relations found",
                sieve.found(),
                sieve.needed()
            ));
            job.end(true)?;
            return Ok(None);
        }
    }
}
