//! Answers that are right for somebody else, and files of somebody else's hand-out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use latchstring_classroom::{
    answers::Answers,
    catalogue::{Answer, Lab, Question},
    commitment::normal,
    instance::Instance,
};
use latchstring_course::roster::Id;
use sha2::{Digest, Sha256};

use super::{Evidence, What};
use crate::{folder::Course, grade::Taken};

/// An answer that more students of a hundred have than this is no evidence.
const COMMON: usize = 20;

/// What is right for one student.
pub(super) struct Truth {
    /// The answers, by question, in their one spelling.
    answers: BTreeMap<String, String>,
    /// The hashes of the personal files, by path.
    files: BTreeMap<String, [u8; 32]>,
}

impl Truth {
    /// Makes the student's instance again.
    pub(super) async fn of(course: &Course, lab: &Lab, student: &Id) -> anyhow::Result<Self> {
        let seed = course.key.seed(&course.owner(student), &lab.id);
        let instance = Instance::make(&lab.scene, &seed).await?;
        let mut answers = BTreeMap::new();
        for question in asked(lab) {
            let answer = instance.facts.fill(&question.answer)?;
            answers.insert(question.id.clone(), normal(question.kind, &answer));
        }
        let folder = tempfile::tempdir()?;
        instance.write(folder.path())?;
        let mut files = BTreeMap::new();
        for path in instance.paths() {
            let bytes = fs::read(folder.path().join(path))?;
            files.insert(path.display().to_string(), Sha256::digest(bytes).into());
        }
        Ok(Self { answers, files })
    }
}

/// The questions whose answers differ from student to student.
fn asked(lab: &Lab) -> impl Iterator<Item = &Question> {
    let questions = lab.questions.iter();
    questions.filter(|question| question.kind != Answer::Predict && question.answer.contains('{'))
}

/// Holds what was handed in against what is right for the others.
pub(super) fn compare(
    lab: &Lab,
    taken: &[(&Id, &Taken)],
    truths: &BTreeMap<&Id, Truth>,
) -> Vec<Evidence> {
    let mut all = Vec::new();
    for (id, taken) in taken {
        let Some(own) = truths.get(*id) else {
            continue;
        };
        let found = |other: &Id, what| Evidence {
            lab: lab.id.clone(),
            students: vec![(*id).clone(), other.clone()],
            what,
        };
        for (path, bytes) in &taken.bundle.files {
            let hash: [u8; 32] = Sha256::digest(bytes).into();
            if own.files.values().any(|known| *known == hash) {
                continue;
            }
            let owner = truths
                .iter()
                .find(|(_, truth)| truth.files.values().any(|known| *known == hash));
            all.extend(owner.map(|(other, _)| found(other, What::File { path: path.clone() })));
        }
        // A sheet that cannot be read has no answers. The grader has said so.
        let sheet = taken.bundle.files.get(latchstring_classroom::answers::FILE);
        let sheet = sheet.and_then(|bytes| Answers::of_bytes(bytes, lab).ok());
        let sheet = sheet.unwrap_or_default();
        for question in asked(lab) {
            let given = sheet.to(question);
            let spelt = normal(question.kind, given);
            let right = |truth: &Truth| truth.answers.get(&question.id) == Some(&spelt);
            if given.is_empty() || right(own) {
                continue;
            }
            let owners: BTreeSet<&Id> = (truths.iter())
                .filter(|(_, truth)| right(truth))
                .map(|(other, _)| *other)
                .collect();
            if owners.len() * 100 > truths.len() * COMMON && owners.len() > 1 {
                continue;
            }
            all.extend(owners.iter().map(|other| {
                let what = What::Answer {
                    question: question.id.clone(),
                    answer: given.to_owned(),
                    right_for: owners.len(),
                    of: truths.len(),
                };
                found(other, what)
            }));
        }
    }
    all
}
