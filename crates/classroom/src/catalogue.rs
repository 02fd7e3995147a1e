//! The definition of a lab: `labs/NN-name/lab.toml`, read strictly.
//!
//! A lab is found by being there (see [`super::labs`]); adding one touches no other file. Texts in braces, such as
//! `{user.1}`, are filled in from the facts of an instance (see [`super::facts`]).

mod question;
mod scene;
mod target;
mod trial;
mod validate;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

pub use self::{
    question::{Answer, Choice, Question},
    scene::{
        Document, EnvelopeFile, Hash, KeyFolder, Protocol, Recording, Scene, StolenStore,
        StoredUser, WeakServer,
    },
    target::{Small, TargetKind},
    trial::{
        AsServer, Check, Deploy, Jam, Keeps, Mend, OnThePath, Reads, Role, SessionEnd, Side, Trial,
    },
};
use super::{files::Files, language::Language, wrong::Wrong};

/// The part of a lab that consists of its answers, beside its trials.
pub const ANSWERS: &str = "answers";

/// One lab.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lab {
    /// The name of its folder.
    pub id: String,
    /// A few words.
    pub title: String,
    /// How long a newcomer needs.
    pub minutes: u32,
    /// For whom it is.
    pub level: String,
    /// Labs to do first.
    #[serde(default)]
    pub prerequisites: Vec<String>,
    /// The abilities of a student afterwards.
    pub objectives: Vec<String>,
    /// The kinds of task in it.
    pub kinds: Vec<Kind>,
    /// The attacks that it is about, by their ids.
    #[serde(default)]
    pub attacks: Vec<String>,
    /// The defences that stop them, by their ids.
    #[serde(default)]
    pub defences: Vec<String>,
    /// The languages of its files, the default first; none when no code is asked for.
    #[serde(default, rename = "language")]
    pub languages: Vec<Language>,
    /// What must not pass.
    #[serde(default, rename = "wrong")]
    pub wrong: Vec<Wrong>,
    /// Run in a student's folder after `solution/` was copied over it, this fills in the answers.
    #[serde(default)]
    pub solve: Vec<String>,
    /// The scene that is made for each student, and for each hidden instance.
    pub scene: Scene,
    /// The questions.
    #[serde(default, rename = "question")]
    pub questions: Vec<Question>,
    /// How the student's program is run.
    #[serde(default, rename = "trial")]
    pub trials: Vec<Trial>,
    /// The checks.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
    /// Help, in stages.
    #[serde(default)]
    pub hints: Vec<String>,
    /// All its files.
    #[serde(skip)]
    pub files: Files,
    /// The sources of the ladder's peers, which all labs share.
    #[serde(skip)]
    pub peers: Files,
}

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Says beforehand what will happen.
    Predict,
    /// Works on a capture.
    Read,
    /// Attacks a live target.
    Break,
    /// Changes a peer until it holds.
    Mend,
}

impl Lab {
    /// Makes a lab of its files, and of the sources of peers that all labs share. `id` is the name of its folder.
    ///
    /// # Errors
    /// With the line and the column when `lab.toml` is not a lab; with the name when its parts do not fit together.
    pub fn read(id: &str, files: Files, peers: Files) -> anyhow::Result<Self> {
        let mut lab: Self = toml::from_str(files.text("lab.toml")?)?;
        (lab.files, lab.peers) = (files, peers);
        lab.validate(id)?;
        Ok(lab)
    }

    /// The number that its id begins with.
    pub fn number(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// Whether it is about this attack or defence.
    pub fn is_about(&self, id: &str) -> bool {
        self.attacks
            .iter()
            .chain(&self.defences)
            .any(|about| about == id)
    }

    /// All the points there are.
    pub fn points(&self) -> u32 {
        let questions = self.questions.iter().map(|question| question.points);
        let checks = self.checks.iter().map(|check| check.points);
        questions.chain(checks).sum()
    }

    /// The points of those of its questions and checks that have passed.
    pub fn points_of(&self, passed: &BTreeSet<String>) -> u32 {
        let questions = self.questions.iter().map(|q| (&q.id, q.points));
        let all = questions.chain(self.checks.iter().map(|c| (&c.id, c.points)));
        all.filter(|(id, _)| passed.contains(*id))
            .map(|(_, points)| points)
            .sum()
    }

    /// The ids of all questions and checks.
    pub fn item_ids(&self) -> impl Iterator<Item = &str> {
        let questions = self.questions.iter().map(|question| question.id.as_str());
        questions.chain(self.checks.iter().map(|check| check.id.as_str()))
    }

    /// The names of the parts that can be checked alone: its answers, and each of its trials.
    pub fn parts(&self) -> Vec<&str> {
        let questions = &self.questions;
        let answers = questions
            .iter()
            .any(|question| question.kind != Answer::Predict);
        let trials = self.trials.iter().map(|trial| trial.id.as_str());
        answers
            .then_some(ANSWERS)
            .into_iter()
            .chain(trials)
            .collect()
    }

    /// The session of the scene whose messages an honest client brings to the student's program.
    pub fn visited(&self) -> Option<&str> {
        let trials = self.trials.iter();
        let mut places = trials.filter_map(|trial| trial.as_server.as_ref());
        places.next().map(|place| place.session.as_str())
    }

    /// `CASE.md`: a real system that made the same mistake. It is told once everything has passed.
    pub fn case(&self) -> Option<&str> {
        self.files.text("CASE.md").ok()
    }

    /// `EXPLANATION.md`, cut at its second-level headings.
    ///
    /// # Errors
    /// When the lab has none.
    pub fn explanation(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let sections = self.files.text("EXPLANATION.md")?.split("\n## ").skip(1);
        Ok(sections
            .map(|section| {
                let (id, body) = section.split_once('\n').unwrap_or((section, ""));
                (id.trim().to_owned(), body.trim().to_owned())
            })
            .collect())
    }
}

#[cfg(test)]
mod tests;
