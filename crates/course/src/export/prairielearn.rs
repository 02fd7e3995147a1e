//! PrairieLearn: `/grade/results/results.json` of an external grader.
//!
//! The format is <https://docs.prairielearn.com/externalGrading/> (PrairieLearn/PrairieLearn, the page on external grading):
//! a score from 0 to 1, and at most 1 MB.

use serde::Serialize;
use serde_json::Number;

use super::text::{about, one_line, plain, shortened};
use crate::grades::{Item, Sheet};

/// The most that PrairieLearn takes, in bytes. Its page says 1 MB and not whether that is 2^20 bytes, so the smaller one.
pub const MOST: usize = 1_000_000;

#[derive(Serialize)]
struct Results {
    gradable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    format_errors: Vec<String>,
    message: String,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    points: Number,
    max_points: Number,
    message: String,
}

/// Writes the results of one student. Where they would be too long, the messages are cut, first to 2000 characters and then
/// further, and the first message says so.
pub fn write(sheet: &Sheet<'_>) -> String {
    let cuts = [usize::MAX, 2000, 200, 20, 0];
    let mut texts = cuts.into_iter().map(|most| results(sheet, most));
    let fits = texts.find(|text| text.len() <= MOST);
    // Thousands of items with long titles: no lab is like that.
    fits.unwrap_or_else(|| without_tests(sheet))
}

fn results(sheet: &Sheet<'_>, most: usize) -> String {
    let results = sheet.labs.iter().filter_map(|(_, result)| *result);
    let items = results.flat_map(|result| &result.items);
    let tests = items.map(|item| test(item, most)).collect();
    let cut = (most != usize::MAX).then_some("The messages were cut: together they are too long.");
    json(sheet, tests, cut, most)
}

fn without_tests(sheet: &Sheet<'_>) -> String {
    let cut = "The tests were left out: together they are too long.";
    json(sheet, Vec::new(), Some(cut), 200)
}

fn json(sheet: &Sheet<'_>, tests: Vec<Test>, cut: Option<&str>, most: usize) -> String {
    let labs = sheet.labs.iter();
    let about = labs.flat_map(|(lab, result)| about(lab, *result));
    let about: Vec<String> = about.map(|line| shortened(&line, most)).collect();
    // Nothing to grade costs the student no attempt.
    let gradable = sheet.labs.iter().any(|(_, result)| result.is_some());
    let results = Results {
        gradable,
        score: gradable.then(|| sheet.points().part_of(sheet.of())),
        format_errors: if gradable { Vec::new() } else { about.clone() },
        message: cut
            .into_iter()
            .map(str::to_owned)
            .chain(about)
            .collect::<Vec<_>>()
            .join("\n"),
        tests,
    };
    serde_json::to_string_pretty(&results).expect("results are JSON") + "\n"
}

fn test(item: &Item, most: usize) -> Test {
    Test {
        name: shortened(&one_line(&item.title), most.max(20)),
        points: item.points.as_number(),
        max_points: item.of.as_number(),
        message: shortened(&plain(&item.message), most),
    }
}
