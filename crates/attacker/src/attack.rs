//! What an attack is, and what it may claim.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::{
    capture::trace::Trace,
    vantage::{Middle, Outsider},
};

/// One attack: the constant at the end of each file in [`crate::attacks`].
#[derive(Clone, Copy)]
pub struct Attack {
    /// The name of its file, its command and its page.
    pub id: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What it is after.
    pub goal: Goal,
    /// What the attacker has and can do, in a sentence.
    pub vantage: &'static str,
    /// The program, by the vantage that it acts from.
    pub run: Run,
}

/// What an attack is after: by this the arena knows what to look for, whatever the attack says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// To be taken for somebody else.
    LogIn,
    /// To read what was said.
    Read,
    /// To make the server believe that something else was said.
    Alter,
}

/// An attack's program. The type of its argument is all that it gets.
#[derive(Clone, Copy)]
pub enum Run {
    /// Sees all bytes of one honest session, and cannot send.
    Sniff(fn(&Trace) -> Report),
    /// Sees the same session with everything that the *server* said blanked out, and cannot send.
    SniffClientOnly(fn(&Trace) -> Report),
    /// Dials the server as a client of its own, after one honest session that it has seen.
    Dial(for<'a> fn(&'a Outsider<'a>) -> BoxFuture<'a, Report>),
    /// Sits on the path of an honest session and may change it.
    OnPath(fn(Target) -> Box<dyn Middle>),
}

/// Whom the attack is up against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The report's protocol, flaws kept.
    Faithful,
    /// `latch/2`.
    Hardened,
}

impl Target {
    /// Both, in the order of the matrix.
    pub const ALL: [Self; 2] = [Self::Faithful, Self::Hardened];
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Faithful => "faithful",
            Self::Hardened => "hardened",
        })
    }
}

/// What an attack says it has achieved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// "I am logged in as this user."
    LoggedIn {
        /// The user.
        user: String,
        /// What the server must have received from that user on the attacker's connection, if anything was said.
        said: Option<String>,
    },
    /// "These are the messages", in the order in which they were sent; a byte that is not known is `None`.
    Read(Vec<Vec<Option<u8>>>),
    /// "The server has received `to` where the user typed `from`."
    Altered {
        /// What the user typed.
        from: String,
        /// What arrived.
        to: String,
    },
    /// "I could not do it."
    Nothing,
}

/// What an attack tells while it works: who sent what, what the attacker knew, what it got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story(Vec<String>);

impl Story {
    /// Adds a line.
    pub fn tell(&mut self, line: impl Into<String>) {
        self.0.push(line.into());
    }

    /// The lines so far.
    pub fn lines(&self) -> &[String] {
        &self.0
    }
}

/// A claim and how the attack came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it says it has achieved.
    pub claim: Claim,
    /// How.
    pub story: Story,
}

impl Report {
    /// A claim with its story.
    pub fn new(claim: Claim, story: Story) -> Self {
        Self { claim, story }
    }
    /// The end of a conversation with the server: a server that hangs up, or whose proofs fail, is the story's last line.
    pub fn of_dialogue(result: anyhow::Result<Claim>, mut story: Story) -> Self {
        let claim = result.unwrap_or_else(|error| {
            story.tell(format!("the server hung up: {error}"));
            Claim::Nothing
        });
        Self::new(claim, story)
    }
}
