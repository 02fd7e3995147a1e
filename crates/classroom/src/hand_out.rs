//! What a student of a course is handed instead of a seed.
//!
//! In practice a student's folder holds the seed of everything personal, and answers can be computed from it. In a course the
//! seed stays with the instructor. The student gets texts, captures and keys that were made from it, and a [`HandOut`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    catalogue::{Answer, Lab, Question},
    facts::Facts,
    seed::Seed,
    stage::Script,
};

/// An answer of fewer bits is in no hand-out, not even as a hash: whoever can try all of them finds it. Such an answer is
/// compared when it is handed in.
const ENOUGH_BITS: usize = 60;

/// Who is handed what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HandOut {
    /// The course, the term and the student.
    pub owner: Owner,
    /// The version of the program that made it.
    pub version: String,
    /// The order of options in predictions.
    pub(super) order: Seed,
    /// The questions as this student reads them, by their ids.
    pub(super) asked: BTreeMap<String, Asked>,
    /// What a target and a visitor are made from.
    pub(super) script: Script,
    /// The key that seals what the student hands in.
    pub(super) seal: Seed,
}

/// Whose a hand-out is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The name of the course.
    pub course: String,
    /// The term.
    pub term: String,
    /// The student's id in the roster.
    pub student: String,
}

/// A question, filled in for one student.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The question.
    pub text: String,
    /// The options of a prediction, in the order of the lab.
    pub options: Vec<String>,
}

impl Asked {
    /// All questions of a lab, filled in with these facts.
    ///
    /// # Errors
    /// When a text names a fact that does not exist.
    pub fn all(lab: &Lab, facts: &Facts) -> anyhow::Result<BTreeMap<String, Self>> {
        let mut all = BTreeMap::new();
        for question in &lab.questions {
            let options = question
                .options
                .iter()
                .map(|choice| facts.fill(&choice.text));
            let asked = Self {
                text: facts.fill(&question.text)?,
                options: options.collect::<anyhow::Result<_>>()?,
            };
            all.insert(question.id.clone(), asked);
        }
        Ok(all)
    }
}

impl HandOut {
    /// The hand-out of an instance, whose facts these are.
    ///
    /// # Errors
    /// As [`Asked::all`] and [`Script::of`].
    pub fn of(owner: Owner, lab: &Lab, facts: &Facts, seed: &Seed) -> anyhow::Result<Self> {
        Ok(Self {
            owner,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            order: order(seed),
            asked: Asked::all(lab, facts)?,
            script: Script::of(lab, seed)?.in_order_of_names(),
            seal: Self::seal_of(seed),
        })
    }

    /// The key that seals what is handed in.
    pub(super) fn seal_of(seed: &Seed) -> Seed {
        seed.child("seal of what is handed in")
    }
}

/// The order of options in predictions comes from this seed.
pub(super) fn order(seed: &Seed) -> Seed {
    seed.child("order of options")
}

/// Whether a hash of this answer may be handed out: the answer is random bytes of a recorded session, and long.
pub(super) fn is_long(question: &Question, answer: &str) -> bool {
    let digits = answer.bytes().filter(u8::is_ascii_hexdigit).count();
    question.kind == Answer::Hex && question.answer.starts_with('{') && digits * 4 >= ENOUGH_BITS
}
