//! The check: has the student's program run against hidden instances, holds the answers against the commitments, and
//! says what passed, what did not, and what to do next.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    answers::Answers,
    catalogue::{Answer, Check, Choice, Question},
    seed::Seed,
    student::Student,
    trial::Trials,
};

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

/// Runs the whole check. Hidden instances come from `seed`. What passes is remembered in the student's state.
///
/// # Errors
/// When the answer sheet cannot be read or an instance cannot be made; a program that fails is no error but a finding.
pub async fn check(student: &mut Student, seed: &Seed) -> anyhow::Result<Report> {
    let lab = student.lab.clone();
    let answers = Answers::read(&student.folder, &lab.questions)?;
    let is_prediction = |question: &&Question| question.kind == Answer::Predict;
    let (predictions, others): (Vec<_>, Vec<_>) = lab.questions.iter().partition(is_prediction);
    let mut said = Vec::new();
    for question in &predictions {
        said.push(student.predicted(question, &answers.to(question).to_lowercase()));
    }
    student.save()?;
    // A prediction comes before the experiment, or it is none.
    let trials = match said.iter().all(Option::is_some) {
        true => Some(Trials::run(student, &answers, seed).await),
        false => None,
    };
    let mut items = Vec::new();
    for question in others {
        items.push(match trials {
            Some(_) => answer(student, question, answers.to(question)),
            None => waiting(question),
        });
    }
    items.extend(runs(&lab.checks, trials.as_ref())?);

    let passed: BTreeSet<String> = passing(&items).collect();
    let mut all = Vec::new();
    for (question, letter) in predictions.into_iter().zip(said) {
        let outcome = outcome(student, question, &passed, trials.as_ref())?;
        // What has not happened yet is not explained.
        if letter.is_some() && outcome.is_some() {
            student.state.passed.insert(question.id.clone());
        }
        all.push(prediction(student, question, letter, outcome)?);
    }
    all.extend(items);
    student.state.passed.extend(passed);
    student.save()?;
    Ok(report(student, all))
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

/// The option that is what happened, once that may be told.
fn outcome<'a>(
    student: &Student,
    question: &'a Question,
    passed: &BTreeSet<String>,
    trials: Option<&Trials>,
) -> anyhow::Result<Option<(char, &'a Choice)>> {
    if (question.after.as_ref()).is_some_and(|after| !passed.contains(after)) {
        return Ok(None);
    }
    let happened = match (&question.trial, trials) {
        (Some(trial), Some(trials)) => trials.fact(trial, &question.answer)?,
        _ => None,
    };
    student.outcome(question, happened.as_deref())
}

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

// ------------------------------------------------------------------------------------------------------------ runs

/// Holds the runs against what each check asks for. What a program said is told once a trial.
fn runs(checks: &[Check], trials: Option<&Trials>) -> anyhow::Result<Vec<Item>> {
    let mut told = BTreeSet::new();
    let mut items = Vec::new();
    for check in checks {
        let trouble = match trials {
            None => Some("not run yet: make your predictions first".to_owned()),
            Some(trials) => trials.trouble(check, &mut told)?,
        };
        items.push(item_of(check, trouble));
    }
    Ok(items)
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
