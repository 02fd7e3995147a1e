//! The client must notice what is done to the server's answers, and a server that is not the pinned one.

use std::io;

use super::{Finding, Grader, Promise};
use crate::{
    cast,
    impostor::{AnyLogin, Logins},
    keys::Way,
    path::{Cutter, Deed, OnTexts, Piece},
    rung::{Idea, Rung},
    session::{Let, Middle, Tap},
    signature::SigningKey,
};

impl Grader<'_> {
    /// Each deed in a session of its own.
    pub(super) fn on_path(&mut self) -> io::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for spoil in Spoil::ALL {
            if !self.rung.has(spoil.idea()) {
                continue;
            }
            let server = self.honest_server()?;
            let texts = [self.text(), "ok".to_owned(), self.text()];
            let came = self.run(&server, Some(spoil.middle(self.rung)), "alice", &texts)?;
            server.stop();
            if came.success {
                let (attack, why) = spoil.in_words();
                let expected = format!("the exit code is not 0 when {why}");
                let promise = Promise::Withstands(attack);
                findings.push(Finding::new(promise, expected, "exit code 0"));
            }
        }
        Ok(findings)
    }

    /// Servers that lack the host's private key, and let everybody in.
    pub(super) fn rogue(&mut self) -> io::Result<Vec<Finding>> {
        let own = cast::mallorys_host();
        let copied = cast::mallorys_host().showing(&cast::host());
        let another = self.impostor(own, "a host with another key")?;
        let unsigned = self.impostor(
            copied,
            "a host that shows the pinned key, and signs with another",
        )?;
        Ok(another.into_iter().chain(unsigned).collect())
    }

    fn impostor(&mut self, host: SigningKey, which: &str) -> io::Result<Option<Finding>> {
        let came = Logins::default();
        let door = AnyLogin {
            came: came.clone(),
            visitor: cast::alice().name,
        };
        let server = self.server(host, Box::new(door))?;
        let texts = [self.text()];
        let session = self.run(&server, None, "alice", &texts)?;
        server.stop();
        let saw = match (came.first(), session.success) {
            (Some(_), _) => "the client sent its login",
            (None, true) => "exit code 0",
            (None, false) => return Ok(None),
        };
        let expected = format!("{which} gets nothing, and the exit code is not 0");
        let promise = Promise::Withstands("rogue-server");
        Ok(Some(Finding::new(promise, expected, saw)))
    }
}

#[derive(Clone, Copy)]
enum Spoil {
    Flip,
    Reflect,
    Drop,
    Cut,
}

impl Spoil {
    const ALL: [Self; 4] = [Self::Flip, Self::Reflect, Self::Drop, Self::Cut];

    /// The idea that lets a client notice it.
    fn idea(self) -> Idea {
        match self {
            Self::Flip | Self::Reflect => Idea::Tag,
            Self::Drop => Idea::Order,
            Self::Cut => Idea::Ending,
        }
    }

    /// The attack, and what happened.
    fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Self::Flip => ("bit-flip", "the tag of an answer is wrong"),
            Self::Reflect => ("reflection", "its own frame comes back as an answer"),
            Self::Drop => ("drop", "a text was swallowed and an old answer repeated"),
            Self::Cut => (
                "truncation",
                "the connection ends before the close is acknowledged",
            ),
        }
    }

    fn middle(self, rung: Rung) -> Box<dyn Middle + Send> {
        let deed = move |index: usize, _: &[u8]| match (self, index) {
            (Self::Reflect, 1) => Deed::Reflect,
            (Self::Drop, 1) => Deed::Replace(Vec::new()),
            // Behind three texts comes the close.
            (Self::Cut, 3) => Deed::Cut,
            _ => Deed::Pass,
        };
        match self {
            Self::Flip => Box::new(WrongTag {
                server: Cutter::new(rung, Way::ToClient),
                tap: Tap::default(),
            }),
            _ => Box::new(OnTexts::new(rung, deed)),
        }
    }
}

/// Changes the last byte of each answer, which is the last one of its tag: a comparison that stops early does not see it.
struct WrongTag {
    server: Cutter,
    tap: Tap,
}

impl Middle for WrongTag {
    fn client_wrote(&mut self, bytes: &[u8]) -> Let {
        self.tap.client_wrote(bytes)
    }

    fn server_said(&mut self, bytes: &[u8]) -> Let {
        let mut all = Let::default();
        for piece in self.server.cut(bytes) {
            all.to_client.extend(match piece {
                Piece::Opening(bytes) => bytes,
                Piece::Frame(mut frame) => {
                    if let Some(last) = frame.last_mut() {
                        *last ^= 1;
                    }
                    frame
                }
            });
        }
        all
    }
}
