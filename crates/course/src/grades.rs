//! The grades of one class: what the grader found, exact and complete. All exports are made from them.
//!
//! [`Grades`] is always in order, so equal grades are equal files: students by their id, labs and items as the labs have
//! them. `grades.json` is written by [`Grades::to_json`]; points in it are hundredths of a point, as integers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{moment::Moment, points::Points, roster::Person};

mod check;
mod error;
mod file;
mod merge;
mod part;
mod sheet;

pub use error::{GradesError, MergeError};
pub use file::FORMAT;
pub use part::{Part, PartError, all_parts};
pub use sheet::Sheet;

/// What was graded, when and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The name of the course.
    pub course: String,
    /// The term.
    pub term: String,
    /// When the grader ran: a parameter of the grader, never its clock.
    pub graded: Moment,
    /// The programs that graded, each with its version.
    pub versions: BTreeMap<String, String>,
}

/// A lab of the course: a column of a gradebook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lab {
    /// The lab's id, such as `01-say-the-name`.
    pub id: String,
    /// The title.
    pub title: String,
    /// All points of the lab.
    pub of: Points,
}

/// One student, and a result for each lab of which something was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Student {
    /// The student, as in the roster.
    #[serde(flatten)]
    pub person: Person,
    /// The results, at most one for each lab. A lab without a result was not submitted.
    pub results: Vec<LabResult>,
}

/// What the grader found in one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LabResult {
    /// The lab's id.
    pub lab: String,
    /// When it was submitted, if the submission or the platform says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<Moment>,
    /// How many minutes it came after the deadline; 0 if it was in time or there is no deadline.
    #[serde(default)]
    pub late_minutes: u32,
    /// How many hints the student took.
    #[serde(default)]
    pub hints: u32,
    /// How many minutes the student worked, if the submission says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// Each question and each check of the lab.
    pub items: Vec<Item>,
    /// What was wrong with the submission itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// One question or check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The id within its lab.
    pub id: String,
    /// What the student reads.
    pub title: String,
    /// The points that were earned.
    pub points: Points,
    /// The points that could be earned.
    pub of: Points,
    /// Whether it passed. An item without points also passes or fails.
    pub passed: bool,
    /// Whether it was not tried, because the grading machine lacked something. Then it has neither passed nor failed, has no
    /// points yet, and the message says what was lacking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_graded: bool,
    /// What the grader found, for the student.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// A file that is in nobody's grade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UngradedFile {
    /// Its path, below the folder with what was handed in.
    pub path: String,
    /// What kind of trouble it is. Some of it is not for the student.
    pub kind: RemarkKind,
    /// Why, and what to do.
    pub why: String,
    /// When the server received it, or else when the grader found it.
    pub time: Moment,
}

/// A trouble of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// The kind.
    pub kind: RemarkKind,
    /// A sentence about it.
    pub sentence: String,
}

/// What kind of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemarkKind {
    /// The submission, or a part of it, could not be read.
    Unreadable,
    /// A part of the submission is missing.
    Missing,
    /// It was made with another version of the lab.
    Version,
    /// It came after the deadline.
    Late,
    /// It was submitted more than once.
    Again,
    /// Where the files are that were submitted more than once. It is for the instructor, because a path can name another student.
    Paths,
    /// The grader ran without a limit that it should have had.
    Limits,
    /// Something in it was made for another student. It is evidence to look at, and no verdict.
    AnotherStudent,
    /// A part of it does not follow from the rest: an answer, a capture or a transcript was changed.
    Altered,
    /// Anything else.
    Other,
}

impl RemarkKind {
    /// Whether the student may read it in the platform. Evidence is for the instructor, who talks to the student first.
    pub const fn is_for_student(self) -> bool {
        match self {
            Self::Unreadable | Self::Missing | Self::Version | Self::Late | Self::Again => true,
            Self::Paths | Self::Limits | Self::AnotherStudent | Self::Altered | Self::Other => {
                false
            }
        }
    }
}

impl LabResult {
    /// The points that were earned.
    pub fn points(&self) -> Points {
        self.items.iter().map(|item| item.points).sum()
    }

    /// The points that could be earned.
    pub fn of(&self) -> Points {
        self.items.iter().map(|item| item.of).sum()
    }

    /// The items that were not tried. Until they are, the points of this result are no grade.
    pub fn not_graded(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.not_graded)
    }

    /// Whether every item was tried.
    pub fn is_complete(&self) -> bool {
        self.not_graded().next().is_none()
    }

    /// Whether every item passed.
    pub fn passed(&self) -> bool {
        self.items.iter().all(|item| item.passed)
    }

    /// The remarks that the student may read.
    pub fn remarks_for_student(&self) -> impl Iterator<Item = &Remark> {
        let remarks = self.remarks.iter();
        remarks.filter(|remark| remark.kind.is_for_student())
    }
}

impl Student {
    /// The result of this lab.
    pub fn result(&self, lab: &str) -> Option<&LabResult> {
        self.results.iter().find(|result| result.lab == lab)
    }
}

/// The grades of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grades {
    header: Header,
    labs: Vec<Lab>,
    students: Vec<Student>,
    files: Vec<UngradedFile>,
    part: Option<Part>,
}

impl Grades {
    /// Grades in order.
    ///
    /// # Errors
    /// When an id is there twice, a result is of no lab in the list, or the points of its items do not add up.
    pub fn new(
        header: Header,
        mut labs: Vec<Lab>,
        mut students: Vec<Student>,
    ) -> Result<Self, GradesError> {
        labs.sort_by(|a, b| a.id.cmp(&b.id));
        students.sort_by(|a, b| a.person.id.cmp(&b.person.id));
        for student in &mut students {
            student.results.sort_by(|a, b| a.lab.cmp(&b.lab));
        }
        check::check(&labs, &students)?;
        Ok(Self {
            header,
            labs,
            students,
            files: Vec::new(),
            part: None,
        })
    }

    /// The same, with the files that are in nobody's grade. Of two with one path, the later one is kept.
    #[must_use]
    pub fn with_files(mut self, mut files: Vec<UngradedFile>) -> Self {
        files.sort_by(|a, b| (&a.path, &b.time).cmp(&(&b.path, &a.time)));
        files.dedup_by(|a, b| a.path == b.path);
        self.files = files;
        self
    }

    /// The same, as a part of the class.
    #[must_use]
    pub fn with_part(mut self, part: Option<Part>) -> Self {
        self.part = part;
        self
    }

    /// What was graded, when and by what.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The labs, by their id.
    pub fn labs(&self) -> &[Lab] {
        &self.labs
    }

    /// The students, by their id.
    pub fn students(&self) -> &[Student] {
        &self.students
    }

    /// The files that are in nobody's grade, by their paths.
    pub fn files(&self) -> &[UngradedFile] {
        &self.files
    }

    /// Which part of the class this is; `None` if it is all of it.
    pub const fn part(&self) -> Option<&Part> {
        self.part.as_ref()
    }

    /// What one student did in these labs; in all of them if none is named.
    ///
    /// # Errors
    /// When the class has no such student or no such lab.
    pub fn sheet(&self, student: &str, labs: &[&str]) -> Result<Sheet<'_>, GradesError> {
        sheet::of(self, student, labs)
    }
}

#[cfg(test)]
mod tests;
