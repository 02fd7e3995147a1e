//! Gradescope: `results.json` of one submission, and the archive of an autograder.
//!
//! The format is <https://gradescope-autograders.readthedocs.io/en/latest/specs/> (gradescope/autograder_samples,
//! `docs/specs.md`).

use serde::Serialize;
use serde_json::Number;

use super::text::{about, one_line, plain};
use crate::grades::{Item, LabResult, RemarkKind, Sheet};

mod archive;

pub use archive::{ArchiveError, GRADE, LABS, Part, archive};

/// When students see a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Never. Meant for tests without points: of others, the student's total is shown all the same.
    Hidden,
    /// When the deadline has passed. Until then students do not see their total.
    AfterDueDate,
    /// When the instructor publishes the grades. Until then students do not see their total.
    AfterPublished,
    /// At once.
    Visible,
}

#[derive(Serialize)]
struct Results {
    score: Number,
    output: String,
    output_format: &'static str,
    stdout_visibility: Visibility,
    visibility: Visibility,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    number: String,
    score: Number,
    max_score: Number,
    /// Always given. Without it a test of 0 points out of 0 counts as passed.
    status: &'static str,
    output: String,
    output_format: &'static str,
    visibility: Visibility,
}

const TEXT: &str = "text";

/// Writes `results.json` for one student. Tests that students may see have this visibility. The notes are for the student: what
/// could not be graded.
///
/// # Panics
/// Never: the results are text and numbers.
pub fn results(sheet: &Sheet<'_>, visibility: Visibility, notes: &[String]) -> String {
    let labs = sheet.labs.iter();
    let labs = labs.flat_map(|(lab, result)| about(lab, *result));
    let notes = notes.iter().map(|note| plain(note));
    let results = Results {
        score: sheet.points().as_number(),
        output: labs.chain(notes).collect::<Vec<_>>().join("\n"),
        output_format: TEXT,
        stdout_visibility: Visibility::Hidden,
        visibility,
        tests: tests(sheet, visibility),
    };
    serde_json::to_string_pretty(&results).expect("results are JSON") + "\n"
}

fn tests(sheet: &Sheet<'_>, visibility: Visibility) -> Vec<Test> {
    let mut tests = Vec::new();
    for (at, (lab, result)) in sheet.labs.iter().enumerate() {
        let Some(result) = result else {
            tests.push(Test {
                name: format!("{}: nothing was submitted", one_line(&lab.title)),
                number: format!("{}", at + 1),
                score: 0.into(),
                max_score: lab.of.as_number(),
                status: "failed",
                output: String::new(),
                output_format: TEXT,
                visibility,
            });
            continue;
        };
        let items = result.items.iter().enumerate();
        tests.extend(
            items.map(|(item_at, item)| {
                test(item, format!("{}.{}", at + 1, item_at + 1), visibility)
            }),
        );
        tests.extend(for_instructor(result, at + 1));
    }
    tests
}

fn test(item: &Item, number: String, visibility: Visibility) -> Test {
    Test {
        name: one_line(&item.title),
        number,
        score: item.points.as_number(),
        max_score: item.of.as_number(),
        status: if item.passed { "passed" } else { "failed" },
        output: plain(&item.message),
        output_format: TEXT,
        visibility,
    }
}

/// The remarks that a student must not read here, in a test that students never see.
fn for_instructor(result: &LabResult, lab: usize) -> Option<Test> {
    let remarks = result.remarks.iter();
    let shown = |kind: RemarkKind| kind.is_for_student() || kind == RemarkKind::Paths;
    let hidden = remarks.filter(|remark| !shown(remark.kind));
    let sentences: Vec<String> = hidden.map(|remark| plain(&remark.sentence)).collect();
    (!sentences.is_empty()).then(|| Test {
        name: "For the instructor: look at this submission".to_owned(),
        number: format!("{lab}.0"),
        score: 0.into(),
        max_score: 0.into(),
        status: "failed",
        output: sentences.join("\n"),
        output_format: TEXT,
        visibility: Visibility::Hidden,
    })
}
