//! A bundle on the grader's table. The instance is made again from the course's seed, and the student's files are put on top.
//! Then each statement of the bundle about itself is held against both.
//!
//! A finding is evidence to look at. The grade comes from the check, which believes the files of the program and the answers
//! alone. So a false statement gains nothing, and an unjust suspicion costs nothing.

mod finding;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;

pub use self::finding::{Finding, Kind};
use super::{
    bundle::{Bundle, hand_out_hash},
    check::Report,
    hand_out::Owner,
    journal::Journal,
    seed::Seed,
    state::State,
    student::Student,
};
use crate::catalogue::Lab;

/// One bundle, ready to be checked.
pub struct Replay {
    /// The student's files, with the grader's state. The captures and keys are those that were handed out.
    pub student: Student,
    /// The journal, as far as it holds together.
    pub journal: Journal,
    /// The state as it was handed out.
    handed_out: State,
    /// The personal files as they were handed out.
    personal: BTreeMap<String, Vec<u8>>,
}

impl Replay {
    /// Lays a bundle out in an empty folder. `owner` is the student for whom it is graded.
    ///
    /// # Errors
    /// When the instance cannot be made, or a file cannot be written.
    pub async fn of(
        lab: Lab,
        bundle: &Bundle,
        owner: Owner,
        seed: &Seed,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let by = &bundle.manifest.handed_out_by;
        let (mut student, instance, handed_out) =
            Student::handed_in(lab, folder, seed, owner, by).await?;
        student.state.predictions = bundle.manifest.predictions.clone();
        // A language that the lab does not have is the student's slip or worse; the check says what it misses.
        let language = bundle.manifest.language.as_deref();
        student.state.language = student
            .lab
            .language(language)
            .ok()
            .flatten()
            .map(|language| language.id.clone());
        let written = || format!("cannot write below {}", folder.display());
        bundle.unpack(folder).with_context(written)?;
        instance.write(folder)?;
        let mut personal = BTreeMap::new();
        for path in instance.paths() {
            let bytes = fs::read(folder.join(path)).with_context(written)?;
            personal.insert(path.display().to_string(), bytes);
        }
        student.save()?;
        let journal = match handed_out.hand_out() {
            Some(hand_out) => Journal::read(&bundle.journal, hand_out),
            None => Journal::default(),
        };
        Ok(Self {
            student,
            journal,
            handed_out,
            personal,
        })
    }

    /// Whether the bundle was sealed with the hand-out of this student.
    pub fn is_sealed(&self, bundle: &Bundle) -> bool {
        let hand_out = self.handed_out.hand_out();
        hand_out.is_some_and(|hand_out| bundle.is_sealed_with(hand_out))
    }

    /// What does not follow from the rest, before anything is run.
    pub fn findings(&self, bundle: &Bundle) -> Vec<Finding> {
        let manifest = &bundle.manifest;
        if manifest.handed_out_by != env!("CARGO_PKG_VERSION") {
            // Texts and captures may be others there, so a difference would show nothing.
            return vec![Finding::OtherVersion(manifest.handed_out_by.clone())];
        }
        let mut found = Vec::new();
        if !self.is_sealed(bundle) {
            found.push(Finding::NotSealed);
        }
        let changed = bundle.changed().into_iter();
        found.extend(changed.map(|path| Finding::Changed(path.to_owned())));
        if manifest.hand_out != hand_out_hash(&self.handed_out) {
            found.push(Finding::State);
        }
        for (path, handed_out) in &self.personal {
            let there = bundle.files.get(path).map(Vec::as_slice);
            found.extend(finding::of_file(path, handed_out, there));
        }
        found.extend(self.of_journal(bundle));
        found
    }

    fn of_journal(&self, bundle: &Bundle) -> Vec<Finding> {
        let (journal, manifest) = (&self.journal, &bundle.manifest);
        if let Some(line) = journal.broken {
            return vec![Finding::Journal(line)];
        }
        let mut found = Vec::new();
        found.extend(journal.took_solution().then_some(Finding::Solution));
        let last = journal.entries.last();
        if journal.runs_backwards() || last.is_some_and(|last| last.at > manifest.made) {
            found.push(Finding::Clock);
        }
        for item in &manifest.passed {
            // A prediction passes in the state file once its outcome is known.
            let predicted = manifest.predictions.contains_key(item);
            if !predicted && !journal.saw_pass(item) {
                found.push(Finding::NeverPassed(item.clone()));
            }
        }
        for (question, letter) in &manifest.predictions {
            let first = journal.prediction(question);
            if first.map(String::from).as_ref() != Some(letter) {
                found.push(Finding::Prediction(question.clone()));
            }
        }
        found
    }

    /// What the journal says of these files, and the check does not find.
    pub fn claims(&self, bundle: &Bundle, report: &Report) -> Vec<Finding> {
        let hash = bundle.manifest.files_hash();
        let claimed = self.journal.last_check_of(&hash).unwrap_or_default();
        let fails = |id: &&String| {
            let mut items = report.items.iter();
            items.any(|item| item.id == **id && !item.passed && !item.not_graded)
        };
        let claimed = claimed.iter().filter(fails);
        claimed.map(|id| Finding::FailsHere(id.clone())).collect()
    }
}
