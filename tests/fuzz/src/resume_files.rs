//! Files from which a long search goes on: written by `--resume`, and then perhaps by somebody else.
//!
//! Besides "no panic": a file of another run is refused, an error names the file, and a sieve that takes one up counts no
//! more relations than are in it and can go on.

use std::sync::LazyLock;

use latchstring_cryptanalysis::rsa::{QuadraticSieve, Relation, Sieved, UBig};
use latchstring_workbench::job::{CtrlC, Job};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::scratch;

/// One listener for the whole program.
static CTRL_C: LazyLock<CtrlC> = LazyLock::new(|| CtrlC::listen().expect("a signal handler"));

/// What the quadratic sieve keeps, as `solve factor` writes it.
#[derive(Serialize, Deserialize)]
struct Kept {
    steps: u64,
    relations: Vec<(String, Vec<u32>, u64)>,
}

/// A product of two primes of 40 bits.
pub const MODULUS: u128 = 0x0000_00ff_ffff_ffa9_u128 * 0x0000_00c0_0000_0005_u128;

/// Runs one input: the file.
pub fn run(data: &[u8]) {
    let folder = scratch::folder("resume");
    let path = scratch::file(&folder, "sieve.json", data);
    let run = json!({ "command": "solve factor", "modulus": MODULUS.to_string() });
    let begun: Result<Job<Kept>, _> = Job::begin((1, "relations"), run, Some(&path), &CTRL_C);
    let mut job = match begun {
        Ok(job) => job,
        Err(error) => return assert!(format!("{error:#}").contains("sieve.json"), "{error:#}"),
    };
    let Some(kept) = job.take_up(|kept| kept.relations.len() as u64) else {
        return;
    };
    let relation = |(root, factors, large): (String, Vec<u32>, u64)| {
        let root = UBig::from_str_radix(&root, 16).ok()?;
        Some(Relation {
            root,
            factors,
            large,
        })
    };
    let most = kept.relations.len();
    let Some(relations) = kept.relations.into_iter().map(relation).collect() else {
        return;
    };
    let mut sieve = QuadraticSieve::new(&UBig::from(MODULUS)).expect("it needs sieving");
    let steps = kept.steps;
    if sieve.take_up(Sieved { steps, relations }) {
        assert!(sieve.found() <= most);
        if let Some(factored) = sieve.step() {
            assert_eq!(&factored.p * &factored.q, UBig::from(MODULUS));
        }
    }
}
