//! Returns the client's records to it as the server's.
//!
//! # Flaw
//! If both directions share their keys, a record does not show its sender. A client then opens the records that it has
//! sealed itself.
//!
//! # Attack
//! Hold back one record of the server, so that both directions are at the same number. Then cut the server off. The
//! client asks whether the server is still there. Return the question, and the client answers it. Return the answer
//! too, and the client takes it for the server's. The client goes on believing in a session that has ended, as long as
//! the attacker likes.
//!
//! # What it proves
//! A tag proves that a holder of the key made the record. If two speakers share one key, the tag does not show the
//! speaker.
//!
//! # Defence
//! Each direction has different keys (`"ap c2s"`, `"ap s2c"`). A record that comes back to its sender does not open.
//!
//! # In the wild
//! MS-PPTP (1998) used one key in both directions. SSH and TLS derive one for each.

use crate::{
    Attack, Claim, Faithful, Goal, Report, Run, Scene, Story,
    capture::trace::Side,
    path::Messages,
    protocol::hardened::defence::Defence,
    vantage::{Cut, Dialect, Middle},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "reflection",
    title: "return the client's records to it as the server's",
    goal: Goal::Linger,
    vantage: "on the path between client and server",
    scene: Scene {
        user_lingers: true,
        ..Scene::PLAIN
    },
    faithful: Faithful::DoesNotApply(
        "the faithful server sends nothing after the login, so nothing can pass for its messages",
    ),
    returns_without: &[&[Defence::DirectionKeys]],
    run: Run::OnPath(|dialect| Box::new(Reflection::new(dialect))),
    ..Attack::PLAIN
};

/// The server is cut off after this message, from 0: the last that the user types.
const LAST: usize = 6;

struct Reflection {
    messages: Messages,
    cut: bool,
    mirrored: Vec<u8>,
    story: Story,
}

impl Reflection {
    fn new(dialect: &Dialect) -> Self {
        Self {
            messages: Messages::new(dialect),
            cut: false,
            mirrored: Vec::new(),
            story: Story::default(),
        }
    }
}

impl Middle for Reflection {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        if from == Side::Server {
            return bytes.to_vec();
        }
        let mut passed = Vec::new();
        for piece in self.messages.push(bytes) {
            if piece.message < Some(LAST) {
                passed.extend(piece.bytes);
            } else if !self.cut {
                self.cut = true;
                self.story.tell(
                    "Mallory keeps the last message and cuts the server off: the client waits for one more record",
                );
            } else {
                self.story.tell(format!(
                    "client -> server: a record of {} bytes; Mallory returns it as the server's",
                    piece.bytes.len()
                ));
                self.mirrored.extend(piece.bytes);
            }
        }
        passed
    }

    fn answer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.mirrored)
    }

    fn cut(&self) -> Cut {
        match self.cut {
            true => Cut::Server,
            false => Cut::Nothing,
        }
    }

    fn report(self: Box<Self>) -> Report {
        let claim = match self.cut {
            true => Claim::Lingering,
            false => Claim::Nothing,
        };
        Report::new(claim, self.story)
    }
}
