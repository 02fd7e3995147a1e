//! Locks the user out with wrong passwords, without the key.
//!
//! A server that counts wrong passwords before it checks the signature counts against the user. Ours checks the signature
//! first.

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    login::{Ready, signed_login},
    rung::Idea,
    signature::SIGNATURE,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "lockout",
    title: "lock the user out with wrong passwords",
    goal: Goal::Deny,
    needs: Some((Idea::Password, "there is no password to count yet")),
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    for _ in 0..20 {
        let signature = [0x5a; SIGNATURE];
        let user = outside.user.as_bytes();
        outside.log_in(Ready(signed_login(
            outside.rung,
            user,
            &signature,
            b"wrong",
        )));
    }
    Claim::Done
}
