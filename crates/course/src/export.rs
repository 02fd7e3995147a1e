//! The files that learning platforms read, one format a file. All are made from [`grades`](crate::grades).
//!
//! | format | of | function |
//! | --- | --- | --- |
//! | Gradescope `results.json` | one student | [`gradescope::results`] |
//! | Gradescope autograder | the course | [`gradescope::archive`] |
//! | Canvas gradebook | the class | [`canvas::write`], [`canvas::fill`] |
//! | Moodle grades | the class | [`moodle::write`] |
//! | Classroom 50 `result.json` | one student | [`classroom50::write`] |
//! | Autolab autoresult | one student | [`autolab::line`] |
//! | PrairieLearn `results.json` | one student | [`prairielearn::write`] |
//! | JUnit XML | students | [`junit::write`] |
//! | CTFd `challenge.yml` | one lab | [`ctfd::challenge`] |
//!
//! Names and messages are strangers' text. Each file escapes them as its reader wants it, and nothing that was left out is
//! left out silently: it is a [`Note`]. A remark that is evidence against a student goes to the instructor alone.

use std::{
    fmt,
    mem::{Discriminant, discriminant},
};

use crate::{
    grades::{LabResult, Student},
    points::Points,
    roster::Id,
};

pub mod autolab;
pub mod canvas;
pub mod classroom50;
pub mod ctfd;
pub mod gradescope;
pub mod junit;
pub mod moodle;
pub mod prairielearn;
mod text;

/// A file for a whole class, and what an instructor should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The file.
    pub text: String,
    /// What was left out, kept or replaced.
    pub notes: Vec<Note>,
}

/// One thing that an instructor should know about an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The platform knows a student by this text, and the roster has none.
    NoKey {
        /// The student.
        student: Id,
        /// What is missing.
        key: &'static str,
    },
    /// The platform knows the student by a text that a spreadsheet would take for a formula.
    FormulaKey {
        /// The student.
        student: Id,
        /// What it is.
        key: &'static str,
    },
    /// A student who was graded is not in the instructor's file.
    NotInFile(Id),
    /// Several students match one line of the instructor's file, or one student several lines.
    Ambiguous {
        /// The line.
        line: usize,
        /// The name in this line.
        name: String,
    },
    /// A student of the instructor's file was not graded.
    NotGraded {
        /// The line.
        line: usize,
        /// The name in this line.
        name: String,
    },
    /// Parts of a result were not graded, so it has no grade yet.
    Incomplete {
        /// The student.
        student: Id,
        /// The lab.
        lab: String,
        /// How many parts.
        parts: usize,
    },
    /// A lab has no column in the instructor's file.
    NoColumn {
        /// The lab's id.
        lab: String,
        /// Its title.
        title: String,
    },
    /// The assignment of the platform has other points than the lab.
    PointsDiffer {
        /// The column.
        column: String,
        /// The points of the assignment.
        possible: String,
        /// The points of the lab.
        of: Points,
    },
    /// The platform excuses the student from the assignment, so that no grade was written.
    Excused {
        /// The student.
        student: Id,
        /// The column.
        column: String,
    },
    /// A grade that was in the instructor's file was replaced.
    Replaced {
        /// The student.
        student: Id,
        /// The column.
        column: String,
        /// The grade that was there.
        before: String,
        /// The grade of the lab.
        now: Points,
    },
}

/// The result of a student in a lab, if it is a grade. A result that lacks verdicts is a note.
fn graded<'a>(student: &'a Student, lab: &str, notes: &mut Vec<Note>) -> Option<&'a LabResult> {
    let result = student.result(lab)?;
    let parts = result.not_graded().count();
    if parts == 0 {
        return Some(result);
    }
    notes.push(Note::Incomplete {
        student: student.person.id.clone(),
        lab: lab.to_owned(),
        parts,
    });
    None
}

/// So many notes of one kind are told one by one.
const MOST_ALIKE: usize = 5;

/// The notes for a person. Of many that are alike the first are told, and the others are counted.
pub fn told(notes: &[Note]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut kinds: Vec<(Discriminant<Note>, Vec<&Note>)> = Vec::new();
    for note in notes {
        let kind = discriminant(note);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, alike)) => alike.push(note),
            None => kinds.push((kind, vec![note])),
        }
    }
    for (_, alike) in kinds {
        // To count one note takes the line that the note would take.
        let shown = match alike.len() > MOST_ALIKE + 1 {
            true => MOST_ALIKE,
            false => alike.len(),
        };
        lines.extend(alike[..shown].iter().map(ToString::to_string));
        if let more @ 1.. = alike.len() - shown {
            lines.push(format!("and {more} more of this kind"));
        }
    }
    lines
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey { student, key } => {
                write!(
                    f,
                    "{student} was left out: the roster has no {key} of this student"
                )
            }
            Self::FormulaKey { student, key } => write!(
                f,
                "{student} was left out: a spreadsheet takes the {key} for a formula; enter this student's grades by hand"
            ),
            Self::NotInFile(student) => {
                write!(
                    f,
                    "{student} was left out: no line of the file is this student"
                )
            }
            Self::Ambiguous { line, name } => write!(
                f,
                "line {line} ({name}) was left as it is: it is not certain which student it is"
            ),
            Self::NotGraded { line, name } => {
                write!(
                    f,
                    "line {line} ({name}) was left as it is: the student was not graded"
                )
            }
            Self::Incomplete {
                student,
                lab,
                parts,
            } => write!(
                f,
                "{student} has no grade in {lab}: {parts} of its parts {} not graded. Grade it again with `latchstring course regrade` on a machine that lacks nothing",
                if *parts == 1 { "was" } else { "were" }
            ),
            Self::NoColumn { lab, title } => write!(
                f,
                "the lab {lab} was left out: no column is called {title:?} or {lab:?}"
            ),
            Self::PointsDiffer {
                column,
                possible,
                of,
            } => write!(
                f,
                "the column {column:?} has {possible} points, and the lab {of}; change the points of the assignment"
            ),
            Self::Excused { student, column } => {
                write!(
                    f,
                    "{student} is excused in {column:?}, which was left as it is"
                )
            }
            Self::Replaced {
                student,
                column,
                before,
                now,
            } => write!(f, "{student} had {before} in {column:?} and has {now} now"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_notes_of_one_kind_are_counted_and_no_kind_is_hidden() {
        let note = |line: usize| Note::NotGraded {
            line,
            name: format!("N{line}"),
        };
        let mut notes: Vec<Note> = (1..=17).map(note).collect();
        notes.insert(3, Note::NotInFile(Id::try_from("anna".to_owned()).unwrap()));
        let said = told(&notes);
        assert_eq!(said.len(), 7, "{said:?}");
        assert!(said[4].starts_with("line 5 (N5)"), "{said:?}");
        assert_eq!(said[5], "and 12 more of this kind");
        assert!(said[6].starts_with("anna was left out"), "{said:?}");
        // Six lines are not longer than five and a count.
        assert_eq!(told(&notes[..7]).len(), 7);
    }
}
