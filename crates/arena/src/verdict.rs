//! The outcome of an attack, and the arena's reason for it.

use std::fmt;

use serde::Serialize;

/// How an attack ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The attack reached its goal.
    Broke,
    /// The attack missed its goal, and nothing else went wrong.
    Held,
    /// The run shows neither. In a matrix this is a failure of the lab.
    Inconclusive,
    /// The attack does not apply to this protocol; nothing was run.
    #[serde(rename = "n/a")]
    DoesNotApply,
}

impl Outcome {
    /// All outcomes, for legends.
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

    /// The meaning of the outcome, for legends.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Broke => "the attack reached its goal",
            Self::Held => "the attack missed its goal; nothing else failed",
            Self::DoesNotApply => "the attack does not apply to this protocol",
            Self::Inconclusive => "the run shows neither: a failure of the lab",
        }
    }

    /// The name of the outcome's style in a style sheet.
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

/// An outcome with the arena's reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason, in words.
    pub statement: String,
}

impl Verdict {
    /// An outcome and the reason for it.
    pub fn new(outcome: Outcome, statement: impl Into<String>) -> Self {
        Self {
            outcome,
            statement: statement.into(),
        }
    }
}
