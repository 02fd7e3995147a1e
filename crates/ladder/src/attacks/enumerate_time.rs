//! Learns from the time of the answers who has an account.
//!
//! Below rung 6 the time tells the place in the list. On rungs 6 and 7 a name that exists costs one more check of a
//! signature. From rung 8 on every refusal leaves one second after its login.

use super::{enumerate_reply::accounts, impersonate::unproven};
use crate::attack::{Attack, Claim, Goal, Outside, Program};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "enumerate-time",
    title: "learn from the time of the answers who has an account",
    goal: Goal::Enumerate,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    accounts(outside, |name| {
        let (_, _, answer) = outside.log_in(unproven(outside, name));
        answer.took
    })
}
