//! Rung 8: what a stranger must not learn and must not get.

use std::time::Duration;

use super::{
    Finding, Promise,
    dialogue::{Dialogue, GIVEN_UP, Grader, SOON, listen, user},
};
use crate::{
    accounts::MAX_GUESSES,
    complaint::Ending,
    content::Content,
    hello::Half,
    login::{Credentials, Identity, Ready, signed_login},
    network::{ATTACKER, Line},
    rung::{Idea, Rung},
    server::{LOGIN_DEADLINE, REFUSAL_AFTER, ROOM, SOURCE_CAP},
    signature::SIGNATURE,
};

/// How long a connection is looked at. One that was closed is known at once.
const GLANCE: Duration = Duration::from_millis(20);
/// How far a refusal may be from its time: other work of the machine is in it.
const NEAR: Duration = Duration::from_millis(300);
/// How often a refusal is timed until it is near: a busy machine delays one now and then, and a wrong server delays all.
const TIMINGS: usize = 3;
/// What takes a moment, and needs a server that does nothing else: times are measured, and all room is taken.
pub(super) fn all(grader: &Grader<'_>) -> Vec<Finding> {
    let checks = [padding, refusals, announced, hog];
    on_rung_8(grader, &checks)
}

/// What takes its time.
pub(super) fn idle(grader: &Grader<'_>) -> Vec<Finding> {
    on_rung_8(grader, &[slow])
}

/// What takes its time, and disables a key.
pub(super) fn guessed(grader: &Grader<'_>) -> Vec<Finding> {
    on_rung_8(grader, &[guesses])
}

fn on_rung_8(grader: &Grader<'_>, checks: &[fn(&Grader<'_>) -> Option<Finding>]) -> Vec<Finding> {
    let applies = checks.iter().filter(|_| grader.rung.has(Idea::Quiet));
    applies.filter_map(|check| check(grader)).collect()
}

/// Padding that is not zero, or not the smallest, ends the connection.
fn padding(grader: &Grader<'_>) -> Option<Finding> {
    let spoilt = |spoil: fn(&mut Vec<u8>)| {
        let mut dialogue = grader.open()?;
        let mut plaintext = Content::Text(grader.text()).encode(grader.rung);
        spoil(&mut plaintext);
        ends(&mut dialogue, &plaintext)
    };
    let not_zero = spoilt(|plaintext| *plaintext.last_mut().expect("it is padded") = 1);
    not_zero.or_else(|| spoilt(|plaintext| plaintext.resize(256, 0)))
}

fn ends(dialogue: &mut Dialogue, plaintext: &[u8]) -> Option<Finding> {
    let frame = dialogue.sealed(dialogue.first, plaintext);
    let reaction = dialogue.send(&frame);
    let expected = "padding that is not zero, or not of the smallest size, ends the connection";
    let promise = Promise::Withstands("length-leak");
    (!reaction.is_the_end()).then(|| Finding::new(promise, expected, reaction.in_words()))
}

/// An unknown name, a wrong signature, a wrong password: one answer at one time.
fn refusals(grader: &Grader<'_>) -> Option<Finding> {
    let junk =
        |name: &[u8], rung: Rung| Ready(signed_login(rung, name, &[0x5a; SIGNATURE], b"wrong"));
    let wrong = || Identity {
        password: "wrong".to_owned(),
        ..user("alice")
    };
    let answers = [
        answered(grader, || junk(b"nobody", grader.rung))?,
        answered(grader, || junk(b"alice", grader.rung))?,
        answered(grader, wrong)?,
    ];
    let expected = "every refusal is the same frame, 1000 ms after its login";
    if answers
        .iter()
        .any(|(ending, _)| *ending != Some(Ending::Refused(None)))
    {
        let promise = Promise::Withstands("enumerate-reply");
        return Some(Finding::new(promise, expected, "another answer, or none"));
    }
    let late = answers.iter().find(|(_, took)| !is_near(*took));
    late.map(|(_, took)| {
        let saw = format!("a refusal after {} ms", took.as_millis());
        Finding::new(Promise::Withstands("enumerate-time"), expected, saw)
    })
}

fn is_near(took: Duration) -> bool {
    took.abs_diff(REFUSAL_AFTER) <= NEAR
}

/// How a login was answered, and when: the first time that is near, or the last.
fn answered<C: Credentials + 'static>(
    grader: &Grader<'_>,
    login: impl Fn() -> C,
) -> Option<(Option<Ending>, Duration)> {
    let mut answer = None;
    for _ in 0..TIMINGS {
        let began = grader.network.now();
        let (client, ..) = grader.log_in(login())?;
        let took = grader.network.now() - began;
        answer = Some((client.ending().cloned(), took));
        if is_near(took) {
            break;
        }
    }
    answer
}

/// The largest length where a login is due.
fn announced(grader: &Grader<'_>) -> Option<Finding> {
    let mut line = grader.dial()?;
    line.send(&Half::draw(&mut grader.rng()).hello(grader.rung));
    line.send(&[0xff, 0xff]);
    let (_, closed) = listen(&mut *line, SOON);
    let expected = "a length that may not come now ends the connection at once";
    let promise = Promise::Withstands("slow-and-huge");
    (!closed).then(|| Finding::new(promise, expected, "an open connection"))
}

/// A connection that says nothing.
fn slow(grader: &Grader<'_>) -> Option<Finding> {
    let mut line = grader.dial()?;
    let patience = LOGIN_DEADLINE + Duration::from_secs(2);
    line.receive(patience);
    let expected = "a connection without a login ends after 10 s";
    let saw = "an open connection after 12 s";
    let promise = Promise::Withstands("slow-and-huge");
    (!line.is_closed()).then(|| Finding::new(promise, expected, saw))
}

/// One source opens as many connections as there is room for.
fn hog(grader: &Grader<'_>) -> Option<Finding> {
    let dialled = (0..ROOM).map(|_| grader.network.dial(ATTACKER));
    let mut held: Vec<_> = dialled.filter_map(Result::ok).collect();
    let promise = Promise::Withstands("hog");
    // Of a server that has room for more, only this shows whether there is a cap.
    let still_open = |line: &mut Box<dyn Line>| {
        line.receive(GLANCE);
        !line.is_closed()
    };
    let open = held
        .iter_mut()
        .filter_map(|line| still_open(line).then_some(()))
        .count();
    if open > SOURCE_CAP {
        let expected =
            format!("one source holds at most {SOURCE_CAP} connections that are not logged in");
        let saw = format!("{open} of {ROOM} stay open");
        return Some(Finding::new(promise, expected, saw));
    }
    let (client, ..) = grader.log_in(user("alice"))?;
    drop(held);
    let expected = "a user logs in while another source holds idle connections";
    (!client.is_open()).then(|| Finding::new(promise, expected, "the user was not let in"))
}

/// Ten wrong passwords with the key, then the right one.
fn guesses(grader: &Grader<'_>) -> Option<Finding> {
    for _ in 0..MAX_GUESSES {
        let guess = Identity {
            password: "wrong".to_owned(),
            ..user(GIVEN_UP)
        };
        grader.log_in(guess)?;
    }
    let (client, ..) = grader.log_in(user(GIVEN_UP))?;
    let expected = "ten wrong passwords disable the key";
    let promise = Promise::Withstands("online-guessing");
    (client.is_open()).then(|| Finding::new(promise, expected, "a welcome at the next guess"))
}
