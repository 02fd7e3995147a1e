//! Grades a peer of unknown make: in any language, on loopback, by what it says on its wire.
//!
//! * [`server`]: honest clients first, then everything that this rung and the rungs below have ended;
//! * [`client`]: honest servers first, then rogue ones and somebody on the path.
//!
//! A finding says what was expected and what was seen. It never says which name, text or seed was tried: those are the
//! grader's, so that no peer is written for them.

pub mod client;
mod dialogue;
mod honest;
mod login;
mod order;
mod quiet;

use std::{fmt, panic::resume_unwind, thread};

use latchstring_attacker::net::loopback::Loopback;
use serde::Serialize;

use self::dialogue::Grader;

use crate::{
    network::Network,
    rung::{Idea, Rung},
    tcp::Tcp,
};

/// What a peer must do or withstand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Promise {
    /// A user logs in, says something and leaves.
    Session,
    /// Many texts in one session.
    ManyTexts,
    /// The shortest and the longest text.
    Lengths,
    /// Names that a careless peer does not take.
    Names,
    /// Bytes that come one by one.
    SlowNetwork,
    /// Five users at a time.
    Together,
    /// A user comes back.
    ComesBack,
    /// A login that is not good is answered.
    Refusal,
    /// This attack fails.
    Withstands(&'static str),
}

/// One promise that a peer broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which one.
    pub promise: Promise,
    /// What an honest peer of this rung does.
    pub expected: String,
    /// What this one did.
    pub saw: String,
}

impl Finding {
    pub(crate) fn new(
        promise: Promise,
        expected: impl Into<String>,
        saw: impl Into<String>,
    ) -> Self {
        Self {
            promise,
            expected: expected.into(),
            saw: saw.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected: {}; saw: {}", self.expected, self.saw)
    }
}

/// Grades a server of rungs 1 to 8 that was started with the files of [`crate::folder::write`]. No finding: it keeps all
/// promises. Takes seconds, on rung 8 up to a minute.
///
/// What cannot be seen on a wire is not graded: whether a server of rung 6 tries private keys, or which keys it holds. Start
/// it with a folder that lacks `client.keys`.
///
/// # Panics
/// When the rung is not spoken.
pub fn server(rung: Rung, address: Loopback, seed: u64) -> Vec<Finding> {
    stages(rung, |groups| {
        thread::scope(|scope| {
            let groups = groups.iter().map(|group| {
                scope.spawn(move || {
                    let network = Tcp::new(address, !rung.has(Idea::Numbers));
                    group.run(rung, &network, seed)
                })
            });
            let running: Vec<_> = groups.collect();
            let found = running.into_iter().map(|group| group.join());
            found
                .flat_map(|found| found.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        })
    })
}

/// The same on any network, one group after the other: in memory it takes no time.
///
/// # Panics
/// As [`server`].
pub fn server_on(rung: Rung, network: &dyn Network, seed: u64) -> Vec<Finding> {
    stages(rung, |groups| {
        let found = groups
            .iter()
            .flat_map(|group| group.run(rung, network, seed));
        found.collect()
    })
}

/// Checks that are made one after the other, with a name that their randomness is drawn by.
struct Group(&'static str, fn(&Grader<'_>) -> Vec<Finding>);

impl Group {
    fn run(&self, rung: Rung, network: &dyn Network, seed: u64) -> Vec<Finding> {
        let Self(name, checks) = self;
        checks(&Grader::new(rung, network, seed, name))
    }
}

/// Runs the stages in order. The groups of one stage do not disturb each other.
fn stages(rung: Rung, run: impl Fn(&[Group]) -> Vec<Finding>) -> Vec<Finding> {
    assert!(rung.is_spoken(), "rung {rung} is latch/2");
    let mut findings = run(&[Group("honest", honest::all)]);
    // A server that serves nobody withstands everything: that is no repair.
    if findings
        .iter()
        .any(|finding| finding.promise == Promise::Session)
    {
        return findings;
    }
    findings.extend(run(&[
        Group("order", order::all),
        Group("login", login::all),
        Group("locked out", login::locked_out),
        Group("idle", quiet::idle),
        Group("guessed", quiet::guessed),
    ]));
    findings.extend(run(&[Group("quiet", quiet::all)]));
    // Whatever was tried, the server must still be there.
    findings.extend(run(&[Group("after", honest::still_serves)]));
    findings
}
