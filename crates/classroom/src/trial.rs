//! Trials: the student's program against hidden instances, and what the live target makes of it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use latchstring_faithful::server::REPLY_PAUSE;
use tempfile::TempDir;

use super::{
    answers::Answers,
    catalogue::{Check, Lab, Trial},
    diagnosis::{self, Started, Trouble},
    facts::Facts,
    instance::Instance,
    program::{self, End, Ran},
    progress::Steps,
    seed::Seed,
    student::Student,
    target::{Target, Visit},
};

/// How many instances are drawn to find victims that differ.
const MAX_DRAWS: u32 = 64;
/// After a refusal the program may try once more; after so long it is not expected to.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);
/// How long the lab's own solution may take.
const FOR_SOLUTION: Duration = Duration::from_secs(30);

/// One run of the program, with what the target saw.
struct Shown {
    facts: Facts,
    ran: Ran,
    visits: Vec<Visit>,
    /// The obstacle that kept the program from its work.
    broken: Option<Trouble>,
    /// The output of the lab's solution, if a check compares with it.
    wanted: Option<String>,
}

/// All runs of all trials of a lab. A trial that could not be run says why.
pub struct Trials(Vec<(String, anyhow::Result<Vec<Shown>>)>);

/// The parts that the runs of a trial need.
struct TrialSetup<'a> {
    student: &'a Student,
    trial: &'a Trial,
    command: &'a [String],
    checks: Vec<&'a Check>,
    steps: &'a dyn Steps,
}

impl Trials {
    /// Runs them, one after the other, and says so. Hidden instances come from `seed`.
    pub async fn run(student: &Student, answers: &Answers, seed: &Seed, steps: &dyn Steps) -> Self {
        let mut trials = Vec::new();
        for trial in &student.lab.trials {
            let bench = TrialSetup {
                student,
                trial,
                command: answers.run.as_ref().unwrap_or(&trial.run),
                checks: (student.lab.checks.iter())
                    .filter(|check| check.trial == trial.id)
                    .collect(),
                steps,
            };
            let runs = bench
                .runs(&seed.child(&format!("trial {}", trial.id)))
                .await;
            trials.push((trial.id.clone(), runs));
        }
        Self(trials)
    }

    fn of(&self, trial: &str) -> Option<&anyhow::Result<Vec<Shown>>> {
        let mut all = self.0.iter();
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

    async fn once(&self, instance: Instance, round: usize, seed: &Seed) -> anyhow::Result<Shown> {
        let lab = &self.student.lab;
        let files = tempfile::tempdir()?;
        instance.write(files.path())?;
        let mut facts = instance.facts.clone();
        for (id, file) in instance.capture_files(&lab.scene) {
            facts.set(format!("{id}.file"), files.path().join(file).display());
        }
        let target =
            Target::start(&instance.accounts, seed.stream("live target"), REPLY_PAUSE).await?;
        facts.set("host", target.at().address().ip());
        facts.set("port", target.at().address().port());
        let users = instance.accounts.users();
        if let Some(victim) = users.get(round % users.len().max(1)) {
            let path = files.path().join("victim.pub");
            std::fs::write(&path, instance.accounts.public_pem(victim)? + "\n")?;
            facts.set("victim", victim);
            facts.set("victim.public-key", path.display());
        }
        let args = facts.fill_all(&self.trial.args)?;
        let within = Duration::from_secs(self.trial.timeout_seconds);
        self.steps.begin(&format!(
            "running {} on target {} of {}, for at most {} seconds",
            self.command.join(" "),
            round + 1,
            self.trial.times,
            within.as_secs()
        ));
        let decided = self.decided(&target, &facts);
        let ran = program::run(self.command, &args, &self.student.folder, within, decided).await;
        self.steps.begin("looking at what the target has seen");
        let visits = target.finish().await;
        facts.set("login", login(&visits));
        let started = Started {
            command: self.command,
            folder: &self.student.folder,
        };
        let broken = started.trouble(&ran);
        let compared = self.checks.iter().any(|check| check.prints_as_solution);
        // The solution comes last, and into a folder of its own: the student's program is over by then.
        let wanted = match compared && broken.is_none() {
            true => Some(solution(lab, self.trial, &args).await?),
            false => None,
        };
        Ok(Shown {
            facts,
            ran,
            visits,
            broken,
            wanted,
        })
    }

    /// Ends when nothing more can change the verdict on the live target. That is so if all required events were seen,
    /// or if the login was refused and the program does not connect again.
    async fn decided(&self, target: &Target, facts: &Facts) {
        if self.checks.iter().any(|check| check.prints_as_solution) {
            // What a program prints is known when it ends.
            return std::future::pending().await;
        }
        let met = |visits: &[Visit]| {
            let trouble = |check: &&Check| on_target(check, facts, visits, None);
            self.checks
                .iter()
                .map(trouble)
                .all(|trouble| matches!(trouble, Ok(None)))
        };
        let gone = |visits: &[Visit]| {
            visits.iter().all(|visit| visit.ended)
                && visits.iter().any(|visit| visit.refused.is_some())
        };
        loop {
            target.when(|visits| met(visits) || gone(visits)).await;
            if met(&target.visits()) {
                return;
            }
            let (came, since) = (target.visits().len(), Instant::now());
            target
                .when(|visits| visits.len() > came || since.elapsed() > AFTER_REFUSAL)
                .await;
            if target.visits().len() == came {
                return;
            }
        }
    }
}

/// The result of the login, as a word for predictions.
fn login(visits: &[Visit]) -> &'static str {
    if visits.iter().any(|visit| visit.user.is_some()) {
        "accepted"
    } else if visits.iter().any(|visit| visit.refused.is_some()) {
        "refused"
    } else {
        "none"
    }
}

/// The output of the lab's solution for these arguments.
async fn solution(lab: &Lab, trial: &Trial, args: &[String]) -> anyhow::Result<String> {
    let folder: TempDir = tempfile::tempdir()?;
    for part in ["start", "solution"] {
        lab.files.lay_out(part, folder.path())?;
    }
    let never = std::future::pending();
    let ran = program::run(&trial.run, args, folder.path(), FOR_SOLUTION, never).await;
    let command = trial.run.join(" ");
    ensure!(
        ran.end == End::Well,
        "your output is compared with that of the lab's own solution, and `{command}` did not run ({:?}): install {} and check again",
        ran.end,
        trial.run.first().map_or("", String::as_str)
    );
    Ok(ran.stdout)
}

impl Shown {
    fn trouble(&self, check: &Check) -> anyhow::Result<Option<Trouble>> {
        let gave_up = || diagnosis::gave_up(&self.ran).filter(|_| self.visits.is_empty());
        let program = self.broken.clone().or_else(gave_up);
        let on_target = on_target(check, &self.facts, &self.visits, program.as_ref())?;
        if on_target.is_some() || !check.prints_as_solution {
            return Ok(on_target);
        }
        if let Some(broken) = &self.broken {
            return Ok(Some(broken.clone()));
        }
        Ok(match &self.wanted {
            Some(wanted) => diagnosis::other_lines(&self.ran, wanted),
            None => Some(Trouble::wrong("the output was not compared")),
        })
    }
}

/// The events that a check requires and the target's record lacks.
fn on_target(
    check: &Check,
    facts: &Facts,
    visits: &[Visit],
    broken: Option<&Trouble>,
) -> anyhow::Result<Option<Trouble>> {
    let fill = |text: &Option<String>| text.as_ref().map(|text| facts.fill(text)).transpose();
    let user = fill(&check.logged_in_as)?;
    if let Some(user) = &user {
        let trouble = diagnosis::not_logged_in(user, visits, broken.cloned());
        if let Some(mut trouble) = trouble {
            // The lab's advice for this check is about the words.
            if check.heard.is_some() && trouble.next.is_none() {
                trouble.next = Some("first the server must take your login".to_owned());
            }
            return Ok(Some(trouble));
        }
    }
    let words = fill(&check.heard)?;
    Ok(words
        .and_then(|words| diagnosis::not_heard(&words, user.as_deref(), visits, broken.cloned())))
}
