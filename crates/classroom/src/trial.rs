//! Trials: the student's program against hidden instances, and what the live target makes of it.

mod once;
mod shown;

use std::collections::BTreeSet;

use anyhow::Context;
use latchstring_confine::{note::InForce, run::Launcher};

use self::shown::Shown;
use super::{
    answers::Answers,
    catalogue::{Check, Trial},
    diagnosis::{self, Trouble},
    instance::Instance,
    program::Program,
    progress::Steps,
    seed::Seed,
    student::Student,
};

/// How many instances are drawn to find victims that differ.
const MAX_DRAWS: u32 = 64;

/// How a check is run.
pub struct Options<'a> {
    /// Where the hidden instances come from.
    pub seed: &'a Seed,
    /// Whether what passes is remembered. When the student has chosen the seed, the hidden instances are not hidden.
    pub counts: bool,
    /// Hears of what is being done.
    pub steps: &'a dyn Steps,
    /// Starts programs within limits.
    pub launcher: &'a Launcher,
}

/// All runs of all trials of a lab.
#[derive(Default)]
pub struct Trials {
    /// By trial. A trial that could not be run says why.
    runs: Vec<(String, anyhow::Result<Vec<Shown>>)>,
    /// Why the program could not be built.
    not_built: Option<Trouble>,
}

/// The parts that the runs of a trial need.
struct TrialSetup<'a> {
    student: &'a Student,
    trial: &'a Trial,
    program: &'a Program,
    checks: Vec<&'a Check>,
    steps: &'a dyn Steps,
    launcher: &'a Launcher,
}

impl Trials {
    /// Runs them, one after the other, and says so.
    ///
    /// # Errors
    /// When the student's folder cannot be copied.
    pub async fn run(
        student: &Student,
        answers: &Answers,
        options: &Options<'_>,
    ) -> anyhow::Result<Self> {
        let mut trials = Self::default();
        if student.lab.trials.is_empty() {
            return Ok(trials);
        }
        options.steps.begin("copying and building your program");
        let program = match Program::of(student, answers, options.launcher).await? {
            Ok(program) => program,
            Err(trouble) => {
                trials.not_built = Some(trouble);
                return Ok(trials);
            }
        };
        for trial in &student.lab.trials {
            let bench = TrialSetup {
                student,
                trial,
                program: &program,
                checks: (student.lab.checks.iter())
                    .filter(|check| check.trial == trial.id)
                    .collect(),
                steps: options.steps,
                launcher: options.launcher,
            };
            let runs = bench
                .runs(&options.seed.child(&format!("trial {}", trial.id)))
                .await;
            trials.runs.push((trial.id.clone(), runs));
        }
        Ok(trials)
    }

    /// Which limits the program had in the last run; `None` when it was not run.
    pub fn limits(&self) -> Option<InForce> {
        let runs = self.runs.iter().filter_map(|(_, runs)| runs.as_ref().ok());
        let last = runs.flatten().last();
        last.and_then(|run| run.ran.in_force.clone())
    }

    fn of(&self, trial: &str) -> Option<&anyhow::Result<Vec<Shown>>> {
        let mut all = self.runs.iter();
        all.find(|(id, _)| id == trial).map(|(_, runs)| runs)
    }

    /// A text filled in with the facts of a trial's last run; `None` when there was none.
    ///
    /// # Errors
    /// When the text names a fact that does not exist.
    pub fn fact(&self, trial: &str, text: &str) -> anyhow::Result<Option<String>> {
        let last = self.of(trial).and_then(|runs| runs.as_ref().ok()?.last());
        last.map(|run| run.facts.fill(text)).transpose()
    }

    /// The reason why a check fails: the fault in the first run that failed it. The program's error is added once for
    /// each trial, as noted in `told`.
    ///
    /// # Errors
    /// When the check names a fact that does not exist.
    pub fn trouble(
        &self,
        check: &Check,
        told: &mut BTreeSet<String>,
    ) -> anyhow::Result<Option<Trouble>> {
        if let Some(trouble) = &self.not_built {
            return Ok(Some(trouble.clone()));
        }
        let runs = match self.of(&check.trial) {
            Some(Ok(runs)) => runs,
            Some(Err(why)) => return Ok(Some(Trouble::wrong(format!("{why:#}")))),
            None => return Ok(Some(Trouble::wrong("it was not run"))),
        };
        for run in runs {
            if let Some(mut why) = run.trouble(check)? {
                if told.insert(check.trial.clone()) {
                    why.found += &diagnosis::last_words(&run.ran);
                }
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

impl TrialSetup<'_> {
    /// Runs the program as often as the trial says, each time against another hidden instance and another victim. When
    /// no check can pass any more, the other runs are left out.
    async fn runs(&self, seed: &Seed) -> anyhow::Result<Vec<Shown>> {
        let mut victims = BTreeSet::new();
        let mut runs: Vec<Shown> = Vec::new();
        let mut seeds = (0..MAX_DRAWS).map(|n| seed.child(&format!("instance {n}")));
        let mut begun = None;
        while runs.len() < self.trial.times {
            let seed = seeds
                .next()
                .context("the scene's accounts have too few different names for its trials")?;
            let round = runs.len();
            // Several may have to be drawn, and it is said once.
            if begun.replace(round) != Some(round) {
                let of = format!("{} of {}", round + 1, self.trial.times);
                self.steps
                    .begin(&format!("making a target that you have not seen, {of}"));
            }
            let instance = Instance::make(&self.student.lab.scene, &seed).await?;
            let users = instance.accounts.users();
            let victim = users
                .get(round % users.len().max(1))
                .map(ToString::to_string);
            // A program that has a name written into it must not pass twice.
            if victim.is_some_and(|victim| !victims.insert(victim)) {
                continue;
            }
            runs.push(self.once(instance, round, &seed).await?);
            let run = &runs[round];
            let troubles = self.checks.iter().map(|check| run.trouble(check));
            let troubles = troubles.collect::<anyhow::Result<Vec<_>>>()?;
            if troubles.iter().all(Option::is_some) {
                break;
            }
        }
        Ok(runs)
    }
}
