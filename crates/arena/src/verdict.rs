//! How an attack ended, and the arena's statement of why.

use std::fmt;

use serde::Serialize;

/// How an attack ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The attack did what it set out to do.
    Broke,
    /// It did not, and nothing else went wrong.
    Held,
    /// The run does not show one or the other. In a matrix this is a failure of the lab.
    Inconclusive,
    /// There is nothing there to attack; nothing was run.
    #[serde(rename = "n/a")]
    DoesNotApply,
}

impl Outcome {
    /// All of them, for legends.
    pub const ALL: [Self; 4] = [
        Self::Broke,
        Self::Held,
        Self::DoesNotApply,
        Self::Inconclusive,
    ];

    /// One character for small places.
    pub fn letter(self) -> char {
        match self {
            Self::Broke => 'B',
            Self::Held => '·',
            Self::DoesNotApply => '-',
            Self::Inconclusive => '?',
        }
    }

    /// What it means, for legends.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Broke => "the attack did what it set out to do",
            Self::Held => "it did not, and nothing else went wrong",
            Self::DoesNotApply => "this protocol lacks what the attack is about",
            Self::Inconclusive => "the run shows neither: a failure of the lab",
        }
    }

    /// The name of its style in a sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Held => "held",
            Self::DoesNotApply => "na",
            Self::Inconclusive => "unclear",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Broke => "Broke",
            Self::Held => "Held",
            Self::Inconclusive => "Inconclusive",
            Self::DoesNotApply => "n/a",
        })
    }
}

/// An outcome with the arena's statement of why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which of the three.
    pub outcome: Outcome,
    /// What happened, or what did not.
    pub statement: String,
}

impl Verdict {
    /// This outcome, and why.
    pub fn new(outcome: Outcome, statement: impl Into<String>) -> Self {
        Self {
            outcome,
            statement: statement.into(),
        }
    }
}
