//! Trials: the student's program against hidden instances, and what the live target makes of it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use latchstring_confine::{
    note::InForce,
    run::{End, Launcher, Ran},
};
use latchstring_faithful::server::REPLY_PAUSE;

use super::{
    answers::Answers,
    catalogue::{Check, OnThePath, Trial},
    diagnosis::{self, Started, Trouble},
    facts::Facts,
    instance::Instance,
    program::{Program, Reach},
    progress::Steps,
    seed::Seed,
    student::Student,
    target::{Target, Visit},
    wire::{Path, printed_bytes},
};

/// How many instances are drawn to find victims that differ.
const MAX_DRAWS: u32 = 64;
/// After a refusal the program may try once more; after so long it is not expected to.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);
/// How long the lab's own solution may take.
const FOR_SOLUTION: Duration = Duration::from_secs(30);

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

/// One run of the program, with what the target saw.
struct Shown {
    facts: Facts,
    ran: Ran,
    visits: Vec<Visit>,
    /// The obstacle that kept the program from its work.
    broken: Option<Trouble>,
    /// The output of the lab's solution, if a check compares with it.
    wanted: Option<String>,
    /// Whether the program sat on the wire of an honest session.
    on_the_path: bool,
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
        let within = Duration::from_secs(self.trial.timeout_seconds);
        self.steps.begin(&format!(
            "running {} on target {} of {}, for at most {} seconds",
            self.program.command.join(" "),
            round + 1,
            self.trial.times,
            within.as_secs()
        ));
        let reach = Reach {
            readable: vec![files.path().to_owned()],
            ports: vec![target.at().address().port()],
        };
        let ran = match &self.trial.on_the_path {
            None => {
                let args = facts.fill_all(&self.trial.args)?;
                let decided = self.decided(&target, &facts);
                let program = self.program;
                let run = program.run(self.launcher, &args, reach.clone(), within, decided);
                run.await
            }
            Some(place) => {
                let (path, typed) = self.path(place, &instance, &target, &facts)?;
                self.on_the_path(&path, &typed, &mut facts, reach.clone(), within)
                    .await?
            }
        };
        self.steps.begin("looking at what the target has seen");
        let visits = target.finish().await;
        facts.set("login", login(&visits));
        let started = Started {
            command: &self.program.command,
            folder: &self.student.folder,
        };
        let broken = started.trouble(&ran);
        let compared = self.checks.iter().any(|check| check.prints_as_solution);
        // The solution comes last, and into another folder: the student's program is over by then.
        let wanted = match compared && broken.is_none() {
            true => Some(
                self.solution(&facts.fill_all(&self.trial.args)?, reach)
                    .await?,
            ),
            false => None,
        };
        Ok(Shown {
            facts,
            ran,
            visits,
            broken,
            wanted,
            on_the_path: self.trial.on_the_path.is_some(),
        })
    }

    /// The honest session that the program sits on: the scene's, typed once more.
    fn path<'a>(
        &self,
        place: &OnThePath,
        instance: &'a Instance,
        target: &'a Target,
        facts: &Facts,
    ) -> anyhow::Result<(Path<'a>, Vec<String>)> {
        let mut sessions = self.student.lab.scene.sessions.iter();
        let session = sessions.find(|session| session.id == place.session);
        let session = session.context("the session does not exist")?;
        let user = instance.accounts.users().first();
        let path = Path {
            target,
            accounts: &instance.accounts,
            user: user.context("the session needs an account in its scene")?,
            message: place.message,
        };
        Ok((path, facts.fill_all(&session.messages)?))
    }

    /// Runs the session, and the program in the middle of it. The program is told the ciphertexts so far as
    /// `{ciphertext.N}`, and the one that it may change as `{ciphertext}`.
    async fn on_the_path(
        &self,
        path: &Path<'_>,
        typed: &[String],
        facts: &mut Facts,
        reach: Reach,
        within: Duration,
    ) -> anyhow::Result<Ran> {
        let mut ran = None;
        let change = async |sent: &[Vec<u8>]| -> anyhow::Result<Option<Vec<u8>>> {
            for (i, ciphertext) in sent.iter().enumerate() {
                facts.set(format!("ciphertext.{}", i + 1), hex::encode(ciphertext));
                facts.set("ciphertext", hex::encode(ciphertext));
            }
            let args = facts.fill_all(&self.trial.args)?;
            let never = std::future::pending();
            let run = self.program.run(self.launcher, &args, reach, within, never);
            let ran = ran.insert(run.await);
            Ok(printed_bytes(&ran.stdout))
        };
        path.run(typed, change).await?;
        ran.context("the session has no message of this number: the program was not run")
    }

    /// What the lab's own solution prints for these arguments.
    async fn solution(&self, args: &[String], reach: Reach) -> anyhow::Result<String> {
        let solution = Program::solution(self.student)?;
        let never = std::future::pending();
        let ran = solution
            .run(self.launcher, args, reach, FOR_SOLUTION, never)
            .await;
        ensure!(
            ran.end == End::Well,
            "your output is compared with that of the lab's own solution, and `{}` did not run ({:?}): install {} and check again",
            solution.command.join(" "),
            ran.end,
            solution.command.first().map_or("", String::as_str)
        );
        Ok(ran.stdout)
    }

    /// Ends when nothing more can change the verdict on the live target. That is so if all required events were seen,
    /// or if the login was refused and the program does not connect again.
    async fn decided(&self, target: &Target, facts: &Facts) {
        let by_output = |check: &&Check| check.prints_as_solution || check.reads.is_some();
        if self.checks.iter().any(by_output) {
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

impl Shown {
    /// The messages of a session, as the server received them.
    fn texts(&self, session: &str) -> Vec<&str> {
        let nth = |n| self.facts.get(&format!("{session}.message.{n}"));
        (1..).map_while(nth).collect()
    }

    fn trouble(&self, check: &Check) -> anyhow::Result<Option<Trouble>> {
        let gave_up = || diagnosis::gave_up(&self.ran).filter(|_| self.visits.is_empty());
        let program = self.broken.clone().or_else(gave_up);
        let on_target = on_target(check, &self.facts, &self.visits, program.as_ref())?;
        if on_target.is_some() && self.on_the_path {
            // The honest session went on without the program.
            let said_nothing = || diagnosis::no_bytes(&self.ran);
            return Ok(self.broken.clone().or_else(said_nothing).or(on_target));
        }
        if on_target.is_some() || !(check.prints_as_solution || check.reads.is_some()) {
            return Ok(on_target);
        }
        if let Some(broken) = &self.broken {
            return Ok(Some(broken.clone()));
        }
        if let Some(reads) = &check.reads {
            let right = self.texts(&reads.session);
            return Ok(diagnosis::too_little_read(&self.ran, &right, reads.percent));
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
