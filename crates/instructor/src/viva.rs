//! Up to three questions for a talk of five minutes, about one student's own work, with the answers.
//!
//! A program can be written by somebody else. The cheapest way to know whether a student understands it is to ask. The first
//! question is about a piece of the student's own capture, and the second about the student's own prediction. The third is
//! about lines that the student's program has and the start does not. What happens without these lines is not guessed: the
//! check is run without them.

mod capture;
mod code;

use std::fmt;

use anyhow::ensure;
use latchstring_classroom::{
    catalogue::{Answer, Lab},
    check::{Report, check_with},
    hand_out::Asked,
    instance::Instance,
    progress::Silent,
    replay::Replay,
    trial::Options,
};
use latchstring_confine::run::Launcher;
use latchstring_course::roster::Id;
use rand::seq::IndexedRandom;

use crate::{folder::Course, grade::Taken};

/// So many questions fit into the talk.
pub const MOST: usize = 3;
/// How often another piece of a capture is drawn.
const MOST_DRAWS: usize = 20;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub about: String,
    /// The question.
    pub text: String,
    /// Lines to look at together, with their numbers; empty if there are none.
    pub lines: Vec<(usize, String)>,
    /// The answer, for the instructor.
    pub answer: String,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.about, self.text)?;
        for (number, line) in &self.lines {
            writeln!(f, "    {number:>4}  {line}")?;
        }
        write!(f, "Answer: {}", self.answer)
    }
}

/// Makes the questions about a student's work in a lab. The same work gives the same questions.
///
/// # Errors
/// When the work cannot be laid out or run.
pub async fn questions(
    course: &Course,
    lab: &Lab,
    student: &Id,
    taken: &Taken,
    launcher: &Launcher,
) -> anyhow::Result<Vec<Question>> {
    let (owner, bundle) = (course.owner(student), &taken.bundle);
    let seed = course.key.seed(&owner, &lab.id);
    let folder = tempfile::tempdir()?;
    let work = folder.path().join("work");
    std::fs::create_dir(&work)?;
    let mut replay = Replay::of(lab.clone(), bundle, owner.clone(), &seed, &work).await?;
    let mut randomness = seed.stream("viva");
    let mut questions = Vec::new();
    questions.extend(capture::question(&work, &mut randomness)?);
    let instance = Instance::make(&lab.scene, &seed).await?;
    let options = Options {
        seed: &course.key.hidden(&owner, &lab.id),
        counts: true,
        steps: &Silent,
        launcher,
        only: None,
        peers: true,
        lacking: None,
    };
    let of_program = code::question(&mut replay, bundle, &options).await?;
    // The check has read the predictions from the sheet, if it was not run before.
    questions.extend(prediction(&replay, &instance, lab)?);
    questions.extend(of_program);
    // A lab without a capture or without code: ask for the reasons of what the student found.
    let reasons = reasons(lab, bundle.manifest.passed.iter())?;
    let chosen = reasons.sample(&mut randomness, MOST - questions.len());
    questions.extend(chosen.cloned());
    // Or for more of the capture.
    for _ in 0..MOST_DRAWS {
        let more = capture::question(&work, &mut randomness)?;
        let new = more.filter(|more| questions.len() < MOST && !questions.contains(more));
        questions.extend(new);
    }
    ensure!(
        !questions.is_empty(),
        "the lab {} has nothing to ask about",
        lab.id
    );
    Ok(questions)
}

/// Why did it come as it did, where the student expected it so or otherwise?
fn prediction(replay: &Replay, instance: &Instance, lab: &Lab) -> anyhow::Result<Option<Question>> {
    let asked = Asked::all(lab, &instance.facts)?;
    let explanations = lab.explanation()?;
    let student = &replay.student;
    for question in &lab.questions {
        let letter = student.state.predictions.get(&question.id);
        let (Answer::Predict, Some(letter)) = (question.kind, letter) else {
            continue;
        };
        let options = student.options(question);
        let said = options
            .iter()
            .find(|(known, _)| known.to_string() == *letter);
        let (Some((_, said)), Some(answer)) = (said, explanations.get(&question.id)) else {
            continue;
        };
        let text = asked.get(&question.id).map_or("", |asked| &asked.text);
        return Ok(Some(Question {
            about: "Your prediction".to_owned(),
            text: format!(
                "\"{}\" You said: {}. What happened, and why?",
                one_line(text),
                instance.facts.fill(&said.text)?
            ),
            lines: Vec::new(),
            answer: one_line(answer),
        }));
    }
    Ok(None)
}

/// Why is it so? For everything that has passed and has an explanation.
fn reasons<'a>(
    lab: &Lab,
    passed: impl Iterator<Item = &'a String>,
) -> anyhow::Result<Vec<Question>> {
    let mut explanations = lab.explanation()?;
    let titles = lab.checks.iter().map(|check| (&check.id, &check.title));
    let titles: std::collections::BTreeMap<_, _> = titles.collect();
    let questions = passed.filter_map(|id| {
        let (title, answer) = (titles.get(id)?, explanations.remove(id)?);
        Some(Question {
            about: "The reason".to_owned(),
            text: format!("Your work passed this check: {title}. Why does that work?"),
            lines: Vec::new(),
            answer: one_line(&answer),
        })
    });
    Ok(questions.collect())
}

/// What a check says of the parts that fail.
fn failures(report: &Report) -> Vec<String> {
    let failed = report.items.iter().filter(|item| !item.passed);
    failed
        .map(|item| {
            format!(
                "{}: {}",
                item.title,
                item.found.lines().next().unwrap_or_default()
            )
        })
        .collect()
}

/// Runs the check of the student's files as they are now.
async fn checked(replay: &mut Replay, options: &Options<'_>) -> anyhow::Result<Report> {
    check_with(&mut replay.student, options).await
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
