//! Recovers credentials from a stolen store.
//!
//! # Flaw
//! The report's programs keep the users' private keys in the folder next to the server's. A copy of the disk gives the
//! identity of every user. A password hash is better only as far as each guess at it is expensive.
//!
//! # Attack
//! Take the keys that are not encrypted. If the store holds hashes instead, try the passwords that people choose, the
//! likeliest first, until the budget is spent.
//!
//! # What it proves
//! Assume that the store will be stolen one day. The cost of one guess then decides how many passwords the thief finds.
//!
//! # Defence
//! Argon2id: each guess takes 64 MiB and three passes over them. The server pays that cost once a login, the thief once
//! a guess.
//!
//! # In the wild
//! LinkedIn, 2012: millions of unsalted SHA-1 hashes leaked, and most were guessed within days. Private keys do not
//! belong on servers at all; SSH never sends them there.

use std::ops::ControlFlow;

use crate::{
    Attack, Claim, Goal, Report, Run, Story,
    cryptanalysis::dictionary::{search, variants},
    protocol::hardened::defence::Defence,
    vantage::{Dialect, StolenFiles},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "offline-dictionary",
    title: "recover credentials from a stolen store",
    goal: Goal::Credentials,
    vantage: "a thief with a copy of the server's files and a limited budget for guesses",
    returns_without: &[&[Defence::MemoryHardHash]],
    run: Run::Files(run),
    ..Attack::PLAIN
};

/// The thief's budget, in units: the check of one signature costs 1, one hash of argon2id as deployed costs 3,000.
pub const BUDGET: f64 = 6_000.0;
/// The cost of a hash that was made to be fast, in the same unit.
const FAST_HASH: f64 = 0.001;

/// Passwords that people choose, the likeliest first. Each password is tried with the usual additions.
const WORDS: [&str; 24] = [
    "123456",
    "password",
    "12345678",
    "qwerty",
    "abc123",
    "iloveyou",
    "welcome",
    "dragon",
    "monkey",
    "letmein",
    "sunshine",
    "princess",
    "football",
    "master",
    "shadow",
    "superman",
    "trustno1",
    "freedom",
    "whatever",
    "hello",
    "secret",
    "summer",
    "open sesame",
    "correct horse battery staple",
];

fn run(_: &Dialect, stolen: &StolenFiles) -> Report {
    let mut story = Story::default();
    if let Some((user, key)) = stolen.user_keys.first() {
        story.tell(format!(
            "the private key of {user} is in the folder, unencrypted"
        ));
        let claim = Claim::Credentials {
            password: None,
            private_key: Some(key.clone()),
        };
        return Report::new(claim, story);
    }
    let Some((user, stored)) = stolen.password_hashes.first() else {
        story.tell("the store is empty");
        return Report::new(Claim::Nothing, story);
    };
    let found = guess(user, stored, stolen.check, &mut story);
    let claim = match found {
        Some(password) => Claim::Credentials {
            password: Some(password.into_bytes()),
            private_key: None,
        },
        None => Claim::Nothing,
    };
    Report::new(claim, story)
}

fn guess(
    user: &str,
    stored: &str,
    check: fn(&str, &[u8]) -> bool,
    story: &mut Story,
) -> Option<String> {
    let list: Vec<String> = WORDS.into_iter().flat_map(variants).collect();
    let each = cost_of(stored);
    let affordable = (BUDGET / each) as usize;
    story.tell(format!(
        "the store holds {}...; a guess costs {each} units, so {BUDGET} units buy {} of the {} guesses on the list",
        stored.split('$').take(4).collect::<Vec<_>>().join("$"),
        affordable.min(list.len()),
        list.len()
    ));
    let go_on = |_| ControlFlow::Continue(());
    let affordable = list.iter().take(affordable);
    let search = search(
        affordable,
        16,
        |guess| check(stored, guess.as_bytes()),
        go_on,
    );
    story.tell(format!(
        "{} guesses at {user}'s password were made; 1,000,000,000 guesses would cost {:.0} units",
        search.guesses,
        1e9 * each
    ));
    search.found.cloned()
}

/// The cost of one guess at a stored hash: memory times passes, on the scale of argon2id as deployed.
fn cost_of(stored: &str) -> f64 {
    let parameter = |name: &str| {
        let values = stored
            .split(['$', ','])
            .filter_map(|part| part.strip_prefix(name));
        values.filter_map(|value| value.parse::<f64>().ok()).next()
    };
    match (parameter("m="), parameter("t=")) {
        (Some(memory), Some(passes)) => memory * passes * 3_000.0 / (65_536.0 * 3.0),
        _ => FAST_HASH,
    }
}
