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

use std::fmt;

use latchstring_attacker::net::loopback::Loopback;
use serde::Serialize;

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
    server_on(rung, &Tcp::new(address, !rung.has(Idea::Numbers)), seed)
}

/// The same on any network: in memory it takes no time.
///
/// # Panics
/// As [`server`].
pub fn server_on(rung: Rung, network: &dyn Network, seed: u64) -> Vec<Finding> {
    assert!(rung.is_spoken(), "rung {rung} is latch/2");
    let grader = dialogue::Grader::new(rung, network, seed);
    let mut findings = honest::all(&grader);
    // A server that serves nobody withstands everything: that is no repair.
    if findings
        .iter()
        .any(|finding| finding.promise == Promise::Session)
    {
        return findings;
    }
    findings.extend(order::all(&grader));
    findings.extend(login::all(&grader));
    if rung.has(Idea::Quiet) {
        findings.extend(quiet::all(&grader));
    }
    // Whatever was tried, the server must still be there.
    findings.extend(honest::still_serves(&grader));
    findings
}
