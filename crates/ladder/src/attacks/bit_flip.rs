//! Turns a text into another one, without any key.
//!
//! Counter mode is an XOR with a keystream, so a flipped bit of the ciphertext is a flipped bit of the text. The attacker
//! knows the wording of one text. From rung 2 on a tag covers the ciphertext.

use crate::{
    attack::{Attack, Goal, Program},
    content::text_offset,
    frame::Frame,
    path::{Deed, OnTexts},
    rung::Rung,
    session::Middle,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "bit-flip",
    title: "turn a text into another one",
    goal: Goal::Alter,
    needs: None,
    program: Program::OnPath(middle),
};

const FROM: &[u8] = b"pay bob 10";
const TO: &[u8] = b"pay eve 99";
/// The payment is the second text.
const PAYMENT: usize = 1;

fn middle(rung: Rung) -> Box<dyn Middle> {
    let head = Frame::head(rung) + text_offset(rung);
    Box::new(OnTexts::new(rung, move |index, frame| {
        if index != PAYMENT {
            return Deed::Pass;
        }
        let mut changed = frame.to_vec();
        let difference = FROM.iter().zip(TO).map(|(from, to)| from ^ to);
        for (byte, difference) in changed.iter_mut().skip(head).zip(difference) {
            *byte ^= difference;
        }
        Deed::Replace(vec![changed])
    }))
}
