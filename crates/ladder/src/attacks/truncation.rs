//! Ends a session early, so that the server takes it for the end.
//!
//! Three texts are let through, then both connections end. Below rung 4 the end of a connection is the end of a session,
//! so the server misses nothing. From rung 4 on it holds a session without a close to be cut short.

use crate::{
    attack::{Attack, Goal, Program},
    path::{Deed, OnTexts},
    rung::Rung,
    session::Middle,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "truncation",
    title: "end a session early, so that the server takes it for the end",
    goal: Goal::Truncate,
    needs: None,
    program: Program::OnPath(middle),
};

fn middle(rung: Rung) -> Box<dyn Middle> {
    Box::new(OnTexts::new(rung, |index, _| match index {
        3.. => Deed::Cut,
        _ => Deed::Pass,
    }))
}
