//! The check: runs the student's program against hidden instances, holds the answers against the commitments, and says
//! what passed, what did not, and what to do next.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context;
use latchstring_faithful::server::REPLY_PAUSE;
use serde::Serialize;

use super::{
    answers::Answers,
    catalogue::{Answer, Check, Choice, Question, Trial},
    facts::Facts,
    instance::Instance,
    program::{self, Ran},
    seed::Seed,
    student::Student,
    target::{Target, Visit},
};

/// How much of a program's last words is shown.
const LAST_LINES: usize = 6;

/// What a check has found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which lab.
    pub lab: String,
    /// Each question and check.
    pub items: Vec<Item>,
    /// Points earned.
    pub points: u32,
    /// Points there are.
    pub of: u32,
    /// Hints taken so far.
    pub hints_taken: usize,
    /// Whether everything has passed.
    pub passed: bool,
}

/// One question or check.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// `predict`, `answer` or `run`.
    pub kind: &'static str,
    /// Points earned.
    pub points: u32,
    /// Points there are.
    pub of: u32,
    /// Whether it passed.
    pub passed: bool,
    /// What was found.
    pub found: String,
    /// What to do.
    pub next: Option<String>,
}

/// How many instances are drawn to find victims that differ.
const MAX_DRAWS: u32 = 64;

/// One run of the program, with what the target saw.
struct Shown {
    facts: Facts,
    ran: Ran,
    visits: Vec<Visit>,
}

/// Runs the whole check. Hidden instances come from `seed`. What passes is remembered in the student's state.
///
/// # Errors
/// When the answer sheet cannot be read or an instance cannot be made; a program that fails is no error but a finding.
pub async fn check(student: &mut Student, seed: &Seed) -> anyhow::Result<Report> {
    let answers = Answers::read(&student.folder, &student.lab.questions)?;
    let lab = student.lab.clone();
    let (predictions, others): (Vec<&Question>, Vec<&Question>) = lab
        .questions
        .iter()
        .partition(|q| q.kind == Answer::Predict);
    let mut said = Vec::new();
    for question in &predictions {
        said.push(student.predicted(question, &answers.to(question).to_lowercase()));
    }
    student.save()?;
    // A prediction comes before the experiment, or it is none.
    let ready = said.iter().all(Option::is_some);
    let mut trials = Vec::new();
    for trial in lab.trials.iter().filter(|_| ready) {
        let runs = run_trial(
            student,
            trial,
            &answers,
            &seed.child(&format!("trial {}", trial.id)),
        )
        .await;
        trials.push((trial.id.as_str(), runs));
    }
    let shown = |id: &str| {
        trials
            .iter()
            .find(|(trial, _)| *trial == id)
            .map(|(_, runs)| runs)
    };

    let mut items = Vec::new();
    for question in others {
        items.push(if ready {
            answer(student, question, answers.to(question))
        } else {
            waiting(question)
        });
    }
    let mut told = BTreeSet::new();
    for check in &lab.checks {
        items.push(match shown(&check.trial) {
            Some(Ok(runs)) => judge(check, runs, &mut told)?,
            Some(Err(why)) => item_of(check, Some(format!("{why:#}"))),
            None => item_of(
                check,
                Some("not run yet: make your predictions first".to_owned()),
            ),
        });
    }
    let passed: Vec<String> = passing(&items).collect();
    let mut first = Vec::new();
    for (question, letter) in predictions.iter().zip(said) {
        let run = question.trial.as_deref().and_then(shown);
        let run = run.and_then(|runs| runs.as_ref().ok()?.last());
        let happened = run
            .map(|run| run.facts.fill(&question.answer))
            .transpose()?;
        let settled = question
            .after
            .as_ref()
            .is_none_or(|after| passed.contains(after));
        let outcome = match settled {
            true => student.outcome(question, happened.as_deref())?,
            false => None,
        };
        // What has not happened yet is not explained.
        if letter.is_some() && outcome.is_some() {
            student.state.passed.insert(question.id.clone());
        }
        first.push(prediction(student, question, letter, outcome)?);
    }
    student.state.passed.extend(passed);
    student.save()?;
    Ok(report(student, first.into_iter().chain(items).collect()))
}

fn passing(items: &[Item]) -> impl Iterator<Item = String> {
    (items.iter().filter(|item| item.passed)).map(|item| item.id.clone())
}

fn report(student: &Student, items: Vec<Item>) -> Report {
    Report {
        lab: student.lab.id.clone(),
        points: items.iter().map(|item| item.points).sum(),
        of: items.iter().map(|item| item.of).sum(),
        passed: items.iter().all(|item| item.passed),
        hints_taken: student.state.hints,
        items,
    }
}

// ------------------------------------------------------------------------------------------------------- questions

fn prediction(
    student: &Student,
    question: &Question,
    letter: Option<String>,
    outcome: Option<(char, &Choice)>,
) -> anyhow::Result<Item> {
    let options = student.options(question)?;
    let of_letter = |letter: &str| options.iter().find(|(c, _)| c.to_string() == letter);
    let found = match (letter.as_deref().and_then(of_letter), outcome) {
        (None, _) => "you have not said what you expect".to_owned(),
        (Some((said, choice)), None) => {
            format!("you said {said}) {}; go on, and you will see", choice.text)
        }
        (Some((said, choice)), Some((so_it_is, _))) if so_it_is == *said => {
            format!("you said {said}) {}: so it is", choice.text)
        }
        (Some((said, choice)), Some((so_it_is, other))) => {
            format!(
                "you said {said}) {}; what happened is {so_it_is}) {}",
                choice.text, other.text
            )
        }
    };
    let made = letter.is_some();
    let next = (!made).then(|| {
        format!(
            "write the letter of what you expect beside {} in answers.toml",
            question.id
        )
    });
    Ok(question_item(question, "predict", made, found, next))
}

fn answer(student: &Student, question: &Question, given: &str) -> Item {
    let right = !given.is_empty() && student.is_right(question, given);
    let found = match (right, given) {
        (true, _) => format!("{given:?} is right"),
        (false, "") => "no answer yet".to_owned(),
        (false, _) => format!("{given:?} is not what the run has shown"),
    };
    let form = match question.kind {
        Answer::Number => "a number",
        Answer::Hex => "bytes as hex digits",
        Answer::Text | Answer::Predict => "text, character for character",
    };
    let next = (!right).then(|| {
        format!(
            "the answer is {form}, beside {} in answers.toml; `latchstring lab hint` helps",
            question.id
        )
    });
    question_item(question, "answer", right, found, next)
}

fn waiting(question: &Question) -> Item {
    question_item(
        question,
        "answer",
        false,
        "not looked at yet: make your predictions first".to_owned(),
        None,
    )
}

fn question_item(
    question: &Question,
    kind: &'static str,
    passed: bool,
    found: String,
    next: Option<String>,
) -> Item {
    Item {
        id: question.id.clone(),
        title: question.id.replace('-', " "),
        kind,
        points: if passed { question.points } else { 0 },
        of: question.points,
        passed,
        found,
        next,
    }
}

// ---------------------------------------------------------------------------------------------------------- trials

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

/// Holds every run against what a check asks for. The first that fails is told; what the program said is told once a
/// trial.
fn judge(check: &Check, runs: &[Shown], told: &mut BTreeSet<String>) -> anyhow::Result<Item> {
    for run in runs {
        if let Some(mut why) = trouble(check, run)? {
            if told.insert(check.trial.clone()) {
                why += &last_words(&run.ran);
            }
            return Ok(item_of(check, Some(why)));
        }
    }
    Ok(item_of(check, None))
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

fn item_of(check: &Check, trouble: Option<String>) -> Item {
    let passed = trouble.is_none();
    Item {
        id: check.id.clone(),
        title: check.title.clone(),
        kind: "run",
        points: if passed { check.points } else { 0 },
        of: check.points,
        passed,
        found: trouble.unwrap_or_else(|| "so it was in every run".to_owned()),
        next: (!passed).then(|| check.next.clone()),
    }
}
