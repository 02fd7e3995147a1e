//! Computes private keys from public ones that were made with a fault.
//!
//! # Flaw
//! RSA rests on two secret primes that cannot be guessed. Some generators have taken the second prime next to the
//! first, or have made the same prime on two machines. The faithful programs check nothing about a key.
//!
//! # Attack
//! Collect the public keys of the users. Test whether the two primes of a key are close (Fermat's method). Test whether
//! two keys have a prime in common (one greatest common divisor for all of them). The private key follows.
//!
//! # What it proves
//! A key identifies its holder only as long as no other person can compute it. That is decided when the key is made.
//!
//! # Defence
//! A key is enrolled only if its size, exponent and factors show no known weakness, alone and beside all others. The
//! owner of a refused key should throw it away: published elsewhere, the key still reveals a prime that it shares.
//!
//! # In the wild
//! Mining your Ps and Qs (2012): tens of thousands of devices shared primes. ROCA, CVE-2017-15361: smart cards of one
//! maker had primes of one form.

use dashu_int::UBig;

use crate::{
    Attack, Claim, Goal, Report, Run, Story,
    cryptanalysis::rsa::{Factored, Shared, fermat, shared_primes},
    protocol::hardened::defence::Defence,
    vantage::Modulus,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "weak-keys",
    title: "compute a private key from public keys",
    goal: Goal::Factor,
    vantage: "a collector of the users' public keys",
    returns_without: &[&[Defence::KeyHygiene]],
    run: Run::Collect(run),
    ..Attack::PLAIN
};

/// Steps of Fermat's method: two primes that are neighbours take one.
const STEPS: u64 = 100;

fn run(keys: &[Modulus]) -> Report {
    let mut story = Story::default();
    let moduli: Vec<UBig> = (keys.iter())
        .map(|key| UBig::from_be_bytes(&key.bytes))
        .collect();
    story.tell(format!(
        "collected: the public keys of {} users",
        keys.len()
    ));

    let alone = moduli.iter().map(|n| fermat(n, STEPS));
    let beside = shared_primes(&moduli)
        .into_iter()
        .map(|shared| match shared {
            Shared::Prime(factored) => Some(factored),
            Shared::No | Shared::Whole => None,
        });
    let found: Vec<(&str, Factored)> = (keys.iter().zip(alone.zip(beside)))
        .filter_map(|(key, (alone, beside))| Some((&key.user[..], alone.or(beside)?)))
        .collect();
    for (user, factored) in &found {
        story.tell(format!(
            "{user}: {}; the primes give the private key",
            factored.method
        ));
    }
    let Some((user, factored)) = found.into_iter().next() else {
        story.tell("no key has close primes, and no two keys share a prime");
        return Report::new(Claim::Nothing, story);
    };
    let claim = Claim::Factored {
        user: user.to_owned(),
        p: factored.p.to_be_bytes().to_vec(),
        q: factored.q.to_be_bytes().to_vec(),
    };
    Report::new(claim, story)
}
