//! Questions, and how their answers are compared.

use anyhow::bail;
use serde::Deserialize;

/// Something to answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Question {
    /// Its key in `answers.toml`, and its heading in `EXPLANATION.md`.
    pub id: String,
    /// How the answer is compared.
    pub kind: Answer,
    /// The question.
    pub text: String,
    /// The right answer.
    pub answer: String,
    /// For a prediction: the options. Each student sees them in another order.
    #[serde(default)]
    pub options: Vec<Choice>,
    /// For a prediction that only the student's program decides: the trial whose facts hold `answer`.
    pub trial: Option<String>,
    /// For a prediction: the check that must have passed before the result is shown.
    pub after: Option<String>,
    /// The points. A prediction earns them by being made, not by being right.
    pub points: u32,
}

/// How an answer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// A choice, made beforehand.
    Predict,
    /// Decimal digits.
    Number,
    /// Bytes in hex; case, spaces, colons and a leading `0x` do not count.
    Hex,
    /// Words; letters of both cases are equal, and quotes around them, a full stop at the end and more blanks do not count.
    Text,
    /// Characters, less space around them: a password, or another text in which every character counts.
    Secret,
}

/// One option of a prediction.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The text for the student.
    pub text: String,
    /// The value of `answer` for this outcome.
    pub value: String,
}

impl Question {
    /// The parts fit the kind.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let choices = self.options.len();
        match self.kind {
            Answer::Predict if !(2..=26).contains(&choices) => {
                bail!("{:?} needs two options or more", self.id)
            }
            Answer::Predict => Ok(()),
            _ if choices > 0 => bail!("{:?} has options, and only a prediction has", self.id),
            _ if self.trial.is_some() => {
                bail!("{:?} waits for a trial, and only a prediction can", self.id)
            }
            _ => Ok(()),
        }
    }
}
