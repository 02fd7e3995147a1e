//! Why a list of students cannot be used, and what to do.

use thiserror::Error;

use super::{Column, Id, NotAnId};
use crate::table::TableFault;

/// A fault in a list of students.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}{}: {fault}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct RosterError {
    /// The name of the file.
    pub file: String,
    /// The line, counted from 1; `None` if it is the whole file.
    pub line: Option<usize>,
    /// The fault.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The file is no table.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// There is no line.
    #[error(
        "the list of students is empty; export it again, or write a line `name,email` and below it a line for each student"
    )]
    Empty,
    /// There is a header and no student.
    #[error("the list has no student; export it again, or add a line for each student")]
    NoStudents,
    /// A column that every list needs.
    #[error("there is no column for the {0} of a student; the columns are {found}; rename one of them to `{column}`", .found = quoted(.1), .column = .0.heading())]
    NoColumn(Column, Vec<String>),
    /// Neither an address nor a login: nothing tells two students of the same name apart.
    #[error("there is no column for the e-mail address or the login of a student; the columns are {}; rename one of them to `email` or `login`", quoted(.0))]
    NoKeyColumn(Vec<String>),
    /// Two columns of the same meaning.
    #[error("two columns are the {0} of a student: {1:?} and {2:?}; rename or remove one of them")]
    ColumnTwice(Column, String, String),
    /// Two columns that say who teaches.
    #[error("two columns are the role of a person: {0:?} and {1:?}; rename or remove one of them")]
    RoleTwice(String, String),
    /// Without a header the meaning of the columns is not certain.
    #[error(
        "the list has no header, and its columns are not one name and one e-mail address; write a first line such as `name,email`"
    )]
    NoHeader,
    /// More cells than the header has: something has moved, most often by a separator in a name.
    #[error(
        "the line has {found} cells, and the header has {wanted}; put a cell with a separator in it between quotes"
    )]
    TooManyCells {
        /// The cells of the line.
        found: usize,
        /// The cells of the header.
        wanted: usize,
    },
    /// A cell that every student needs.
    #[error("the {0} of the student is missing; fill it in, or remove the line")]
    Missing(Column),
    /// A line without anything that an id could come from.
    #[error(
        "the student has no login, no e-mail address and no number; fill in one of them, or remove the line"
    )]
    NoKey,
    /// Not an address.
    #[error("{0:?} is not an e-mail address; correct it, or leave the cell empty")]
    NotAnAddress(String),
    /// An id that a person has edited.
    #[error("{0}; correct it, or leave the cell empty to get a new one")]
    NotAnId(#[from] NotAnId),
    /// The same student twice, or two with one account.
    #[error(
        "the {column} {text:?} is also in line {first}; remove one of the two lines, or correct it"
    )]
    Twice {
        /// The column.
        column: Column,
        /// The cell.
        text: String,
        /// The line in which it is for the first time.
        first: usize,
    },
    /// Two students whose ids are equal by chance.
    #[error(
        "the student gets the id {id}, which the student in line {first} has; add a column `id` and write an id for each of them"
    )]
    SameId {
        /// The id.
        id: Id,
        /// The line of the other student.
        first: usize,
    },
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}
