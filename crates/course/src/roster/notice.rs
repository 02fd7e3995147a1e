//! What reading a list left out, changed, or found worth a look.

use std::fmt;

use super::{Column, Id};

/// Why a line is no student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// Canvas' row with the points of each assignment.
    PointsPossible,
    /// Canvas' row that says which grades are not posted.
    Posting,
    /// Canvas' own test student.
    TestStudent,
    /// Somebody who teaches or manages, by the name, with the roles that the list gives.
    Teaches(String, String),
}

/// One thing that an instructor should know about a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A line that is no student.
    LeftOut {
        /// The line.
        line: usize,
        /// Why.
        why: LeftOut,
    },
    /// Columns that a roster has no use for.
    Columns(Vec<String>),
    /// Several students have this name.
    SameName {
        /// The name.
        name: String,
        /// The students.
        ids: Vec<Id>,
    },
    /// The list has no addresses, but these logins are addresses and were taken as such.
    AddressesFromLogins(usize),
    /// The list has no names, so the address stands for the name.
    NamesFromAddresses(usize),
    /// A control character in a cell became a space.
    Control {
        /// The line.
        line: usize,
        /// The column.
        column: Column,
    },
    /// Roles that are neither known to learn nor known to teach. Who has one is taken for a student.
    UnknownRoles(Vec<String>),
    /// A list of participants does not say which of them teach.
    MayHoldTeachers,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut { line, why } => write!(f, "line {line} was left out: {why}"),
            Self::Columns(names) => write!(f, "columns that were not used: {}", names.join(", ")),
            Self::SameName { name, ids } => {
                let ids: Vec<&str> = ids.iter().map(Id::as_str).collect();
                write!(f, "{} students are called {name}: {}", ids.len(), ids.join(", "))
            }
            Self::AddressesFromLogins(count) => write!(
                f,
                "the list has no e-mail addresses; logins that are addresses were used as such: {count}"
            ),
            Self::NamesFromAddresses(count) => write!(
                f,
                "the list has no names; students whose e-mail address is the name: {count}"
            ),
            Self::Control { line, column } => write!(
                f,
                "line {line}: a control character in the {column} was replaced by a space"
            ),
            Self::UnknownRoles(roles) => write!(
                f,
                "persons with these roles were taken for students: {}; remove the others from roster.csv",
                roles.join(", ")
            ),
            Self::MayHoldTeachers => f.write_str(
                "the list does not say which participants are students; remove the others from roster.csv",
            ),
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Teaches(name, role) => {
                return write!(f, "{name} is no student, and has the role {role:?}");
            }
            Self::PointsPossible => "it holds the points of the assignments",
            Self::Posting => "it says how grades are posted",
            Self::TestStudent => "it is the test student of Canvas",
        })
    }
}
