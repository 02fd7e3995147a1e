//! Trials: the student's program against hidden instances, and what the live target makes of it.

mod as_server;
mod deploy;
mod graded;
mod jam;
mod mend;
mod once;
mod place;
mod shown;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context, anyhow};
use latchstring_confine::{
    note::InForce,
    run::{End, Launcher, Ran},
};

pub(crate) use self::shown::NOT_COMPARED;
use self::{graded::Graded, shown::Shown};
use super::{
    answers::Answers,
    catalogue::{Check, Role, Trial},
    command::{build_of, command_of},
    diagnosis::{self, Trouble},
    instance::Instance,
    needs::{self, Lacking},
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
    /// The only trial that is run; all of them when there is none.
    pub only: Option<&'a str>,
    /// Whether peers of the ladder are graded, too. Everybody's are graded with the same keys.
    pub peers: bool,
    /// What this machine lacks, if somebody has looked. A trial that needs it is not run.
    pub lacking: Option<&'a Lacking>,
}

impl Options<'_> {
    /// Whether this trial is run.
    pub(super) fn asks_for(&self, trial: &Trial) -> bool {
        self.only.is_none_or(|only| trial.id == only) && (self.peers || trial.mend.is_none())
    }
}

/// All runs of all trials of a lab.
#[derive(Default)]
pub struct Trials {
    /// By trial. A trial that could not be run says why.
    runs: Vec<(String, anyhow::Result<Outcome>)>,
}

/// What came of a trial.
enum Outcome {
    /// The program ran against hidden instances.
    Shown(Vec<Shown>),
    /// The program was watched from outside. Or it was not built, or has no command.
    Graded(Result<Graded, Trouble>),
}

impl Outcome {
    /// The last run of the program, if there was one.
    fn last(&self) -> Option<&Ran> {
        match self {
            Self::Shown(runs) => runs.last().map(|run| &run.ran),
            Self::Graded(graded) => graded.as_ref().ok().map(|graded| &graded.ran),
        }
    }

    /// The first fault that fails the check, with the run that had it.
    fn trouble(&self, check: &Check) -> anyhow::Result<Option<(Trouble, Option<&Ran>)>> {
        match self {
            Self::Shown(runs) => {
                for run in runs {
                    if let Some(why) = run.trouble(check)? {
                        return Ok(Some((why, Some(&run.ran))));
                    }
                }
                Ok(None)
            }
            Self::Graded(Err(why)) => Ok(Some((why.clone(), None))),
            Self::Graded(Ok(graded)) => {
                Ok(graded.trouble(check).map(|why| (why, Some(&graded.ran))))
            }
        }
    }
}

/// The parts that the runs of a trial need.
struct TrialSetup<'a> {
    student: &'a Student,
    trial: &'a Trial,
    program: &'a Arc<Program>,
    command: Vec<String>,
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
        let asked = |trial: &&Trial| options.asks_for(trial);
        let asked: Vec<&Trial> = student.lab.trials.iter().filter(asked).collect();
        if asked.is_empty() {
            return Ok(trials);
        }
        options.steps.begin("copying and building your program");
        let language = student.language()?;
        let program = Arc::new(Program::of(student)?);
        let mut builds = Builds::default();
        let lab = &student.lab;
        let of_student = needs::Program {
            lab,
            language,
            answers,
        };
        let missing = |trial: &Trial| {
            let lacking = options.lacking?;
            let needs = of_student.needs(trial, true);
            lacking.all(&needs).next().cloned()
        };
        let (asked, without): (Vec<&Trial>, Vec<&Trial>) =
            (asked.into_iter()).partition(|trial| missing(trial).is_none());
        for trial in without {
            let why = missing(trial).map_or_else(String::new, |missing| missing.what);
            let none = Err(anyhow!("the grading machine could not run it: {why}"));
            trials.runs.push((trial.id.clone(), none));
        }
        for trial in &asked {
            let command = build_of(trial, language, answers);
            builds.build(&program, command, options.launcher).await;
        }
        for trial in asked {
            let built = builds.of(build_of(trial, language, answers));
            let command = match built.and_then(|()| command_of(trial, language, answers)) {
                Ok(command) => command,
                Err(trouble) => {
                    let none = Ok(Outcome::Graded(Err(trouble)));
                    trials.runs.push((trial.id.clone(), none));
                    continue;
                }
            };
            let bench = TrialSetup {
                student,
                trial,
                program: &program,
                command,
                checks: (student.lab.checks.iter())
                    .filter(|check| check.trial == trial.id)
                    .collect(),
                steps: options.steps,
                launcher: options.launcher,
            };
            let seed = options.seed.child(&format!("trial {}", trial.id));
            let graded = |graded| Outcome::Graded(Ok(graded));
            let outcome = match trial.role()? {
                Role::Mend(mend) => bench.mend(mend, &seed).await.map(graded),
                Role::Deploy(deploy) => bench.deploy(deploy, &seed).await.map(graded),
                _ => bench.runs(&seed).await.map(Outcome::Shown),
            };
            trials.runs.push((trial.id.clone(), outcome));
        }
        Ok(trials)
    }

    /// Which limits the program had in the last run; `None` when it was not run.
    pub fn limits(&self) -> Option<InForce> {
        let outcomes = self
            .runs
            .iter()
            .filter_map(|(_, outcome)| outcome.as_ref().ok());
        let last = outcomes.filter_map(Outcome::last).next_back();
        last.and_then(|ran| ran.in_force.clone())
    }

    /// Whether a program was stopped, or a server waited for in vain, when its time was up. A busy machine can be the reason.
    pub fn ran_out_of_time(&self) -> bool {
        let outcomes = self
            .runs
            .iter()
            .filter_map(|(_, outcome)| outcome.as_ref().ok());
        outcomes.into_iter().any(|outcome| match outcome {
            Outcome::Shown(runs) => runs.iter().any(|run| is_late(&run.ran)),
            Outcome::Graded(Ok(graded)) => {
                is_late(&graded.ran) || graded.broken.as_ref().is_some_and(|why| why.late)
            }
            Outcome::Graded(Err(_)) => false,
        })
    }

    /// Why there is no verdict on this check: its trial could not be run, which is no fault of the program.
    pub fn untried(&self, check: &Check) -> Option<String> {
        let outcome = self.of(&check.trial)?;
        outcome.as_ref().err().map(|why| format!("{why:#}"))
    }

    fn of(&self, trial: &str) -> Option<&anyhow::Result<Outcome>> {
        let mut all = self.runs.iter();
        all.find(|(id, _)| id == trial).map(|(_, runs)| runs)
    }

    /// A text filled in with the facts of a trial's last run; `None` when there was none.
    ///
    /// # Errors
    /// When the text names a fact that does not exist.
    pub fn fact(&self, trial: &str, text: &str) -> anyhow::Result<Option<String>> {
        let Some(Ok(Outcome::Shown(runs))) = self.of(trial) else {
            return Ok(None);
        };
        runs.last().map(|run| run.facts.fill(text)).transpose()
    }

    /// The reason why a check fails: the fault in the first run that failed it. The program's error is added once for
    /// each trial, as noted in `told`. A check that [`Trials::untried`] names has none.
    ///
    /// # Errors
    /// When the check names a fact that does not exist.
    pub fn trouble(
        &self,
        check: &Check,
        told: &mut BTreeSet<String>,
    ) -> anyhow::Result<Option<Trouble>> {
        let outcome = match self.of(&check.trial) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => return Ok(None),
            None => return Ok(Some(Trouble::wrong("it was not run"))),
        };
        let Some((mut why, ran)) = outcome.trouble(check)? else {
            return Ok(None);
        };
        if told.insert(check.trial.clone()) {
            why.found += &ran.map(diagnosis::last_words).unwrap_or_default();
        }
        Ok(Some(why))
    }
}

/// Whether its time was up.
fn is_late(ran: &Ran) -> bool {
    matches!(ran.end, End::OutOfTime(_))
}

/// The programs that were built, or could not be, by the command.
#[derive(Default)]
struct Builds<'a>(BTreeMap<&'a [String], Result<(), Trouble>>);

impl<'a> Builds<'a> {
    /// Builds what trials have in common once.
    async fn build(&mut self, program: &Program, command: &'a [String], launcher: &Launcher) {
        if !command.is_empty() && !self.0.contains_key(command) {
            let built = program.build(launcher, command).await;
            self.0.insert(command, built);
        }
    }

    fn of(&self, command: &[String]) -> Result<(), Trouble> {
        self.0.get(command).cloned().unwrap_or(Ok(()))
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
