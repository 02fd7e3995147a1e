//! What an honest client may expect of every server, whatever it was mended against.

use std::time::Duration;

use super::{
    Finding, Promise,
    dialogue::{Grader, is_quiet, user},
};
use crate::{
    client::Client,
    complaint::Ending,
    content::max_text,
    folder::UNUSUAL,
    login::Identity,
    network::{HONEST, Line, Network, before_next_byte},
    rung::Idea,
    session::{self, Tap},
};

/// Texts in one long session: the number of a frame needs more than one byte.
pub(super) const MANY: usize = 300;

/// All honest sessions; the first that fails of each kind.
pub(super) fn all(grader: &Grader<'_>) -> Vec<Finding> {
    let plain = session_of(
        grader,
        Promise::Session,
        grader.somebody(),
        &[grader.text(), grader.text()],
    );
    if plain.is_some() {
        return plain.into_iter().collect();
    }
    let longest = vec![b'x'; max_text(grader.rung)];
    let many: Vec<Vec<u8>> = (0..MANY).map(|_| grader.text()).collect();
    let mut findings = Vec::new();
    findings.extend(session_of(
        grader,
        Promise::ManyTexts,
        grader.somebody(),
        &many,
    ));
    findings.extend(session_of(
        grader,
        Promise::Lengths,
        grader.somebody(),
        &[b"x".to_vec(), longest],
    ));
    let names = UNUSUAL.into_iter().chain(["alice"]);
    let refused =
        names.filter_map(|name| session_of(grader, Promise::Names, user(name), &[grader.text()]));
    findings.extend(refused.take(1));
    // On rung 0 a byte that comes alone is a message, and there is one client at a time.
    if grader.rung.has(Idea::Numbers) {
        findings.extend(slow(grader));
        findings.extend(together(grader));
    }
    findings.extend(session_of(
        grader,
        Promise::ComesBack,
        grader.somebody(),
        &[grader.text()],
    ));
    findings
}

/// After everything: the server must still serve.
pub(super) fn still_serves(grader: &Grader<'_>) -> Vec<Finding> {
    let session = session_of(grader, Promise::ComesBack, user("alice"), &[grader.text()]);
    session.into_iter().collect()
}

fn session_of(
    grader: &Grader<'_>,
    promise: Promise,
    user: Identity,
    texts: &[Vec<u8>],
) -> Option<Finding> {
    let line = grader.dial();
    run_on(grader, promise, user, texts, line)
}

fn run_on(
    grader: &Grader<'_>,
    promise: Promise,
    user: Identity,
    texts: &[Vec<u8>],
    line: Option<Box<dyn Line + '_>>,
) -> Option<Finding> {
    let expected = format!(
        "an honest client logs in, and all its {} texts are taken",
        texts.len()
    );
    let Some(mut line) = line else {
        return Some(Finding::new(promise, expected, "no connection"));
    };
    let mut client = grader.client(user);
    for text in texts {
        client.say(text).expect("the graders' texts fit");
    }
    session::settle(&mut client, &mut *line, &mut Tap::default());
    if !grader.rung.has(Idea::Tag) && client.is_open() {
        let longest = texts.iter().map(Vec::len).max().unwrap_or_default();
        return ends_with_change(promise, &mut client, &mut *line, longest);
    }
    client.finish();
    session::run(&mut client, &mut *line, &mut Tap::default());
    verdict(grader, promise, expected, &client, texts.len())
}

/// Below rung 2 a server answers no text. All that it shows is that it stays until `change()`, and then goes.
fn ends_with_change(
    promise: Promise,
    client: &mut Client,
    line: &mut dyn Line,
    longest: usize,
) -> Option<Finding> {
    let expected =
        "the server takes all texts of an honest client, and ends the connection at change()";
    if !is_quiet(line, longest) {
        let saw = "the connection ended before change()";
        return Some(Finding::new(promise, expected, saw));
    }
    client.finish();
    while let Some(bytes) = client.write() {
        line.send(&bytes);
    }
    line.receive(session::PATIENCE);
    let saw = "an open connection after change()";
    (!line.is_closed()).then(|| Finding::new(promise, expected, saw))
}

/// Judged by the client alone: what it was told is all that an honest user has.
fn verdict(
    grader: &Grader<'_>,
    promise: Promise,
    expected: String,
    client: &Client,
    texts: usize,
) -> Option<Finding> {
    let answered = !grader.rung.has(Idea::Tag) || client.answered() as usize == texts;
    match client.ending() {
        Some(ending) if !ending.is_complaint() && answered => None,
        Some(Ending::Refused(_)) => Some(Finding::new(promise, expected, "the login was refused")),
        Some(Ending::Complained(why)) => {
            let saw = format!("{} of {texts} texts answered; {why}", client.answered());
            Some(Finding::new(promise, expected, saw))
        }
        _ => Some(Finding::new(promise, expected, "the session ended early")),
    }
}

/// Each byte goes by itself.
struct OneByOne<'a> {
    network: &'a dyn Network,
    line: Box<dyn Line>,
}

impl Line for OneByOne<'_> {
    fn send(&mut self, bytes: &[u8]) {
        for (sent, byte) in bytes.chunks(1).enumerate() {
            self.line.send(byte);
            self.network.pass(before_next_byte(sent));
        }
    }

    fn receive(&mut self, wait: Duration) -> Vec<u8> {
        self.line.receive(wait)
    }

    fn is_closed(&mut self) -> bool {
        self.line.is_closed()
    }

    fn hang_up(&mut self) {
        self.line.hang_up();
    }
}

fn slow(grader: &Grader<'_>) -> Option<Finding> {
    let network = grader.network;
    let line = grader.dial();
    let line = line.map(|line| Box::new(OneByOne { network, line }) as Box<dyn Line + '_>);
    run_on(
        grader,
        Promise::SlowNetwork,
        grader.somebody(),
        &[grader.text()],
        line,
    )
}

/// Five users are logged in before the first of them says anything.
fn together(grader: &Grader<'_>) -> Option<Finding> {
    let promise = Promise::Together;
    let expected = "five users at a time are served";
    let mut there = Vec::new();
    for _ in 0..5 {
        let Ok(mut line) = grader.network.dial(HONEST) else {
            return Some(Finding::new(promise, expected, "no connection"));
        };
        let mut client = grader.client(grader.somebody());
        session::settle(&mut client, &mut *line, &mut Tap::default());
        if !client.is_open() {
            let saw = format!("the user after {} others was not let in", there.len());
            return Some(Finding::new(promise, expected, saw));
        }
        there.push((client, line));
    }
    there.iter_mut().find_map(|(client, line)| {
        client.say(&grader.text()).expect("the graders' texts fit");
        client.finish();
        session::run(client, &mut **line, &mut Tap::default());
        verdict(grader, promise, expected.to_owned(), client, 1)
    })
}
