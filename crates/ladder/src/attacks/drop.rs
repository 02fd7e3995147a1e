//! Makes a text vanish without notice.
//!
//! The frame is swallowed. Where the client waits for an answer, the last answer is repeated. From rung 3 on the next
//! frame's number shows the gap, and an answer names what it answers.

use crate::{
    attack::{Attack, Goal, Program},
    path::{Deed, OnTexts},
    rung::Rung,
    session::Middle,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "drop",
    title: "make a text vanish without notice",
    goal: Goal::Drop,
    needs: None,
    program: Program::OnPath(middle),
};

fn middle(rung: Rung) -> Box<dyn Middle> {
    Box::new(OnTexts::new(rung, |index, _| match index {
        1 => Deed::Replace(Vec::new()),
        _ => Deed::Pass,
    }))
}
