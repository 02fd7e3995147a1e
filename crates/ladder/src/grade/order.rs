//! Rungs 1 to 4: numbers, tags, order, the end. Each check makes the frames of an attack itself, in an open session.

use super::{
    Finding, Promise,
    dialogue::{Dialogue, Grader, Reaction},
};
use crate::{
    content::Content,
    frame::{LENGTH, TAG},
    rung::{Idea, Rung},
};

/// A check in a session of its own.
type Check = fn(&Grader<'_>, &mut Dialogue) -> Option<Finding>;

const CHECKS: [(Idea, Check); 10] = [
    (Idea::Numbers, number_is_in_the_counter_block),
    (Idea::Numbers, number_is_the_frames_own),
    (Idea::Tag, changed_text),
    (Idea::Tag, changed_tag),
    (Idea::Tag, reflected),
    (Idea::Order, repeated),
    (Idea::Order, skipped),
    (Idea::Order, congruent),
    (Idea::Ending, commands_are_words),
    (Idea::Ending, wrong_count),
];

/// Everything that applies on this rung.
pub(super) fn all(grader: &Grader<'_>) -> Vec<Finding> {
    let applies = |rung: Rung, idea| rung.has(idea);
    let checks = CHECKS
        .iter()
        .filter(|(idea, _)| applies(grader.rung, *idea));
    let findings = checks.filter_map(|(_, check)| match grader.open() {
        Some(mut dialogue) => check(grader, &mut dialogue),
        None => Some(Finding::new(
            Promise::ComesBack,
            "an honest client logs in at any time",
            "a login that failed after earlier connections",
        )),
    });
    findings.collect()
}

fn text(grader: &Grader<'_>) -> Content {
    Content::Text(grader.text())
}

/// The end of the connection and nothing before it.
fn ends(promise: Promise, broken: &str, reaction: &Reaction) -> Option<Finding> {
    let expected = format!("the connection ends without an answer when {broken}");
    (!reaction.is_the_end()).then(|| Finding::new(promise, expected, reaction.in_words()))
}

/// Below rung 4 `change()` shows whether a server reads a frame as it was meant.
fn number_is_in_the_counter_block(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    if grader.rung.has(Idea::Ending) {
        return None;
    }
    let promise = Promise::Withstands("keystream-reuse");
    let expected = "each frame is decrypted with its number in the counter block";
    for number in 0..3 {
        let frame = dialogue.frame(number, &text(grader));
        if !dialogue.takes(&frame) {
            let saw = "the connection ended at a text";
            return Some(Finding::new(promise, expected, saw));
        }
    }
    changes(promise, expected, dialogue, 3)
}

/// Where no order is asked for, a frame may have any number. This one differs from a small one in each of its bytes.
fn number_is_the_frames_own(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    if grader.rung.has(Idea::Order) {
        return None;
    }
    let promise = Promise::Withstands("keystream-reuse");
    let expected = "a frame is decrypted with the number that it states, with all 32 bits";
    changes(promise, expected, dialogue, 0x0102_0300)
}

/// The text `change()` in a frame with this number ends the connection.
fn changes(
    promise: Promise,
    expected: &str,
    dialogue: &mut Dialogue,
    number: u32,
) -> Option<Finding> {
    let change = dialogue.frame(number, &Content::Text(b"change()".to_vec()));
    let saw = "an open connection after the text change()";
    (!dialogue.end(&change).closed).then(|| Finding::new(promise, expected, saw))
}

fn changed_text(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let mut frame = dialogue.frame(dialogue.first, &text(grader));
    let at = frame.len() - TAG - 1;
    frame[at] ^= 1;
    ends(
        Promise::Withstands("bit-flip"),
        "a byte of the ciphertext was changed",
        &dialogue.send(&frame),
    )
}

fn changed_tag(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let mut frame = dialogue.frame(dialogue.first, &text(grader));
    // The last byte: a comparison that stops early does not see it.
    let at = frame.len() - 1;
    frame[at] ^= 1;
    ends(
        Promise::Withstands("bit-flip"),
        "a byte of the tag was changed",
        &dialogue.send(&frame),
    )
}

/// The server's own frame comes back as the client's.
fn reflected(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let frame = dialogue.frame(dialogue.first, &text(grader));
    let answer = dialogue.last_answer(&frame);
    if answer.len() < LENGTH + TAG {
        let expected = "every text is answered";
        return Some(Finding::new(Promise::Session, expected, "no answer"));
    }
    ends(
        Promise::Withstands("reflection"),
        "its own frame comes back to it",
        &dialogue.send(&answer),
    )
}

fn repeated(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let frame = dialogue.frame(dialogue.first, &text(grader));
    dialogue.say(&frame);
    ends(
        Promise::Withstands("message-replay"),
        "a frame comes a second time",
        &dialogue.send(&frame),
    )
}

fn skipped(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let frame = dialogue.frame(dialogue.first + 1, &text(grader));
    ends(
        Promise::Withstands("drop"),
        "a frame is missing before this one",
        &dialogue.send(&frame),
    )
}

/// The right number, if only its last byte counts.
fn congruent(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let frame = dialogue.frame(dialogue.first + 256, &text(grader));
    ends(
        Promise::Withstands("reorder"),
        "the number of a frame is not the next one",
        &dialogue.send(&frame),
    )
}

fn commands_are_words(_: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let promise = Promise::Withstands("in-band");
    let expected =
        "quit() and change() are acknowledged as any other text, and so is the text after them";
    // A server that acknowledges a command and then follows it is found at the next text.
    let texts = ["quit()", "change()", "go on"].map(|text| text.as_bytes().to_vec());
    for (index, command) in texts.into_iter().enumerate() {
        let number = dialogue.first + u32::try_from(index).expect("three texts");
        let frame = dialogue.frame(number, &Content::Text(command));
        let reaction = dialogue.say(&frame);
        let right = [Content::Acknowledgement(Some(number))];
        if reaction.closed || reaction.said != right {
            return Some(Finding::new(promise, expected, reaction.in_words()));
        }
    }
    None
}

fn wrong_count(grader: &Grader<'_>, dialogue: &mut Dialogue) -> Option<Finding> {
    let frame = dialogue.frame(dialogue.first, &text(grader));
    dialogue.say(&frame);
    let close = dialogue.frame(dialogue.first + 1, &Content::Close(2));
    ends(
        Promise::Withstands("truncation"),
        "a close states more texts than arrived",
        &dialogue.send(&close),
    )
}
