//! Moodle: grades and feedback to import under *Grades, Import, CSV file*.
//!
//! The rules are those of `grade/import/csv/classes/load_data.php` (moodle/moodle). Two of them are traps:
//!
//! * A row whose user is not found ends the whole import, and nothing is imported. Moodle compares addresses byte by byte, so
//!   their case is kept.
//! * A row with an *empty* user is taken for the user of the row before. So a student without the key is left out.
//!
//! Feedback alone loses the grade, so each lab has a column of each, to be imported together. Moodle shows feedback as HTML
//! (`FORMAT_MOODLE`), so `<`, `>` and `&` are written as entities.

use thiserror::Error;

use super::{
    Export, Note, graded,
    text::{about, item},
};
use crate::{
    grades::{Grades, Lab, LabResult},
    points::Points,
    roster::Person,
    table::{self, Separator},
};

/// By what Moodle finds a student.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Map it to "Email address".
    Email,
    /// Map it to "ID number": the number in the student information system.
    IdNumber,
    /// Map it to "Username".
    Username,
}

/// More points than a grade of Moodle has, unless its administrator has raised the limit.
const MOST: Points = Points::whole(100);

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoodleError {
    /// The import would fail at the first such grade.
    #[error(
        "the lab {lab:?} has {of} points, and Moodle imports no grade above {MOST}; grade the lab in parts"
    )]
    TooManyPoints {
        /// The lab.
        lab: String,
        /// Its points.
        of: Points,
    },
}

impl Key {
    const fn heading(self) -> &'static str {
        match self {
            Self::Email => "Email address",
            Self::IdNumber => "ID number",
            Self::Username => "Username",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Email => "e-mail address",
            Self::IdNumber => "number in the student information system",
            Self::Username => "login",
        }
    }

    fn of(self, person: &Person) -> &str {
        match self {
            Self::Email => &person.email,
            Self::IdNumber => &person.sis,
            Self::Username => &person.login,
        }
    }
}

/// Writes a grade and feedback for each lab. A lab that was not submitted has `-`, which is no grade.
///
/// # Errors
/// When a lab has more points than Moodle imports.
pub fn write(grades: &Grades, key: Key) -> Result<Export, MoodleError> {
    if let Some(lab) = grades.labs().iter().find(|lab| lab.of > MOST) {
        return Err(MoodleError::TooManyPoints {
            lab: lab.id.clone(),
            of: lab.of,
        });
    }
    let mut header = vec![key.heading().to_owned(), "Name".to_owned()];
    for lab in grades.labs() {
        let title = table::harmless(&lab.title);
        header.extend([title.clone(), format!("{title} (Feedback)")]);
    }
    let mut export = Export {
        text: row(&header),
        notes: Vec::new(),
    };
    for student in grades.students() {
        let user = match user(&student.person, key) {
            Ok(user) => user,
            Err(note) => {
                export.notes.push(note);
                continue;
            }
        };
        let mut cells = vec![user.to_owned(), table::harmless(&student.person.name)];
        for lab in grades.labs() {
            let result = student.result(&lab.id);
            let grade = graded(student, &lab.id, &mut export.notes);
            cells.push(grade.map_or_else(|| "-".to_owned(), |one| one.points().to_string()));
            cells.push(feedback(lab, result));
        }
        export.text.push_str(&row(&cells));
    }
    Ok(export)
}

/// The text by which Moodle finds the student; unchanged, or Moodle would not find it.
fn user(person: &Person, key: Key) -> Result<&str, Note> {
    let (text, student) = (key.of(person), person.id.clone());
    let key = key.name();
    match text {
        "" => Err(Note::NoKey { student, key }),
        text if table::harmless(text) != text => Err(Note::FormulaKey { student, key }),
        text => Ok(text),
    }
}

fn feedback(lab: &Lab, result: Option<&LabResult>) -> String {
    let items = result.iter().flat_map(|result| &result.items).map(item);
    let lines: Vec<String> = about(lab, result).into_iter().chain(items).collect();
    let text = lines.join("\n");
    let html = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    table::harmless(&html)
}

fn row(cells: &[String]) -> String {
    table::line(cells.iter().map(String::as_str), Separator::Comma)
}
