//! Canvas: a gradebook to import.
//!
//! [`fill`] fills the instructor's own export, and so never misses a student or an assignment. [`write()`] makes a file
//! alone. Canvas takes a column that it does not know for a new assignment. The rules are those of the importer,
//! `lib/gradebook_importer.rb` (instructure/canvas-lms).

use crate::{
    grades::Grades,
    roster::Person,
    table::{self, Separator},
};

use super::{Export, Note, graded};

mod fill;

pub use fill::{FillError, fill};

/// The columns in front of the assignments. The importer wants `SIS Login ID` where there is `SIS User ID`.
const COLUMNS: [&str; 5] = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"];

/// Writes a gradebook with a column for each lab, called by its title. A lab that was not submitted has an empty cell, which
/// leaves the grade in Canvas as it is.
///
/// Canvas finds a student by `ID`, then by the two SIS columns, then by the name. So a student with none of the first three
/// is left out: a name can be somebody else's.
pub fn write(grades: &Grades) -> Export {
    let titles = grades.labs().iter().map(|lab| table::harmless(&lab.title));
    let header: Vec<String> = COLUMNS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(titles)
        .collect();
    let points = grades.labs().iter().map(|lab| lab.of.to_string());
    // As the exporter of Canvas writes it, spaces included.
    let possible = ["    Points Possible", "", "", "", ""].map(str::to_owned);
    let possible: Vec<String> = possible.into_iter().chain(points).collect();
    let mut export = Export {
        text: row(&header) + &row(&possible),
        notes: Vec::new(),
    };
    for student in grades.students() {
        let person = &student.person;
        if let Err(note) = has_key(person) {
            export.notes.push(note);
            continue;
        }
        let known = [
            &person.name,
            &person.number,
            &person.sis,
            &person.login,
            &person.section,
        ];
        let known = known.map(|text| table::harmless(text));
        let notes = &mut export.notes;
        let results = (grades.labs().iter()).map(|lab| graded(student, &lab.id, notes));
        let results =
            results.map(|result| result.map_or_else(String::new, |one| one.points().to_string()));
        let cells: Vec<String> = known.into_iter().chain(results).collect();
        export.text.push_str(&row(&cells));
    }
    export
}

fn row(cells: &[String]) -> String {
    table::line(cells.iter().map(String::as_str), Separator::Comma)
}

/// Whether Canvas can find the student, and by a text that stays as it is.
fn has_key(person: &Person) -> Result<(), Note> {
    let student = || person.id.clone();
    let key = "number, SIS number and login";
    let keys = [&person.number, &person.sis, &person.login];
    let mut keys = keys.into_iter().filter(|key| !key.is_empty()).peekable();
    if keys.peek().is_none() {
        return Err(Note::NoKey {
            student: student(),
            key,
        });
    }
    match keys.any(|key| table::harmless(key) == *key) {
        true => Ok(()),
        false => Err(Note::FormulaKey {
            student: student(),
            key,
        }),
    }
}
