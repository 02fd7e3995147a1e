//! Learns from its length which of some texts was sent.
//!
//! The attack knows that the second text is one of three. If the frame has the length of one alone, it was that one. Rung 8
//! pads, so that all three have one length.

use crate::{
    attack::{Attack, Claim, Goal, Program},
    content::Content,
    frame::Frame,
    path::texts_of,
    rung::Rung,
    session::Tap,
};

/// The registry's line.
pub(super) const ATTACK: Attack = Attack {
    id: "length-leak",
    title: "learn from its length which text was sent",
    goal: Goal::Read,
    needs: None,
    program: Program::Sniff(run),
};

const CANDIDATES: [&str; 3] = ["no", "pay bob 10", "pay bob 10 and forget it"];

fn run(rung: Rung, tap: &Tap) -> Claim {
    let frames = texts_of(rung, &tap.client);
    let Some(frame) = frames.get(1) else {
        return Claim::Nothing;
    };
    let length = |text: &str| {
        let plaintext = Content::Text(text.as_bytes().to_vec()).encode(rung);
        Frame::head(rung) + plaintext.len() + Frame::tail(rung)
    };
    let fits: Vec<_> = CANDIDATES
        .iter()
        .filter(|text| length(text) == frame.len())
        .collect();
    match fits[..] {
        [text] => Claim::Read(vec![text.as_bytes().to_vec()]),
        _ => Claim::Nothing,
    }
}
