//! Takes every connection that the server has, and sends nothing.
//!
//! Below rung 8 the server waits for each without a limit. Rung 8 gives one source a share.

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    server::ROOM,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "hog",
    title: "take every connection that the server has",
    goal: Goal::Deny,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    for _ in 0..ROOM {
        outside.held.borrow_mut().extend(outside.dial(None));
    }
    Claim::Done
}
