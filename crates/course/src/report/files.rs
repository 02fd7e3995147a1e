//! The numbers of a report as files of comma-separated values.

use super::{
    numbers::{LabNumbers, Numbers},
    open::open,
    spread::{Spread, decimal},
};
use crate::{
    grades::{Grades, LabResult},
    table::{self, Separator},
};

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: &'static str,
    /// Its text. It begins with a byte order mark, without which a spreadsheet for Windows damages names.
    pub text: String,
}

/// The files of a class: its students, its questions and checks, its labs, and what is in no grade yet. A cell is empty where
/// nothing is known: a result whose parts were not all tried is no number of points.
pub fn files(grades: &Grades) -> [File; 4] {
    let numbers = Numbers::of(grades);
    [
        file("students.csv", students(&numbers)),
        file("checks.csv", checks(&numbers)),
        file("labs.csv", labs(&numbers)),
        file("not-graded.csv", not_graded(grades)),
    ]
}

fn file(name: &'static str, rows: Vec<Vec<String>>) -> File {
    let mut text = "\u{feff}".to_owned();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| table::harmless(cell)).collect();
        text.push_str(&table::line(
            cells.iter().map(String::as_str),
            Separator::Comma,
        ));
    }
    File { name, text }
}

fn heading(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn students(numbers: &Numbers<'_>) -> Vec<Vec<String>> {
    let labs = || numbers.labs.iter().map(|one| one.lab);
    let mut first = heading(&["id", "name", "section"]);
    first.extend(labs().map(|lab| lab.id.clone()));
    first.extend(heading(&["total", "of"]));
    let mut rows = vec![first];
    for (student, total) in numbers.grades.students().iter().zip(&numbers.totals) {
        let person = &student.person;
        let mut row = vec![
            person.id.to_string(),
            person.name.clone(),
            person.section.clone(),
        ];
        let results = labs().map(|lab| student.result(&lab.id));
        let known = |one: &LabResult| match one.is_complete() {
            true => one.points().to_string(),
            false => String::new(),
        };
        row.extend(results.map(|result| result.map_or_else(String::new, known)));
        let total = match student.results.iter().all(LabResult::is_complete) {
            true => total.to_string(),
            false => String::new(),
        };
        row.extend([total, numbers.of.to_string()]);
        rows.push(row);
    }
    rows
}

/// The parts that were not tried, and then the files that are nobody's work.
fn not_graded(grades: &Grades) -> Vec<Vec<String>> {
    let parts = open(grades).into_iter().map(|open| {
        vec![
            open.student.person.id.to_string(),
            open.result.lab.clone(),
            open.item.id.clone(),
            String::new(),
            String::new(),
            open.item.message.clone(),
        ]
    });
    let files = grades.files().iter().map(|file| {
        let [student, lab, item] = [const { String::new() }; 3];
        let time = file.time.to_string();
        vec![
            student,
            lab,
            item,
            file.path.clone(),
            time,
            file.why.clone(),
        ]
    });
    let first = heading(&["student", "lab", "item", "file", "time", "reason"]);
    std::iter::once(first).chain(parts).chain(files).collect()
}

fn checks(numbers: &Numbers<'_>) -> Vec<Vec<String>> {
    let rows = numbers.labs.iter().flat_map(|lab| {
        lab.items.iter().map(|one| {
            vec![
                lab.lab.id.clone(),
                one.item.id.clone(),
                one.item.title.clone(),
                one.passed.to_string(),
                one.of.to_string(),
            ]
        })
    });
    let first = heading(&["lab", "item", "title", "passed", "of"]);
    std::iter::once(first).chain(rows).collect()
}

fn labs(numbers: &Numbers<'_>) -> Vec<Vec<String>> {
    let median =
        |spread: Option<Spread>| spread.map_or_else(String::new, |spread| decimal(spread.median));
    let row = |lab: &LabNumbers<'_>| {
        vec![
            lab.lab.id.clone(),
            lab.handed_in().to_string(),
            median(lab.points),
            median(lab.minutes),
            median(lab.hints),
            lab.late.to_string(),
        ]
    };
    let first = heading(&[
        "lab",
        "handed in",
        "median points",
        "median minutes",
        "median hints",
        "late",
    ]);
    std::iter::once(first)
        .chain(numbers.labs.iter().map(row))
        .collect()
}
