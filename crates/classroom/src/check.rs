//! The check: runs the student's program against hidden instances, and compares the answers with the commitments. The
//! check reports which parts passed, which did not, and the next step.

use std::collections::BTreeSet;

use anyhow::ensure;
use latchstring_cli::suggest::nearest;
use latchstring_confine::{note::InForce, run::Launcher};
use serde::Serialize;

use super::{
    answers::{self, Answers},
    catalogue::{ANSWERS, Answer, Check, Choice, Keeps, Lab, Question},
    diagnosis::Trouble,
    progress::Silent,
    seed::Seed,
    student::Student,
    trial::{NOT_COMPARED, Options, Trials},
};

/// What a student can do about a check without a verdict.
const NO_VERDICT: &str =
    "this says nothing about your program: mend what is named, and check again";

/// The result of a check.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The lab.
    pub lab: String,
    /// Each question and check.
    pub items: Vec<Item>,
    /// Points earned.
    pub points: u32,
    /// Points there are.
    pub of: u32,
    /// Points earned in this check and in those before it.
    pub points_so_far: u32,
    /// Hints taken so far.
    pub hints_taken: usize,
    /// Whether everything has passed, or waits until it is handed in.
    pub passed: bool,
    /// Whether the check counts: a check that repeats known hidden instances does not.
    pub counts: bool,
    /// Which limits the student's program had; `None` when none was run.
    pub limits: Option<InForce>,
    /// Whether a program was stopped when its time was up. A busy machine can be the reason.
    #[serde(skip)]
    pub out_of_time: bool,
}

/// One question or check.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The subject.
    pub title: String,
    /// `predict`, `answer` or `run`.
    pub kind: &'static str,
    /// Points earned.
    pub points: u32,
    /// Points there are.
    pub of: u32,
    /// Whether this part passed.
    pub passed: bool,
    /// Whether this is an answer of a course that is compared when it is handed in.
    pub later: bool,
    /// Whether there is no verdict, because this machine could not run the program. The finding says why.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_graded: bool,
    /// The finding.
    pub found: String,
    /// The next step.
    pub next: Option<String>,
}

/// Runs the whole check in silence. Hidden instances come from `seed`. A passed part is stored in the student's state.
///
/// # Errors
/// As [`check_with`].
pub async fn check(
    student: &mut Student,
    seed: &Seed,
    launcher: &Launcher,
) -> anyhow::Result<Report> {
    let options = Options {
        seed,
        counts: true,
        steps: &Silent,
        launcher,
        only: None,
        peers: true,
        lacking: None,
    };
    check_with(student, &options).await
}

/// Runs the whole check.
///
/// # Errors
/// When the answer sheet cannot be read or an instance cannot be made; a program that fails is no error but a finding.
pub async fn check_with(student: &mut Student, options: &Options<'_>) -> anyhow::Result<Report> {
    let lab = student.lab.clone();
    check_part(&lab, options.only)?;
    let answers = Answers::read(&student.folder, &lab)?;
    let is_prediction = |question: &&Question| question.kind == Answer::Predict;
    let (predictions, others): (Vec<_>, Vec<_>) = lab.questions.iter().partition(is_prediction);
    let mut said = Vec::new();
    for question in &predictions {
        said.push(student.predicted(question, answers.to(question))?);
    }
    student.save()?;
    // A prediction comes before the experiment, or it is none.
    let trials = match said.iter().all(Result::is_ok) {
        true => Some(Trials::run(student, &answers, options).await?),
        false => None,
    };
    let mut items = Vec::new();
    let with_answers = options.only.is_none_or(|only| only == ANSWERS);
    for question in others.into_iter().filter(|_| with_answers) {
        items.push(match trials {
            Some(_) => answer(student, question, &answers),
            None => waiting(question),
        });
    }
    let asked = lab.trials.iter().filter(|trial| options.asks_for(trial));
    let asked: BTreeSet<&str> = asked.map(|trial| trial.id.as_str()).collect();
    let asked = |check: &&Check| asked.contains(check.trial.as_str());
    items.extend(runs(lab.checks.iter().filter(asked), trials.as_ref())?);

    let passed: BTreeSet<String> = passing(&items).collect();
    let mut all = Vec::new();
    for (question, letter) in predictions.into_iter().zip(said) {
        let outcome = outcome(student, question, &passed, trials.as_ref())?;
        // What has not happened yet is not explained.
        if letter.is_ok() && outcome.is_some() && options.counts {
            student.state.passed.insert(question.id.clone());
        }
        // With one part alone, predictions are reported only if they are missing.
        if options.only.is_none() || letter.is_err() {
            all.push(prediction(student, question, letter, outcome)?);
        }
    }
    all.extend(items);
    if options.counts {
        student.state.passed.extend(passed);
    }
    student.save()?;
    let limits = trials.as_ref().and_then(Trials::limits);
    let out_of_time = trials.as_ref().is_some_and(Trials::ran_out_of_time);
    Ok(Report {
        out_of_time,
        ..report(student, all, options.counts, limits)
    })
}

/// A part of a lab that can be checked alone exists.
fn check_part(lab: &Lab, only: Option<&str>) -> anyhow::Result<()> {
    let parts = lab.parts();
    let unknown = only.filter(|only| !parts.contains(only));
    ensure!(
        unknown.is_none(),
        "the lab {} has no part {:?}{}; there is: {}",
        lab.id,
        unknown.unwrap_or_default(),
        nearest(unknown.unwrap_or_default(), parts.iter().copied()),
        parts.join(", ")
    );
    Ok(())
}

fn passing(items: &[Item]) -> impl Iterator<Item = String> {
    (items.iter().filter(|item| item.passed)).map(|item| item.id.clone())
}

fn report(student: &Student, items: Vec<Item>, counts: bool, limits: Option<InForce>) -> Report {
    Report {
        lab: student.lab.id.clone(),
        points: items.iter().map(|item| item.points).sum(),
        of: items.iter().map(|item| item.of).sum(),
        passed: items.iter().all(|item| item.passed || item.later),
        points_so_far: student.points(),
        hints_taken: student.state.hints,
        counts,
        limits,
        out_of_time: false,
        items,
    }
}

// ------------------------------------------------------------------------------------------------------- questions

/// The option of the real outcome, once it may be shown.
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
    Ok(student.outcome(question, happened.as_deref()))
}

fn prediction(
    student: &Student,
    question: &Question,
    said: Result<char, String>,
    outcome: Option<(char, &Choice)>,
) -> anyhow::Result<Item> {
    let options = student.options(question);
    let made = said.is_ok();
    let chosen = said.map(|said| options.iter().find(|(letter, _)| *letter == said));
    let found = match (chosen, outcome) {
        (Err(why), _) => why,
        (Ok(None), _) => "that option does not exist".to_owned(),
        (Ok(Some((said, choice))), None) => {
            format!("you said {said}) {}; go on, and you will see", choice.text)
        }
        (Ok(Some((said, choice))), Some((so_it_is, _))) if so_it_is == *said => {
            format!("you said {said}) {}: so it is", choice.text)
        }
        (Ok(Some((said, choice))), Some((so_it_is, other))) => {
            format!(
                "you said {said}) {}; what happened is {so_it_is}) {}",
                choice.text, other.text
            )
        }
    };
    let letters = options.iter().map(|(letter, _)| letter.to_string());
    let letters = letters.collect::<Vec<_>>().join(", ");
    let next = (!made).then(|| {
        format!(
            "write the letter of what you expect ({letters}) beside {} in answers.toml",
            question.id
        )
    });
    Ok(question_item(question, "predict", made, found, next))
}

fn answer(student: &Student, question: &Question, answers: &Answers) -> Item {
    let given = answers.to(question);
    let right = match student.is_right(question, given) {
        _ if given.is_empty() => false,
        Some(right) => right,
        None => return compared_later(question, given),
    };
    let found = match (right, given) {
        (true, _) => format!("{given:?} is right"),
        (false, "") => "no answer yet".to_owned(),
        (false, _) => format!("{given:?} is not right"),
    };
    let next = (!right).then(|| advice(question, given));
    question_item(question, "answer", right, found, next)
}

/// A short answer of a course. Its form can be looked at.
fn compared_later(question: &Question, given: &str) -> Item {
    let form = wrong_form(question, given);
    let found = match form {
        None => format!("{given:?} is compared when you hand it in"),
        Some(_) => format!("{given:?} cannot be right"),
    };
    Item {
        later: form.is_none(),
        ..question_item(question, "answer", false, found, form)
    }
}

/// The advice on an answer that is missing or wrong; for an answer without the right form, the advice is the form.
fn advice(question: &Question, given: &str) -> String {
    let form = form(question.kind);
    match wrong_form(question, given) {
        _ if given.is_empty() => format!(
            "write the answer beside {} in {}: {form}",
            question.id,
            answers::FILE
        ),
        Some(advice) => advice,
        None => "look again; `latchstring lab hint` gives a hint".to_owned(),
    }
}

fn form(kind: Answer) -> &'static str {
    match kind {
        Answer::Number => "a number, in decimal digits",
        Answer::Hex => "bytes, as hex digits",
        Answer::Text => {
            "text; capital letters, quotes around it and a full stop at its end do not count"
        }
        Answer::Secret | Answer::Predict => "text, character for character",
    }
}

/// The advice on an answer that does not have the right form.
fn wrong_form(question: &Question, given: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_it = match question.kind {
        Answer::Number => digits(given),
        Answer::Hex => is_hex(given),
        Answer::Text | Answer::Secret | Answer::Predict => true,
    };
    (!has_it).then(|| format!("the answer is {}", form(question.kind)))
}

fn is_hex(text: &str) -> bool {
    let text = text.trim().trim_start_matches("0x");
    let digits = text.chars().filter(|c| !c.is_whitespace() && *c != ':');
    let count = digits.clone().count();
    count % 2 == 0 && digits.into_iter().all(|c| c.is_ascii_hexdigit())
}

fn waiting(question: &Question) -> Item {
    question_item(
        question,
        "answer",
        false,
        "not looked at yet".to_owned(),
        Some("make your predictions first".to_owned()),
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
        later: false,
        not_graded: false,
        found,
        next,
    }
}

// ------------------------------------------------------------------------------------------------------------ runs

/// Holds the runs against what each check asks for. The output of a program is shown once a trial.
fn runs<'a>(
    checks: impl Iterator<Item = &'a Check>,
    trials: Option<&Trials>,
) -> anyhow::Result<Vec<Item>> {
    let mut told = BTreeSet::new();
    let mut items = Vec::new();
    for check in checks {
        if let Some(why) = trials.and_then(|trials| trials.untried(check)) {
            items.push(untried(check, why));
            continue;
        }
        let trouble = match trials {
            None => Some(Trouble {
                found: "not run yet".to_owned(),
                next: Some("make your predictions first".to_owned()),
                late: false,
            }),
            Some(trials) => trials.trouble(check, &mut told)?,
        };
        let later = (trouble.as_ref()).is_some_and(|why| why.found.starts_with(NOT_COMPARED));
        items.push(Item {
            later,
            ..item_of(check, trouble)
        });
    }
    Ok(items)
}

/// A check without a verdict.
fn untried(check: &Check, why: String) -> Item {
    Item {
        not_graded: true,
        ..item_of(check, Some(Trouble::new(why, NO_VERDICT)))
    }
}

fn so_it_was(check: &Check) -> &'static str {
    match check.keeps {
        None => "so it was in every run",
        Some(Keeps::Service) => "all honest peers that were sent were served",
        Some(Keeps::Defences) => "all attacks that were tried have failed",
        Some(Keeps::All) => "honest peers were served, and all attacks that were tried have failed",
    }
}

fn item_of(check: &Check, trouble: Option<Trouble>) -> Item {
    let passed = trouble.is_none();
    let (found, next) = match trouble {
        None => (so_it_was(check).to_owned(), None),
        Some(Trouble { found, next, .. }) => {
            (found, Some(next.unwrap_or_else(|| check.next.clone())))
        }
    };
    Item {
        id: check.id.clone(),
        title: check.title.clone(),
        kind: "run",
        points: if passed { check.points } else { 0 },
        of: check.points,
        passed,
        later: false,
        not_graded: false,
        found,
        next,
    }
}
