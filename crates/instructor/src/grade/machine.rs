//! What the submissions at hand need, and what of it this machine lacks.

use std::collections::{BTreeMap, BTreeSet};

use latchstring_classroom::{
    answers::{self, Answers},
    catalogue::Lab,
    needs::{Lacking, Missing, Need, Program},
};
use latchstring_course::roster::Id;
use tokio::runtime::Builder;

use super::{Pile, Plan, Taken};

/// A submission: the student and the lab.
type Key = (Id, String);

/// What a machine lacks for the submissions at hand.
#[derive(Debug, Default)]
pub struct Machine {
    /// All of it, for a check.
    pub lacking: Lacking,
    /// Each thing that is missing, and the submissions that need it.
    pub missing: BTreeMap<Missing, BTreeSet<Key>>,
}

impl Machine {
    /// Whether some part of this submission cannot be graded here.
    pub fn fails(&self, key: &Key) -> bool {
        self.missing.values().any(|keys| keys.contains(key))
    }
}

impl Plan<'_> {
    /// Tries once what the submissions need.
    ///
    /// # Errors
    /// When nothing can be tried, such as on a full disk.
    pub fn machine(&self, pile: &Pile) -> anyhow::Result<Machine> {
        let mut needs: Vec<(&Key, BTreeSet<Need>)> = Vec::new();
        for (key, taken) in self.work(pile) {
            if let Some(lab) = self.labs.iter().find(|lab| lab.id == key.1) {
                let of_trials = needs_of(lab, taken).into_iter();
                needs.extend(of_trials.map(|needs| (key, needs)));
            }
        }
        let all: BTreeSet<Need> = needs.iter().flat_map(|(_, needs)| needs.clone()).collect();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let lacking = runtime.block_on(Lacking::of(&all, &self.labs, self.launcher))?;
        let mut missing: BTreeMap<Missing, BTreeSet<Key>> = BTreeMap::new();
        for (key, needs) in needs {
            for one in lacking.all(&needs) {
                let keys = missing.entry(one.clone()).or_default();
                keys.insert(key.clone());
            }
        }
        Ok(Machine { lacking, missing })
    }
}

/// The needs of each trial of a submission. A sheet that cannot be read names no command.
fn needs_of(lab: &Lab, taken: &Taken) -> Vec<BTreeSet<Need>> {
    let manifest = &taken.bundle.manifest;
    let sheet = taken.bundle.files.get(answers::FILE);
    let sheet = sheet.and_then(|bytes| Answers::of_bytes(bytes, lab).ok());
    let language = lab.language(manifest.language.as_deref());
    let program = Program {
        lab,
        language: language.ok().flatten().or(lab.languages.first()),
        answers: &sheet.unwrap_or_default(),
    };
    let claimed = |trial: &str| {
        let mut checks = lab.checks.iter();
        checks.any(|check| check.trial == trial && manifest.passed.contains(&check.id))
    };
    let trials = lab.trials.iter();
    trials
        .map(|trial| program.needs(trial, claimed(&trial.id)))
        .collect()
}
