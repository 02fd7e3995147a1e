//! The reason why a run failed a check, and the next step. A program that never started needs other advice than a wrong
//! answer does.

mod jam;
mod program;
mod session;
mod visit;

use std::borrow::Cow;

use latchstring_arena::truth::counted;
use latchstring_attacker::net::terminal::visible;
use latchstring_confine::run::{End, KEPT, Ran};

use super::{target::Visit, wire::printed_bytes};

pub use self::{
    jam::Jammed,
    program::{Started, gave_up},
    session::{no_messages, not_exactly_heard, other_end},
    visit::noticed,
};

/// How much of a program's last words is shown.
const LAST_LINES: usize = 6;
/// How much of one line or text of a program is shown, in characters.
const LONGEST: usize = 200;
/// The server's replies after a login in the faithful protocol.
const REPLIES: &str = "26, 32 and 8 bytes";

/// The fault, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The finding.
    pub found: String,
    /// The next step, or the advice of the lab.
    pub next: Option<String>,
    /// Whether all there is to tell is that the program's time was up.
    pub late: bool,
}

impl Trouble {
    /// A fault, and the next step.
    pub fn new(found: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            next: Some(next.into()),
            late: false,
        }
    }

    /// A program that ran well and was wrong: the lab says how to go on.
    pub fn wrong(found: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            next: None,
            late: false,
        }
    }
}

/// The start of a text that a program has made, which may be of any length.
fn start_of(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Why the target did not take the program for this user, by the target's own record.
pub fn not_logged_in(user: &str, visits: &[Visit], program: Option<Trouble>) -> Option<Trouble> {
    let all = |of: fn(&Visit) -> Option<&String>| visits.iter().find_map(of);
    if visits
        .iter()
        .any(|visit| visit.user.as_deref() == Some(user))
    {
        return None;
    }
    if let Some(other) = all(|visit| visit.user.as_ref()) {
        return Some(Trouble::new(
            format!("the server took the program for {other}, and not for {user}"),
            "log in with the name that your program is given, not with one that is written into it",
        ));
    }
    if let Some(name) = all(|visit| visit.recognised.as_ref()) {
        let advice = format!(
            "your login is right. Read all three replies of the server ({REPLIES}) before your program ends"
        );
        let next = program.and_then(|trouble| trouble.next);
        return Some(Trouble::new(
            format!(
                "the server knew your login for {name}'s, and your program left before it had read the session key and the IV"
            ),
            next.map_or(advice.clone(), |next| {
                format!("{advice}. It did not get that far: {next}")
            }),
        ));
    }
    // A program that sends nothing is not refused.
    let mut refused = visits.iter().filter_map(|visit| visit.refused.as_ref());
    if let Some(why) = refused.find(|why| !why.is_of_silence()) {
        return Some(Trouble::wrong(format!(
            "the server refused the login: {why}"
        )));
    }
    let connected = !visits.is_empty();
    if let Some(trouble) = program.filter(|trouble| !(connected && trouble.late)) {
        return Some(trouble);
    }
    Some(match connected {
        false => Trouble::new(
            "nobody connected to the server",
            "connect to the host and the port that your program is given (its first two arguments)",
        ),
        true => Trouble::new(
            "your program connected to the server, and sent no login",
            "send the login as soon as the connection is open: the server says nothing before",
        ),
    })
}

/// Why the target did not take these words for that user's.
pub fn not_heard(
    words: &str,
    user: Option<&str>,
    visits: &[Visit],
    program: Option<Trouble>,
) -> Option<Trouble> {
    let theirs = |visit: &&Visit| user.is_none() || visit.user.as_deref() == user;
    let mut heard = visits.iter().filter(theirs).flat_map(|visit| &visit.heard);
    if heard.clone().any(|text| text == words) {
        return None;
    }
    if let Some(text) = heard.next() {
        let text = start_of(text);
        return Some(Trouble::wrong(format!(
            "the server read {text:?} from your program, and not the words that your program was given"
        )));
    }
    let found = format!(
        "the server heard no words from {} on your program's connection",
        user.unwrap_or("anybody")
    );
    Some(match program {
        Some(trouble) => Trouble {
            found: format!("{found}: {}", trouble.found),
            ..trouble
        },
        None => Trouble::wrong(found),
    })
}

/// The fault in the printed lines: each must be one of the solution's, and none may be missing. The missing lines would
/// be the answer, so only their number is shown.
pub fn other_lines(ran: &Ran, wanted: &str) -> Option<Trouble> {
    if ran.flooded {
        return Some(Trouble::new(
            format!("the program printed more than {} KiB", KEPT / 1024),
            "print the lines that are asked for, and nothing else",
        ));
    }
    let lines = |text: &str| -> Vec<String> {
        let kept = text
            .trim_end()
            .lines()
            .map(|line| line.trim_end().to_owned());
        kept.collect()
    };
    let mut missing = lines(wanted);
    let mut strange = Vec::new();
    let printed = lines(&ran.stdout);
    for line in &printed {
        match missing.iter().position(|wanted| wanted == line) {
            Some(at) => drop(missing.swap_remove(at)),
            None => strange.push(line),
        }
    }
    let said = counted(printed.len(), "line");
    let lack = match missing.len() {
        0 => "none is missing".to_owned(),
        1 => "1 line is missing".to_owned(),
        n => format!("{n} lines are missing"),
    };
    match strange.first() {
        None if missing.is_empty() => None,
        None if printed.is_empty() => Some(Trouble::wrong("the program printed nothing")),
        None => Some(Trouble::wrong(format!(
            "the program printed {said}, all of them right, and {lack}"
        ))),
        Some(first) => Some(Trouble::wrong(format!(
            "the program printed {said}, of which {} {} wrong or too many, such as {:?}; {lack}",
            strange.len(),
            if strange.len() == 1 { "is" } else { "are" },
            start_of(first),
        ))),
    }
}

/// A program on the wire that printed no bytes.
pub fn no_bytes(ran: &Ran) -> Option<Trouble> {
    printed_bytes(&ran.stdout).is_none().then(|| {
        Trouble::new(
            "the program printed no bytes in hex, so the message went on as it was",
            "print the changed ciphertext in hex, on the first line",
        )
    })
}

/// Why a program has not read enough of these texts, which it should print one a line. The texts themselves are not told.
pub fn too_little_read(ran: &Ran, texts: &[&str], percent: usize) -> Option<Trouble> {
    if ran.stdout.trim().is_empty() {
        return Some(Trouble::wrong("the program printed nothing"));
    }
    let lines: Vec<&str> = ran.stdout.lines().collect();
    if lines.len() != texts.len() {
        return Some(Trouble::new(
            format!(
                "the program printed {}, and the capture has {}",
                counted(lines.len(), "line"),
                counted(texts.len(), "message")
            ),
            "print one line for each message, in their order, and nothing else",
        ));
    }
    let right = |(line, text): (&&str, &&str)| {
        let pairs = line.chars().zip(text.chars());
        pairs.filter(|(printed, sent)| printed == sent).count()
    };
    let right: usize = lines.iter().zip(texts).map(right).sum();
    let all: usize = texts.iter().map(|text| text.chars().count()).sum();
    (right * 100 < percent * all).then(|| {
        Trouble::wrong(format!(
            "the program read {right} of {all} characters, {} of 100; {percent} of 100 are asked for",
            right * 100 / all.max(1)
        ))
    })
}

/// The end of what a program said, for a student who looks for the mistake.
pub fn last_words(ran: &Ran) -> String {
    let mut told = String::new();
    match &ran.end {
        End::Status(code) => told += &format!("\n  the program ended with exit status {code}"),
        End::Decided => told += "\n  the program was stopped when the verdict was known",
        _ => {}
    }
    for (name, text) in [("printed", &ran.stdout), ("complained", &ran.stderr)] {
        let lines: Vec<&str> = text.lines().collect();
        if !lines.is_empty() {
            told += &format!("\n  it {name}:");
        }
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            told += &format!("\n    {}", visible(&start_of(line)));
        }
    }
    told
}

#[cfg(test)]
mod tests;
