//! Recognises a message by its length.
//!
//! # Flaw
//! A stream cipher keeps the length. A faithful ciphertext is exactly as long as its plaintext.
//!
//! # Attack
//! Three messages are likely, and each has a different length. Compare the lengths.
//!
//! # What it proves
//! Encryption hides the content of a message, not its length. If only few messages are likely, the length identifies
//! the message.
//!
//! # Defence
//! Records are padded to one of five lengths. All three messages fill 64 bytes. Longer texts still differ by bucket.
//!
//! # In the wild
//! Keystrokes in SSH sessions could be counted, and partly guessed from their timing (Song, Wagner and Tian, 2001).
//! CRIME, CVE-2012-4929: the length of compressed and encrypted requests revealed a cookie byte by byte.

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::{dissect, trace::Side},
    eavesdrop::{ciphertext, message_body},
    protocol::hardened::{defence::Defence, record::BUCKETS},
    vantage::Wiretap,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "length-leak",
    title: "recognise a message by its length",
    goal: Goal::Read,
    vantage: "a sniffer of one session, with three candidates for its second message",
    returns_without: &[&[Defence::Padding]],
    run: Run::Sniff(run),
    ..Attack::PLAIN
};

/// The candidates for the second message.
pub const CANDIDATES: [&str; 3] = ["pay bob 10", "do not pay bob", "pay bob 1000"];
/// Its place in the session.
const PLACE: usize = 1;

fn run(wiretap: &Wiretap) -> Report {
    let mut story = Story::default();
    let Some(seen) = length_on_the_wire(wiretap) else {
        story.tell("there was no second message");
        return Report::new(Claim::Nothing, story);
    };
    story.tell(format!("the second message has {seen} bytes of ciphertext"));
    let fitting: Vec<&str> = (CANDIDATES.into_iter())
        .filter(|text| length_of(wiretap, text) == Some(seen))
        .collect();
    let quoted: Vec<String> = fitting.iter().map(|text| format!("\"{text}\"")).collect();
    story.tell(match quoted.is_empty() {
        true => "no candidate has that length".to_owned(),
        false => format!("candidates of that length: {}", quoted.join(", ")),
    });
    let [text] = fitting[..] else {
        return Report::new(Claim::Nothing, story);
    };
    let mut read = vec![Vec::new(); PLACE];
    read.push(text.bytes().map(Some).collect());
    Report::new(Claim::Read(read), story)
}

fn length_on_the_wire(wiretap: &Wiretap) -> Option<usize> {
    Some(match wiretap.dialect.target {
        Target::Faithful => dissect::faithful(&wiretap.trace).messages.get(PLACE)?.len(),
        Target::Hardened => ciphertext(wiretap.session_records(Side::Client).get(PLACE)?).len(),
    })
}

/// How long the ciphertext of a text is: the shortest length that exists and holds it.
fn length_of(wiretap: &Wiretap, text: &str) -> Option<usize> {
    let needed = 3 + message_body(0, text).len();
    match wiretap.dialect.target {
        Target::Faithful => Some(text.len()),
        Target::Hardened => {
            let lengths = wiretap.dialect.defences.lengths(&BUCKETS);
            lengths.iter().copied().find(|length| *length >= needed)
        }
    }
}
