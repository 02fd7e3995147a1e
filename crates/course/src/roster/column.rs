//! The columns of `roster.csv`.

use std::fmt;

/// A column of a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The student's id.
    Id,
    /// The name.
    Name,
    /// The e-mail address.
    Email,
    /// The name of the account.
    Login,
    /// The number in the student information system.
    Sis,
    /// The number of the learning platform.
    Number,
    /// The section or group.
    Section,
}

impl Column {
    /// In the order of `roster.csv`.
    pub const ALL: [Self; 7] = [
        Self::Id,
        Self::Name,
        Self::Email,
        Self::Login,
        Self::Sis,
        Self::Number,
        Self::Section,
    ];

    /// The heading in `roster.csv`.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Email => "email",
            Self::Login => "login",
            Self::Sis => "sis",
            Self::Number => "number",
            Self::Section => "section",
        }
    }
}

/// In a sentence.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "e-mail address",
            Self::Sis => "number in the student information system",
            Self::Number => "number in the learning platform",
            other => other.heading(),
        })
    }
}
