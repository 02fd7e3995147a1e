//! Ends the server for everybody with a text.
//!
//! Any user may type `quit()`. From rung 4 on a type byte tells commands from texts, and `quit()` is a word.

use crate::{
    attack::{Attack, Claim, Goal, Outside, Program},
    cast,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "in-band",
    title: "end the server for everybody with a text",
    goal: Goal::Stop,
    needs: None,
    program: Program::Dial(run),
};

fn run(outside: &Outside<'_>) -> Claim {
    // A user with an account, and no attacker otherwise.
    outside.say_as_user(cast::alice(), b"quit()")
}
