//! The grader's own client of a server of unknown make: honest up to the login, then byte by byte as a check wants it.

use std::{cell::Cell, time::Duration};

use latchstring_attacker::protocol_faithful::message::UserName;
use rand::{RngExt, rngs::ChaCha20Rng};

use crate::{
    cast,
    client::Client,
    content::Content,
    folder::{UNUSUAL, password_of},
    frame,
    hello::{HELLO, HOST_PROOF},
    keys::{Keys, Way},
    login::{Credentials, Identity},
    network::{HONEST, Line, Network},
    path::answers_of,
    rung::{Idea, Rung},
    session::{self, Tap},
};

/// The name whose key is disabled while a server of rung 8 is graded.
pub(super) const GIVEN_UP: &str = "x";

/// How long a server may take to end a connection, or to answer.
pub(super) const SOON: Duration = Duration::from_secs(3);
/// How long a server may take to end a connection after bytes that it should not have sent. The check has failed by then,
/// so this wait is only for the finding's words.
const THEN: Duration = Duration::from_millis(300);

/// Tries one server.
pub(super) struct Grader<'a> {
    pub(super) rung: Rung,
    pub(super) network: &'a dyn Network,
    seed: u64,
    /// Each group of checks draws from streams of its own.
    group: &'static str,
    drawn: Cell<u64>,
}

impl<'a> Grader<'a> {
    pub(super) fn new(
        rung: Rung,
        network: &'a dyn Network,
        seed: u64,
        group: &'static str,
    ) -> Self {
        Self {
            rung,
            network,
            seed,
            group,
            drawn: Cell::new(0),
        }
    }

    /// Fresh randomness, from the seed.
    pub(super) fn rng(&self) -> ChaCha20Rng {
        self.drawn.set(self.drawn.get() + 1);
        cast::rng(
            self.seed,
            &format!("grader {} {}", self.group, self.drawn.get()),
        )
    }

    /// One of the users, who all have alice's keys, but not the one whose key will be disabled.
    pub(super) fn somebody(&self) -> Identity {
        let names = UNUSUAL.into_iter().chain(["alice"]);
        let names: Vec<&str> = names.filter(|name| *name != GIVEN_UP).collect();
        let at = self.rng().random_range(0..names.len());
        user(names[at])
    }

    /// A text of words that nobody expects.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut rng = self.rng();
        let words = rng.random_range(2..6);
        let words = (0..words).map(|_| format!("{:x}", rng.random_range(0x10_u32..0xffff)));
        words.collect::<Vec<_>>().join(" ").into_bytes()
    }

    pub(super) fn dial(&self) -> Option<Box<dyn Line>> {
        self.network.dial(HONEST).ok()
    }

    /// A client with these credentials that pins the right host.
    pub(super) fn client(&self, credentials: impl Credentials + 'static) -> Client {
        let pin = self.rung.has(Idea::Exchange).then(cast::pin);
        Client::start(self.rung, pin, Box::new(credentials), self.rng())
    }

    /// Logs in; how it went is in the client.
    pub(super) fn log_in(
        &self,
        credentials: impl Credentials + 'static,
    ) -> Option<(Client, Box<dyn Line>, Tap)> {
        let mut client = self.client(credentials);
        let mut line = self.dial()?;
        let mut tap = Tap::default();
        session::settle(&mut client, &mut *line, &mut tap);
        Some((client, line, tap))
    }

    /// An open session in which the next frame is the grader's to make.
    pub(super) fn open(&self) -> Option<Dialogue> {
        let (client, line, _) = self.log_in(self.somebody())?;
        if !client.is_open() {
            return None;
        }
        let keys = client.keys()?.clone();
        Some(Dialogue {
            rung: self.rung,
            line,
            keys,
            first: u32::from(self.rung.has(Idea::Exchange)),
        })
    }
}

/// A user with alice's keys, and with her password or another.
pub(super) fn user(name: &str) -> Identity {
    Identity {
        name: UserName::parse(name).expect("the graders' names are good"),
        password: password_of(name).0.to_owned(),
        ..cast::alice()
    }
}

/// An open session, frame by frame.
pub(super) struct Dialogue {
    rung: Rung,
    line: Box<dyn Line>,
    keys: Keys,
    /// The number of the first text.
    pub(super) first: u32,
}

/// What a server did after the last bytes.
#[derive(Debug, Default)]
pub(super) struct Reaction {
    /// The frames that it sent, as far as they could be read.
    pub(super) said: Vec<Content>,
    /// Whether something came that is no frame of this rung.
    pub(super) garbage: bool,
    /// Whether it hung up.
    pub(super) closed: bool,
}

impl Dialogue {
    /// A frame with this number and content, ready to be sent or spoilt.
    pub(super) fn frame(&self, number: u32, content: &Content) -> Vec<u8> {
        self.sealed(number, &content.encode(self.rung))
    }

    /// The same of a plaintext that no honest client makes.
    pub(super) fn sealed(&self, number: u32, plaintext: &[u8]) -> Vec<u8> {
        frame::seal(self.rung, &self.keys.to_server, number, plaintext).encode(self.rung)
    }

    /// Sends a good frame, and waits for the answer that an honest server gives: one frame, or none below rung 2.
    pub(super) fn say(&mut self, frame: &[u8]) -> Reaction {
        let bytes = self.last_answer(frame);
        let closed = self.line.is_closed();
        self.reaction(&bytes, closed)
    }

    /// Sends what must end the connection without an answer, and looks what comes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Reaction {
        self.line.send(bytes);
        let (bytes, closed) = listen(&mut *self.line, THEN);
        self.reaction(&bytes, closed)
    }

    /// Sends what must end the connection after an answer, or without one where the rung has none.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Reaction {
        self.line.send(bytes);
        let (bytes, closed) = listen(&mut *self.line, SOON);
        self.reaction(&bytes, closed)
    }

    /// Sends an honest text. Whether it was taken: answered, or on the lowest rungs not followed by the end.
    pub(super) fn takes(&mut self, frame: &[u8]) -> bool {
        if self.rung.has(Idea::Tag) {
            return !self.say(frame).said.is_empty();
        }
        self.line.send(frame);
        is_quiet(&mut *self.line, frame.len())
    }

    fn reaction(&self, bytes: &[u8], closed: bool) -> Reaction {
        let mut reaction = Reaction {
            closed,
            ..Reaction::default()
        };
        for bytes in frames(self.rung, bytes) {
            let opened = frame::Frame::decode(self.rung, &bytes)
                .and_then(|frame| frame::open(self.rung, &self.keys.to_client, &frame))
                .and_then(|plaintext| Content::decode(self.rung, Way::ToClient, &plaintext));
            match opened {
                Ok(content) => reaction.said.push(content),
                Err(_) => reaction.garbage = true,
            }
        }
        reaction
    }

    /// The bytes that came last, for those who send them back.
    pub(super) fn last_answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.line.send(bytes);
        let mut answer = Vec::new();
        while self.rung.has(Idea::Tag) && frames(self.rung, &answer).is_empty() {
            let more = self.line.receive(SOON);
            if more.is_empty() {
                break;
            }
            answer.extend(more);
        }
        answer
    }
}

/// Whether a server that has nothing to say is still there after so many bytes. The wait leaves a slow server the time to
/// decrypt them; a right one is waited for, too, so it is short.
pub(super) fn is_quiet(line: &mut dyn Line, bytes: usize) -> bool {
    let wait = Duration::from_millis(100 + bytes as u64 / 16);
    line.receive(wait).is_empty() && !line.is_closed()
}

/// Everything until the server hangs up, or until something came and for the time `then` nothing did.
pub(super) fn listen(line: &mut dyn Line, then: Duration) -> (Vec<u8>, bool) {
    let (mut all, mut wait) = (Vec::new(), SOON);
    loop {
        let bytes = line.receive(wait);
        all.extend(&bytes);
        if bytes.is_empty() || line.is_closed() {
            return (all, line.is_closed());
        }
        wait = then;
    }
}

/// Cuts answers into frames: what comes before them has been read.
fn frames(rung: Rung, bytes: &[u8]) -> Vec<Vec<u8>> {
    // A cutter wants the openings in front; their bytes do not matter.
    let openings = match rung.has(Idea::Exchange) {
        true => [vec![0; HELLO + HOST_PROOF], vec![0, 1, 0]].concat(),
        false => vec![0; 66],
    };
    answers_of(rung, &[openings, bytes.to_vec()].concat())
}

impl Reaction {
    /// In words, for a finding.
    pub(super) fn in_words(&self) -> String {
        let said = match (&self.said[..], self.garbage) {
            ([], false) => "no answer",
            ([], true) => "bytes that are no frame of this rung",
            ([Content::Acknowledgement(_)], _) => "an answer as to a text",
            ([Content::Closed], _) => "a close acknowledged",
            ([Content::Welcome], _) => "a welcome",
            ([_], _) => "one frame",
            _ => "several frames",
        };
        let end = if self.closed {
            "then the connection ended"
        } else {
            "and an open connection"
        };
        format!("{said}, {end}")
    }

    /// Whether it is what the page says of a broken rule: the end, and nothing before it.
    pub(super) fn is_the_end(&self) -> bool {
        self.closed && self.said.is_empty() && !self.garbage
    }
}
