//! Gets credentials from the stolen store.
//!
//! Below rung 6 the store holds everybody's private key. On rung 6 it holds public keys alone. From rung 7 on it holds
//! password hashes: the thief guesses until the budget is spent, and argon2id makes each guess dear.

use latchstring_attacker::attacks::offline_dictionary::BUDGET;

use super::online_guessing::GUESSES;
use crate::{
    accounts::{Account, is_right},
    attack::{Attack, Claim, Goal, Program},
    rung::Rung,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "offline-dictionary",
    title: "get credentials from the stolen store",
    goal: Goal::Credentials,
    needs: None,
    program: Program::Files(run),
};

fn run(_: Rung, users: &[Account]) -> Claim {
    let Some(alice) = users.iter().find(|user| user.name.as_str() == "alice") else {
        return Claim::Nothing;
    };
    if let Some(key) = &alice.private {
        let pem = key.to_pem().map(|pem| pem.to_string());
        return pem.map_or(Claim::Nothing, Claim::Credentials);
    }
    let guessed = alice.phc.as_ref().and_then(|phc| guess(phc));
    guessed.map_or(Claim::Nothing, Claim::Credentials)
}

/// The password, if it is among the guesses that the budget buys.
pub fn guess(phc: &str) -> Option<String> {
    let affordable = (BUDGET / cost_of(phc)) as usize;
    let mut guesses = GUESSES.iter().take(affordable);
    let found = guesses.find(|guess| is_right(phc, guess.as_bytes()));
    found.map(|found| (*found).to_owned())
}

/// What one guess costs: memory times passes, on the scale on which argon2id with 64 MiB and 3 passes costs 3,000.
fn cost_of(phc: &str) -> f64 {
    let parameter = |name: &str| {
        let mut parts = phc.split(['$', ',']);
        parts.find_map(|part| part.strip_prefix(name)?.parse::<f64>().ok())
    };
    let (memory, passes) = (
        parameter("m=").unwrap_or(1.0),
        parameter("t=").unwrap_or(1.0),
    );
    memory * passes * 3_000.0 / (65_536.0 * 3.0)
}
