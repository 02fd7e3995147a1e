//! Autolab: the last line that an autograder prints, the *autoresult*.
//!
//! The format is <https://docs.autolabproject.com/lab/> (autolab/docs, `docs/lab.md`). One problem of Autolab is one lab, and
//! its name is the lab's id, such as `01-say-the-name`; an assessment must have problems of these names.
//!
//! Autolab puts quotes around every word that stands before a colon, before it reads the line as JSON
//! (`parseAutoresult` in autolab/Autolab). A title such as `Lab 1: say it` would damage the line. An id has no colon.

use serde_json::{Map, Value, json};

use crate::grades::Sheet;

/// Writes the autoresult of one student, without a line end. A scoreboard has a column for each lab and one for the sum; an
/// assessment without a scoreboard must not get one.
pub fn line(sheet: &Sheet<'_>, scoreboard: bool) -> String {
    let mut scores = Map::new();
    let mut columns = Vec::new();
    for (lab, result) in &sheet.labs {
        let points = result.map(|one| one.points()).unwrap_or_default();
        let points = Value::Number(points.as_number());
        columns.push(points.clone());
        scores.insert(problem(&lab.id), points);
    }
    columns.push(Value::Number(sheet.points().as_number()));
    match scoreboard {
        true => json!({ "scores": scores, "scoreboard": columns }).to_string(),
        false => json!({ "scores": scores }).to_string(),
    }
}

/// The name of the problem for a lab: letters, digits, `-`, `_` and `.`; any other character is a `-`.
pub fn problem(lab: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    lab.replace(|c: char| !allowed(c), "-")
}
