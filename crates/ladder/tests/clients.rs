//! The grader is right about clients: ours pass on every rung, and false repairs fail.

mod flawed_line;

use std::io;

use flawed_line::Flawed;

use latchstring_arena::DEFAULT_SEED;
use latchstring_attacker::net::loopback::Loopback;
use latchstring_ladder::{
    Idea, Rung,
    client::Client,
    folder,
    grade::{
        Finding, Promise,
        client::{Launch, client},
    },
    network::{HONEST, Network},
    session::{self, Tap},
    tcp::Tcp,
};

/// What is wrong with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Nothing,
    /// Pins whatever key comes first, every time.
    PinsEveryTime,
    /// Says that all is well, however the session ended.
    NoticesNothing,
    /// Knows one name by heart.
    OnlyAlice,
    /// Leaves out what is longer than a page.
    DropsLong,
    /// Never connects: nobody can attack it.
    StaysAtHome,
    /// Numbers its frames from 0 to 255, and then again.
    NumberInOneByte,
    /// Takes what one read returns for all that the server says.
    OneReadOneMessage,
    /// Does not compare the tag of an answer.
    AnyTag,
    /// Says the same hello every time.
    SameHello,
}

struct Ours {
    rung: Rung,
    flaw: Flaw,
    keys: tempfile::TempDir,
}

impl Launch for Ours {
    fn launch(&mut self, port: u16, user: &str, input: &str) -> io::Result<bool> {
        if self.flaw == Flaw::StaysAtHome {
            return Ok(true);
        }
        let user = if self.flaw == Flaw::OnlyAlice {
            "alice"
        } else {
            user
        };
        let (user, pin) =
            folder::client(self.rung, self.keys.path(), user).map_err(io::Error::other)?;
        let pin = pin.filter(|_| self.flaw != Flaw::PinsEveryTime);
        let drawn = match self.flaw {
            Flaw::SameHello => 1,
            _ => u64::from(port),
        };
        let rng = latchstring_ladder::cast::rng(drawn, "a graded client");
        let mut client = Client::start(self.rung, pin, Box::new(user), rng);
        let network = Tcp::new(Loopback::v4(port), !self.rung.has(Idea::Numbers));
        let line = network.dial(HONEST)?;
        let mut line = Flawed::new(line, self.rung, self.flaw);
        for text in input.lines() {
            if self.flaw != Flaw::DropsLong || text.len() < 4096 {
                client.say(text.as_bytes()).map_err(io::Error::other)?;
            }
        }
        client.finish();
        session::run(&mut client, &mut line, &mut Tap::default());
        let well = client.ending().is_some_and(|ending| !ending.is_complaint());
        Ok(well || self.flaw == Flaw::NoticesNothing)
    }
}

fn findings(number: u8, flaw: Flaw) -> Vec<Finding> {
    let rung = Rung::new(number).unwrap();
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    let mut ours = Ours { rung, flaw, keys };
    client(rung, &mut ours, DEFAULT_SEED).unwrap()
}

#[test]
fn our_client_passes_on_every_rung() {
    // On rung 0 two texts of a fast client are one message, so there is nothing to grade.
    for number in 1..9 {
        assert_eq!(findings(number, Flaw::Nothing), [], "rung {number}");
    }
}

#[test]
fn each_false_repair_breaks_its_promise_with_a_message_for_its_author() {
    for (flaw, number, promise, words) in [
        (
            Flaw::PinsEveryTime,
            5,
            Promise::Withstands("rogue-server"),
            "the client sent its login",
        ),
        (
            Flaw::NoticesNothing,
            2,
            Promise::Withstands("reflection"),
            "exit code 0",
        ),
        (
            Flaw::NoticesNothing,
            3,
            Promise::Withstands("drop"),
            "exit code 0",
        ),
        (
            Flaw::NoticesNothing,
            4,
            Promise::Withstands("truncation"),
            "exit code 0",
        ),
        (
            Flaw::NumberInOneByte,
            1,
            Promise::Withstands("keystream-reuse"),
            "256 numbers in 301 frames",
        ),
        (
            Flaw::NumberInOneByte,
            2,
            Promise::Withstands("keystream-reuse"),
            "256 numbers in 301 frames",
        ),
        (Flaw::OneReadOneMessage, 1, Promise::SlowNetwork, "0 texts"),
        (
            Flaw::AnyTag,
            2,
            Promise::Withstands("bit-flip"),
            "exit code 0",
        ),
        (
            Flaw::SameHello,
            5,
            Promise::Withstands("retrospective"),
            "a value of an earlier connection",
        ),
        (Flaw::OnlyAlice, 3, Promise::Names, "another user"),
        (Flaw::DropsLong, 3, Promise::Lengths, "1 texts arrived"),
        (Flaw::StaysAtHome, 6, Promise::Session, "0 texts arrived"),
    ] {
        let found = findings(number, flaw);
        // A network that cuts a message by itself spoils the plain session already.
        let of = |promise| found.iter().find(move |finding| finding.promise == promise);
        let told = of(promise).or_else(|| of(Promise::Session));
        let told = told.unwrap_or_else(|| panic!("{flaw:?} passes: {found:?}"));
        let message = told.to_string();
        assert!(
            message.starts_with("expected: ") && message.contains(words),
            "{message}"
        );
    }
}
