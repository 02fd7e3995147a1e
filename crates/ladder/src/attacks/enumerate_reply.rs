//! Learns from the answers who has an account.
//!
//! The attack tries a login for everybody in the directory, and one for a name that nobody has. Who is answered otherwise
//! has an account. Below rung 6 that is who is let in; on rungs 6 and 7 the refusal says why; rung 8 has one refusal.

use super::impersonate::unproven;
use crate::attack::{Attack, Claim, Goal, Outside, Program};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "enumerate-reply",
    title: "learn from the answers who has an account",
    goal: Goal::Enumerate,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    let answer = |name: &str| {
        let (_, _, answer) = outside.log_in(unproven(outside, name));
        (answer.welcome, answer.ending)
    };
    accounts(outside, answer)
}

/// Who of the directory is answered otherwise than a name that nobody has.
pub(super) fn accounts<T: PartialEq>(outside: &Outside<'_>, answer: impl Fn(&str) -> T) -> Claim {
    let nobodys = answer("nobody");
    let names = outside.directory.iter().map(|(name, _)| *name);
    let accounts = names.map(|name| (name.to_owned(), answer(name) != nobodys));
    Claim::Accounts(accounts.collect())
}
