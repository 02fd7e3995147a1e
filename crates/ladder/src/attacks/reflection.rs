//! Makes the client take its own frame for the server's answer.
//!
//! From rung 2 on the server answers, so there is something to fake: the user types `ok`, and that frame goes back. It is
//! opened with the keys of the other direction, and its tag is wrong.

use crate::{
    attack::{Attack, Goal, Program},
    path::{Deed, OnTexts},
    rung::{Idea, Rung},
    session::Middle,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "reflection",
    title: "make the client take its own frame for the server's answer",
    goal: Goal::Reflect,
    needs: Some((Idea::Tag, "the server does not answer yet")),
    program: Program::OnPath(middle),
};

fn middle(rung: Rung) -> Box<dyn Middle> {
    Box::new(OnTexts::new(rung, |index, _| match index {
        // The user types `ok`, which is also what an answer of rung 2 says.
        3 => Deed::Reflect,
        _ => Deed::Pass,
    }))
}
