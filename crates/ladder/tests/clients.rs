//! The grader is right about clients: ours pass on every rung, and false repairs fail.

use std::io;

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
enum Flaw {
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
        let rng = latchstring_ladder::cast::rng(port.into(), "a graded client");
        let mut client = Client::start(self.rung, pin, Box::new(user), rng);
        let network = Tcp::new(Loopback::v4(port), !self.rung.has(Idea::Numbers));
        let mut line = network.dial(HONEST)?;
        for text in input.lines() {
            if self.flaw != Flaw::DropsLong || text.len() < 4096 {
                client.say(text.as_bytes()).map_err(io::Error::other)?;
            }
        }
        client.finish();
        session::run(&mut client, &mut *line, &mut Tap::default());
        let well = client.ending().is_some_and(|ending| !ending.is_complaint());
        Ok(well || self.flaw == Flaw::NoticesNothing)
    }
}

fn findings(number: u8, flaw: Flaw) -> Vec<Finding> {
    let rung = Rung::new(number).unwrap();
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    client(rung, &mut Ours { rung, flaw, keys }, DEFAULT_SEED).unwrap()
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
        (Flaw::OnlyAlice, 3, Promise::Names, "another user"),
        (Flaw::DropsLong, 3, Promise::Lengths, "1 texts arrived"),
        (Flaw::StaysAtHome, 6, Promise::Session, "0 texts arrived"),
    ] {
        let found = findings(number, flaw);
        let told = found.iter().find(|finding| finding.promise == promise);
        let told = told.unwrap_or_else(|| panic!("{flaw:?} passes: {found:?}"));
        let message = told.to_string();
        assert!(
            message.starts_with("expected: ") && message.contains(words),
            "{message}"
        );
    }
}
