//! Makes the server take a payment twice.
//!
//! The frame is let through twice. Its tag is right both times; from rung 3 on its number is not.

use crate::{
    attack::{Attack, Goal, Program},
    path::{Deed, OnTexts},
    rung::Rung,
    session::Middle,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "message-replay",
    title: "make the server take a text twice",
    goal: Goal::Repeat,
    needs: None,
    program: Program::OnPath(middle),
};

fn middle(rung: Rung) -> Box<dyn Middle> {
    Box::new(OnTexts::new(rung, |index, frame| match index {
        1 => Deed::Replace(vec![frame.to_vec(), frame.to_vec()]),
        _ => Deed::Pass,
    }))
}
