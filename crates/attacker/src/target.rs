//! Whom an attack is up against.

use std::fmt;

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
