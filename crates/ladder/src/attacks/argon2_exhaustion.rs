//! Makes the server hash passwords for strangers.
//!
//! Argon2id is dear for the server too. A server that hashes before it checks the signature hashes for everybody. Ours
//! checks the signature first.

use super::impersonate::unproven;
use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    rung::Idea,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "argon2-exhaustion",
    title: "make the server hash passwords for strangers",
    goal: Goal::Hashes,
    needs: Some((Idea::Password, "there is no password to hash yet")),
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    for _ in 0..10 {
        outside.log_in(unproven(outside, outside.user));
    }
    Claim::Done
}
