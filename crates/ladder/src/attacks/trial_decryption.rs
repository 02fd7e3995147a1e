//! Makes one junk login cost a trial of every user's private key.
//!
//! Below rung 6 the server does not know whose login it is, so it tries all. From rung 6 on it looks the name up.

use super::impersonate::unproven;
use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    login::Ready,
    rung::Idea,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "trial-decryption",
    title: "make one junk login cost a trial of every key",
    goal: Goal::Trials,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    let junk = match outside.rung.has(Idea::Proof) {
        false => Ready(vec![0x11; 128]),
        true => unproven(outside, "nobody"),
    };
    outside.log_in(junk);
    Claim::Done
}
