//! Trials: the student's program against hidden instances, and what the live target makes of it.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context;
use latchstring_faithful::server::REPLY_PAUSE;

use super::{
    answers::Answers,
    catalogue::{Check, Trial},
    facts::Facts,
    instance::Instance,
    program::{self, Ran},
    seed::Seed,
    student::Student,
    target::{Target, Visit},
};

/// How much of a program's last words is shown.
const LAST_LINES: usize = 6;

/// How many instances are drawn to find victims that differ.
const MAX_DRAWS: u32 = 64;

/// One run of the program, with what the target saw.
struct Shown {
    facts: Facts,
    ran: Ran,
    visits: Vec<Visit>,
}

/// All runs of all trials of a lab. A trial that could not be run says why.
pub struct Trials(Vec<(String, anyhow::Result<Vec<Shown>>)>);

impl Trials {
    /// Runs them, one after the other. Hidden instances come from `seed`.
    pub async fn run(student: &Student, answers: &Answers, seed: &Seed) -> Self {
        let mut trials = Vec::new();
        for trial in &student.lab.trials {
            let seed = seed.child(&format!("trial {}", trial.id));
            let runs = run_trial(student, trial, answers, &seed).await;
            trials.push((trial.id.clone(), runs));
        }
        Self(trials)
    }

    fn of(&self, trial: &str) -> Option<&anyhow::Result<Vec<Shown>>> {
        self.0
            .iter()
            .find(|(id, _)| id == trial)
            .map(|(_, runs)| runs)
    }

    /// A text filled in with the facts of a trial's last run; `None` when there was none.
    ///
    /// # Errors
    /// When the text names a fact that does not exist.
    pub fn fact(&self, trial: &str, text: &str) -> anyhow::Result<Option<String>> {
        let last = self.of(trial).and_then(|runs| runs.as_ref().ok()?.last());
        last.map(|run| run.facts.fill(text)).transpose()
    }

    /// Why a check fails: what was wrong in the first run that was not as it asks for. What the program itself said is
    /// added once for each trial, as noted in `told`.
    ///
    /// # Errors
    /// When the check names a fact that does not exist.
    pub fn trouble(
        &self,
        check: &Check,
        told: &mut BTreeSet<String>,
    ) -> anyhow::Result<Option<String>> {
        let runs = match self.of(&check.trial) {
            Some(Ok(runs)) => runs,
            Some(Err(why)) => return Ok(Some(format!("{why:#}"))),
            None => return Ok(Some("it was not run".to_owned())),
        };
        for run in runs {
            if let Some(mut why) = trouble(check, run)? {
                if told.insert(check.trial.clone()) {
                    why += &last_words(&run.ran);
                }
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

/// Runs the program as often as the trial says, each time against another hidden instance and another victim.
async fn run_trial(
    student: &Student,
    trial: &Trial,
    answers: &Answers,
    seed: &Seed,
) -> anyhow::Result<Vec<Shown>> {
    let mut victims = BTreeSet::new();
    let mut runs = Vec::new();
    let mut seeds = (0..MAX_DRAWS).map(|n| seed.child(&format!("instance {n}")));
    while runs.len() < trial.times {
        let seed = seeds
            .next()
            .context("the scene's accounts have too few different names for its trials")?;
        let instance = Instance::make(&student.lab.scene, &seed).await?;
        let users = instance.accounts.users();
        let victim = users
            .get(runs.len() % users.len().max(1))
            .map(ToString::to_string);
        // A program that has a name written into it must not pass twice.
        if victim.is_some_and(|victim| !victims.insert(victim)) {
            continue;
        }
        runs.push(run_once(student, trial, answers, instance, runs.len(), &seed).await?);
    }
    Ok(runs)
}

async fn run_once(
    student: &Student,
    trial: &Trial,
    answers: &Answers,
    instance: Instance,
    round: usize,
    seed: &Seed,
) -> anyhow::Result<Shown> {
    let files = tempfile::tempdir()?;
    instance.write(files.path())?;
    let mut facts = instance.facts.clone();
    for (id, file) in instance.capture_files(&student.lab.scene) {
        facts.set(format!("{id}.file"), files.path().join(file).display());
    }
    let target = Target::start(&instance.accounts, seed.stream("live target"), REPLY_PAUSE).await?;
    facts.set("host", target.at().address().ip());
    facts.set("port", target.at().address().port());
    let users = instance.accounts.users();
    if let Some(victim) = users.get(round % users.len().max(1)) {
        let path = files.path().join("victim.pub");
        std::fs::write(&path, instance.accounts.public_pem(victim)? + "\n")?;
        facts.set("victim", victim);
        facts.set("victim.public-key", path.display());
    }
    let command = answers.run.as_ref().unwrap_or(&trial.run);
    let args = facts.fill_all(&trial.args)?;
    let ran = program::run(
        command,
        &args,
        &student.folder,
        Duration::from_secs(trial.timeout_seconds),
    )
    .await?;
    let visits = target.finish().await;
    let login = if visits.iter().any(|visit| visit.user.is_some()) {
        "accepted"
    } else if visits.iter().any(|visit| visit.refused.is_some()) {
        "refused"
    } else {
        "none"
    };
    facts.set("login", login);
    Ok(Shown { facts, ran, visits })
}

fn trouble(check: &Check, run: &Shown) -> anyhow::Result<Option<String>> {
    if let Some(user) = &check.logged_in_as {
        let user = run.facts.fill(user)?;
        if let Some(why) = not_logged_in(&user, &run.visits) {
            return Ok(Some(why));
        }
    }
    if let Some(words) = &check.heard {
        let words = run.facts.fill(words)?;
        let user = check
            .logged_in_as
            .as_ref()
            .map(|user| run.facts.fill(user))
            .transpose()?;
        if let Some(why) = not_heard(&words, user.as_deref(), &run.visits) {
            return Ok(Some(why));
        }
    }
    let lines: Vec<&str> = run.ran.stdout.lines().map(str::trim_end).collect();
    for wanted in run.facts.fill_all(&check.prints)? {
        if !lines.contains(&wanted.trim_end()) {
            return Ok(Some(format!(
                "the program should print the line {wanted:?} here, and did not"
            )));
        }
    }
    Ok(None)
}

/// Why the target did not take the program for this user, by the target's own record.
fn not_logged_in(user: &str, visits: &[Visit]) -> Option<String> {
    if visits
        .iter()
        .any(|visit| visit.user.as_deref() == Some(user))
    {
        return None;
    }
    let refused = visits.iter().find_map(|visit| visit.refused.as_ref());
    let other = visits.iter().find_map(|visit| visit.user.as_ref());
    Some(match (visits.is_empty(), refused, other) {
        (true, _, _) => "nobody connected to the server".to_owned(),
        (_, _, Some(other)) => {
            format!("the server took the program for {other}, and not for {user}")
        }
        (_, Some(why), None) => format!("the server refused the login: {why}"),
        (_, None, None) => "somebody connected to the server, and never logged in".to_owned(),
    })
}

fn not_heard(words: &str, user: Option<&str>, visits: &[Visit]) -> Option<String> {
    let theirs = |visit: &&Visit| user.is_none() || visit.user.as_deref() == user;
    let heard: Vec<&String> = visits
        .iter()
        .filter(theirs)
        .flat_map(|visit| &visit.heard)
        .collect();
    if heard.iter().any(|text| *text == words) {
        return None;
    }
    Some(match heard.first() {
        None => format!(
            "the server waited for the words {words:?}, and heard nothing from {}",
            user.unwrap_or("anybody")
        ),
        Some(text) => format!("the server waited for the words {words:?}, and read {text:?}"),
    })
}

/// The end of what a program said, for a student who looks for the mistake.
fn last_words(ran: &Ran) -> String {
    let mut told = String::new();
    if let Some(trouble) = &ran.trouble {
        told += &format!("\n  the program: {trouble}");
    }
    for (name, text) in [("printed", &ran.stdout), ("complained", &ran.stderr)] {
        let lines: Vec<&str> = text.lines().collect();
        if !lines.is_empty() {
            told += &format!("\n  it {name}:");
        }
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            told += &format!("\n    {line}");
        }
    }
    told
}
