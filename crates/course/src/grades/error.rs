//! Why grades cannot be used.

use thiserror::Error;

use crate::points::Points;

/// A fault in grades.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GradesError {
    /// No JSON, or not the JSON of grades.
    #[error("the grades cannot be read: {0}; grade the submissions again")]
    NotGrades(String),
    /// Written by another version of the program.
    #[error(
        "the grades have the format {found}, and this program reads the format {known}; use the version of latchstring that wrote them"
    )]
    Format {
        /// The format of the file.
        found: u64,
        /// The format of this program.
        known: u32,
    },
    /// Two students or two labs with one id.
    #[error("the {kind} {id:?} is in the grades twice; keep one of the two")]
    Twice {
        /// What it is: `student`, `lab`, `result of LAB`, `item of LAB`.
        kind: String,
        /// The id.
        id: String,
    },
    /// A result of a lab that the grades do not list.
    #[error(
        "the student {student} has a result of {lab:?}, and the grades list no such lab; add it to `labs`"
    )]
    UnknownLab {
        /// The student.
        student: String,
        /// The lab.
        lab: String,
    },
    /// Asked for a student who is not in the class.
    #[error("the grades have no student {0:?}; take an id from roster.csv")]
    NoStudent(String),
    /// Asked for a lab that was not graded.
    #[error("the grades have no lab {0:?}; the labs are {labs}", labs = .1.join(", "))]
    NoLab(String, Vec<String>),
    /// More points than there are.
    #[error("the item {item:?} of the lab {lab:?} of the student {student} has {points} of {of} points; no item earns more than it is worth, and none is worth more than {most} points", most = Points::MOST)]
    Points {
        /// The student.
        student: String,
        /// The lab.
        lab: String,
        /// The item.
        item: String,
        /// What was earned.
        points: Points,
        /// What could be earned.
        of: Points,
    },
    /// Points for what was not tried.
    #[error(
        "the item {item:?} of the lab {lab:?} of the student {student} was not graded, and has passed or has points; grade it again"
    )]
    NotTried {
        /// The student.
        student: String,
        /// The lab.
        lab: String,
        /// The item.
        item: String,
    },
    /// A result without a part of its verdicts, where a grade is wanted.
    #[error(
        "{item:?} of the lab {lab:?} of the student {student} was not graded: {why}. So there is no grade to write; grade it again with `latchstring course regrade` on a machine that lacks nothing"
    )]
    Incomplete {
        /// The student.
        student: String,
        /// The lab.
        lab: String,
        /// The first item that was not graded.
        item: String,
        /// Why.
        why: String,
    },
    /// The items of a result are not those of the lab.
    #[error(
        "the items of the lab {lab:?} of the student {student} are worth {found} points, and the lab {of}; grade it again with one version of the lab"
    )]
    Sum {
        /// The student.
        student: String,
        /// The lab.
        lab: String,
        /// The sum of the items.
        found: Points,
        /// The points of the lab.
        of: Points,
    },
}

/// Why two grades are not of one class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MergeError {
    /// Another course, another term, or other versions.
    #[error(
        "the grades differ in their {part}: {one:?} and {other:?}; merge only grades of one course that the same versions graded"
    )]
    Header {
        /// The part of the header.
        part: &'static str,
        /// In the first grades.
        one: String,
        /// In the other ones.
        other: String,
    },
    /// A lab with another title or other points.
    #[error(
        "the lab {0:?} has another title or other points in the other grades; grade both with one version of the lab"
    )]
    Lab(String),
    /// The same id with another name, address or number.
    #[error(
        "the student {0} has another name, address or number in the other grades; grade both with one roster.csv"
    )]
    Person(String),
    /// Graded twice, with different results.
    #[error(
        "the lab {lab:?} of the student {student} was graded twice, with different results; remove one of them"
    )]
    Result {
        /// The student.
        student: String,
        /// The lab.
        lab: String,
    },
    /// Together they are no grades.
    #[error(transparent)]
    Grades(#[from] GradesError),
}
