//! Trials, and the checks after them.

use std::collections::BTreeMap;

use anyhow::ensure;
use std::time::Duration;

use serde::Deserialize;

use super::{super::language::Language, target::TargetKind};

/// The way to run the student's program: against a new hidden instance of the scene each time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trial {
    /// Its name.
    pub id: String,
    /// The arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// The command that runs the program of this trial, by language, in place of the language's own.
    #[serde(default)]
    pub run: BTreeMap<String, Vec<String>>,
    /// The command that builds it, by language, in place of the language's own.
    #[serde(default)]
    pub build: BTreeMap<String, Vec<String>>,
    /// How often; each time the victim is another account.
    #[serde(default = "twice")]
    pub times: usize,
    /// Where the program sits on the wire of an honest session to the live target. The program prints, in hex, the
    /// bytes that go on: in place of one message, or in place of all.
    pub on_the_path: Option<OnThePath>,
    /// Where the program is a peer of the ladder, and is graded as one.
    pub mend: Option<Mend>,
    /// The program sets up the hardened server and starts it, and people use it.
    pub deploy: Option<Deploy>,
    /// The server that it meets.
    #[serde(default)]
    pub target: TargetKind,
    /// The program keeps the target busy, and an honest user tries to log in meanwhile.
    pub jam: Option<Jam>,
    /// The program plays the server, at the free port `{listen}`, and an honest client logs in there.
    pub as_server: Option<AsServer>,
    /// The time limit, in seconds.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u64,
}

/// How long the honest user must be kept out, and the program's budget.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jam {
    /// So long, in seconds.
    pub seconds: u64,
    /// At most so many connections.
    pub connections: u64,
    /// At most so many bytes to the target.
    pub bytes: u64,
}

impl Jam {
    /// How long the honest user must be kept out.
    pub fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// A place in front of the live target.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsServer {
    /// The session of the scene that the honest client has again, with the program.
    pub session: String,
}

/// A place on the wire of an honest session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnThePath {
    /// The session of the scene that runs again, with the live target.
    pub session: String,
    /// The number of the message that the program may change; the first is 1. Without a number the program holds all
    /// messages of the session, and prints, one a line, those that the target gets instead.
    pub message: Option<usize>,
}

/// How a session ends, to the faithful server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionEnd {
    /// By the command `change()`.
    Changed,
    /// By the end of the connection.
    Vanished,
}

/// A peer of the ladder that the program is. It is started as the peers of `latchstring ladder` are: a server with `--port N
/// --dir D`, a client also with `--user NAME` and the texts on its standard input.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mend {
    /// Which rung of the ladder it speaks, 1 to 8.
    pub rung: u8,
    /// Which end of the wire it is.
    pub side: Side,
}

/// A hardened server that the program sets up in `{folder}` with the server program `{server}`. The program starts it at the
/// free port `{listen}`. Its directory is `server`, its log in JSON the file `log`, and an invitation for a person the
/// file `invitations/NAME`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// Who is invited.
    pub people: Vec<String>,
    /// The most connections of one source that are not logged in.
    pub strangers: usize,
}

/// An end of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// It waits for clients.
    Server,
    /// It logs in.
    Client,
}

/// A group of promises that each peer of a rung makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeps {
    /// Honest peers are served.
    Service,
    /// Every attack that this rung or one below has ended fails.
    Defences,
    /// Both.
    All,
}

/// How much of a session's messages a program must read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// The session of the scene, in a hidden capture.
    pub session: String,
    /// How many characters of a hundred must be right.
    pub percent: usize,
}

/// What a program is in a trial.
#[derive(Debug, Clone, Copy)]
pub enum Role<'a> {
    /// It connects to the target, or works on files.
    Attacker,
    /// It sits on the wire of an honest session.
    OnThePath(&'a OnThePath),
    /// It plays the server for an honest client.
    AsServer(&'a AsServer),
    /// It keeps the target busy.
    Jam(&'a Jam),
    /// It is a peer of the ladder.
    Mend(Mend),
    /// It operates the hardened server.
    Deploy(&'a Deploy),
}

impl Trial {
    /// What the program is here.
    ///
    /// # Errors
    /// When the trial gives it more than one role.
    pub fn role(&self) -> anyhow::Result<Role<'_>> {
        let roles = [
            self.on_the_path.as_ref().map(Role::OnThePath),
            self.as_server.as_ref().map(Role::AsServer),
            self.jam.as_ref().map(Role::Jam),
            self.mend.map(Role::Mend),
            self.deploy.as_ref().map(Role::Deploy),
        ];
        let mut roles = roles.into_iter().flatten();
        let (first, second) = (roles.next(), roles.next());
        ensure!(
            second.is_none(),
            "the trial {:?} has more than one of `on-the-path`, `as-server`, `jam`, `mend` and `deploy`: choose one",
            self.id
        );
        Ok(first.unwrap_or(Role::Attacker))
    }

    /// The command that builds the program of this trial in a language; empty when there is nothing to build.
    pub fn build_in<'a>(&'a self, language: &'a Language) -> &'a [String] {
        self.build.get(&language.id).unwrap_or(&language.build)
    }

    /// Whether it runs the lab's program, and not one of its own.
    pub fn runs_the_labs_program(&self) -> bool {
        self.run.is_empty()
    }
}

fn twice() -> usize {
    2
}

fn half_a_minute() -> u64 {
    30
}

/// A condition after every run of a trial.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// Its heading in `EXPLANATION.md`.
    pub id: String,
    /// The condition, for the student.
    pub title: String,
    /// The points.
    pub points: u32,
    /// The trial.
    pub trial: String,
    /// Ground truth: the target itself took the program for this user.
    pub logged_in_as: Option<String>,
    /// Ground truth: the target itself decrypted these words, from that user.
    pub heard: Option<String>,
    /// Ground truth: the target took exactly these messages from that user, in this order.
    #[serde(default)]
    pub heard_exactly: Vec<String>,
    /// Ground truth: the target's record of how that user's session ended.
    pub session_ends: Option<SessionEnd>,
    /// The program must print what the lab's solution prints, no line more and no line less; their order does not count.
    #[serde(default)]
    pub prints_as_solution: bool,
    /// Ground truth: the program must print these lines, no line more and no line less; their order does not count. A fact
    /// may hold several lines.
    pub prints: Option<Vec<String>>,
    /// Ground truth: the program must print the messages that the server took in, one a line, as far as this says.
    pub reads: Option<Reads>,
    /// For a trial with `mend`: these promises of the rung must be kept.
    pub keeps: Option<Keeps>,
    /// Ground truth: for the time that the trial's `jam` says, no honest user was let in, and the budget was kept. When the
    /// program is gone, the target serves that user again.
    #[serde(default)]
    pub jams: bool,
    /// Ground truth: the client that logged in at the program said everything, and had nothing to complain about.
    #[serde(default)]
    pub unnoticed: bool,
    /// The advice after a failure.
    pub next: String,
}

impl Check {
    /// Whether it goes by what the program prints, which is known when the program ends.
    pub fn goes_by_output(&self) -> bool {
        self.prints_as_solution || self.prints.is_some() || self.reads.is_some()
    }

    /// Whether its conditions fit together.
    ///
    /// # Errors
    /// When it compares the output in two ways, or with no line.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        let id = &self.id;
        let ways = [
            self.prints_as_solution,
            self.prints.is_some(),
            self.reads.is_some(),
        ];
        ensure!(
            ways.into_iter().filter(|way| *way).count() < 2,
            "the check {id:?} compares the output in two ways: keep one of `prints`, `prints-as-solution` and `reads`"
        );
        ensure!(
            self.prints.as_ref().is_none_or(|lines| !lines.is_empty()),
            "the check {id:?} wants no line to be printed, and a program that does nothing does that: name a line in `prints`"
        );
        Ok(())
    }
}
