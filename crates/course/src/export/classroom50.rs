//! Classroom 50: `result.json` in the student's checkout.
//!
//! The format is `classroom50/result/v1` (foundation50/classroom50: `wiki/Advanced-Autograding.md`, and `validate_result` in
//! `collect_scores.py`). The runner gives the identity of the submission in environment variables, and adds `owner` and
//! `assignment_type` itself.

use serde::Serialize;
use thiserror::Error;

use super::text::{one_line, plain};
use crate::{grades::Sheet, moment::Moment, points::Points};

/// Who submitted what, as the runner says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `CLASSROOM`
    pub classroom: String,
    /// `ASSIGNMENT`
    pub assignment: String,
    /// `SUBMISSION_TAG`, which begins with `submit/`
    pub submission: String,
    /// `COMMIT_URL`
    pub commit: String,
    /// `RELEASE_URL`
    pub release: String,
    /// `REVIEW_URL`, or `COMMIT_URL` where the runner has no other
    pub review: String,
}

/// What the runner did not say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// A variable is not set, or is empty.
    #[error(
        "the environment variable {0} is not set; run this command from an autograder of Classroom 50"
    )]
    Missing(&'static str),
    /// A tag that the collector ignores.
    #[error(
        "the environment variable SUBMISSION_TAG is {0:?}, and must begin with submit/; run this command from an autograder of Classroom 50"
    )]
    Tag(String),
}

impl Identity {
    /// Reads the runner's variables through `get`.
    ///
    /// # Errors
    /// When one of them is missing, or the tag is no submission.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, IdentityError> {
        let value = |name: &'static str| {
            let value = get(name).filter(|value| !value.is_empty());
            value.ok_or(IdentityError::Missing(name))
        };
        let (submission, commit) = (value("SUBMISSION_TAG")?, value("COMMIT_URL")?);
        if !submission.starts_with("submit/") {
            return Err(IdentityError::Tag(submission));
        }
        Ok(Self {
            classroom: value("CLASSROOM")?,
            assignment: value("ASSIGNMENT")?,
            submission,
            release: value("RELEASE_URL")?,
            review: value("REVIEW_URL").unwrap_or_else(|_| commit.clone()),
            commit,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Results<'a> {
    schema: &'static str,
    classroom: &'a str,
    assignment: &'a str,
    submission: &'a str,
    commit: &'a str,
    release: &'a str,
    review: &'a str,
    datetime: &'a Moment,
    score: u32,
    max_score: u32,
    tests: Vec<Test>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Test {
    test_name: String,
    passed: bool,
    score: u32,
    max_score: u32,
    /// An extra field, which is kept as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

/// Writes `result.json` of one student.
///
/// Scores are integers there. Where an item has a fraction of a point, all scores of the file are hundredths of a point.
/// So nothing is rounded, and the ratio stays.
///
/// # Panics
/// Never: the results are text and numbers.
pub fn write(sheet: &Sheet<'_>, identity: &Identity) -> String {
    let unit = Unit::of(sheet);
    let submitted = sheet
        .labs
        .iter()
        .filter_map(|(_, result)| result.as_ref()?.submitted.as_ref());
    let results = Results {
        schema: "classroom50/result/v1",
        classroom: &identity.classroom,
        assignment: &identity.assignment,
        submission: &identity.submission,
        commit: &identity.commit,
        release: &identity.release,
        review: &identity.review,
        datetime: submitted.max().unwrap_or(&sheet.header.graded),
        score: unit.score(sheet.points()),
        max_score: unit.score(sheet.of()),
        tests: tests(sheet, unit),
    };
    serde_json::to_string_pretty(&results).expect("results are JSON") + "\n"
}

fn tests(sheet: &Sheet<'_>, unit: Unit) -> Vec<Test> {
    let mut tests = Vec::new();
    for (lab, result) in &sheet.labs {
        let Some(result) = result else {
            tests.push(Test {
                test_name: format!("{}: nothing was submitted", lab.id),
                passed: false,
                score: 0,
                max_score: unit.score(lab.of),
                message: String::new(),
            });
            continue;
        };
        tests.extend(result.items.iter().map(|item| Test {
            test_name: one_line(&format!("{}: {}", lab.id, item.title)),
            passed: item.passed,
            score: unit.score(item.points),
            max_score: unit.score(item.of),
            message: plain(&item.message),
        }));
    }
    tests
}

/// What an integer of the file counts.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Points,
    Hundredths,
}

impl Unit {
    fn of(sheet: &Sheet<'_>) -> Self {
        let results = sheet.labs.iter().filter_map(|(_, result)| *result);
        let items = results.flat_map(|result| &result.items);
        let earned = items.flat_map(|item| [item.points, item.of]);
        let labs = sheet.labs.iter().map(|(lab, _)| lab.of);
        match earned.chain(labs).all(|points| points.as_whole().is_some()) {
            true => Self::Points,
            false => Self::Hundredths,
        }
    }

    fn score(self, points: Points) -> u32 {
        match self {
            Self::Points => points.as_hundredths() / 100,
            Self::Hundredths => points.as_hundredths(),
        }
    }
}
