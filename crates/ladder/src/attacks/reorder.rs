//! Makes the server take two texts in another order.
//!
//! One frame is held back and goes behind the next one. Where the client waits for an answer first, the last answer is
//! repeated. From rung 3 on each number must be the next one, in both directions.

use crate::{
    attack::{Attack, Goal, Program},
    path::{Deed, OnTexts},
    rung::Rung,
    session::Middle,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "reorder",
    title: "make the server take texts in another order",
    goal: Goal::Reorder,
    needs: None,
    program: Program::OnPath(middle),
};

fn middle(rung: Rung) -> Box<dyn Middle> {
    let mut held = None;
    Box::new(OnTexts::new(rung, move |index, frame| match index {
        1 => {
            held = Some(frame.to_vec());
            Deed::Replace(Vec::new())
        }
        2 => Deed::Replace(
            [Some(frame.to_vec()), held.take()]
                .into_iter()
                .flatten()
                .collect(),
        ),
        _ => Deed::Pass,
    }))
}
