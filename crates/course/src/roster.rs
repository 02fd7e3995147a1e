//! The students of a class.
//!
//! [`read`] takes the export of a learning platform or a plain list, and names the format that it found. It guesses nothing
//! silently: each line that is no student, and each change, is one of its [`Notice`]s. [`Roster::to_csv`] writes the one
//! list that the project works with, `roster.csv`. A person can edit it, and it reads back equal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::table::{self, Separator, Table};

mod column;
mod error;
mod format;
mod heading;
mod id;
mod notice;
mod people;

pub use column::Column;
pub use error::{Fault, RosterError};
pub use format::Format;
pub use id::{Id, NotAnId, spelled};
pub use notice::{LeftOut, Notice};

/// One student. A text is empty if the list does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Names folders and archives. It is never empty.
    pub id: Id,
    /// The name as the learning platform writes it, such as `Muster, Anna`. It is never empty.
    pub name: String,
    /// The e-mail address, with the case that the learning platform uses: Moodle compares it byte by byte.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The name of the account at the university or the learning platform.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub login: String,
    /// The number in the student information system: the matriculation number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sis: String,
    /// The number that the learning platform itself uses: `ID` of Canvas.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// The section or group of the class.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub section: String,
}

/// The students of a class, each once, in the order of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    people: Vec<Person>,
}

/// What was read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The students.
    pub roster: Roster,
    /// The format that was recognised.
    pub format: Format,
    /// How the characters were stored.
    pub encoding: table::Encoding,
    /// The character between the cells.
    pub separator: Separator,
    /// What was left out, changed or is worth a look. An instructor should see all of it.
    pub notices: Vec<Notice>,
}

/// Reads a list of students. `file` is its name, for errors only.
///
/// # Errors
/// When the file is empty or no table, a column is missing, or two lines are the same student.
pub fn read(file: &str, bytes: &[u8]) -> Result<Reading, RosterError> {
    let at = |line, fault| RosterError {
        file: file.to_owned(),
        line,
        fault,
    };
    let table = Table::read(bytes).map_err(|error| at(Some(error.line), error.fault.into()))?;
    let Some(first) = table.rows.first() else {
        return Err(at(None, Fault::Empty));
    };
    let layout = format::recognise(&table.rows).map_err(|fault| at(Some(first.line), fault))?;
    let (people, mut notices) =
        people::read(&table.rows, &layout).map_err(|(line, fault)| at(line, fault))?;
    let roster = Roster { people };
    notices.extend(roster.same_names());
    Ok(Reading {
        roster,
        format: layout.format,
        encoding: table.encoding,
        separator: table.separator,
        notices,
    })
}

impl Roster {
    /// The students in the order of the list.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The student with this id.
    pub fn find(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id.as_str() == id)
    }

    /// The one student with this text in a column, such as the address or the login that a platform gives. Letters of both
    /// cases count as equal. `None` if there is no such student, or several.
    pub fn find_by(&self, column: Column, text: &str) -> Option<&Person> {
        let (text, mut people) = (text.trim().to_lowercase(), self.people.iter());
        let mut same =
            |person: &&Person| !text.is_empty() && person.get(column).to_lowercase() == text;
        let found = people.by_ref().find(&mut same);
        found.filter(|_| !people.any(|person| same(&person)))
    }

    /// The list as `roster.csv`. It begins with a byte order mark. Without the mark a spreadsheet for Windows takes the
    /// file for another encoding. It would damage every name outside ASCII when a person saves the file.
    pub fn to_csv(&self) -> String {
        let header = Column::ALL.map(Column::heading);
        let mut text = format!("\u{feff}{}", table::line(header, Separator::Comma));
        for person in &self.people {
            let cells = Column::ALL.map(|column| table::harmless(person.get(column)));
            text.push_str(&table::line(
                cells.iter().map(String::as_str),
                Separator::Comma,
            ));
        }
        text
    }

    /// The students whose ids are wanted.
    pub fn only(&self, wanted: impl Fn(&Id) -> bool) -> Self {
        let people = self.people.iter().filter(|person| wanted(&person.id));
        Self {
            people: people.cloned().collect(),
        }
    }

    /// This list, with one more student at its end.
    #[must_use]
    pub fn with(&self, person: Person) -> Self {
        let mut people = self.people.clone();
        people.push(person);
        Self { people }
    }

    /// This list with a newer one. A student who is in both is as the newer list says, and keeps id and place. A student is
    /// known by the id, or else by the number, the login or the address. An empty text of the newer list says nothing. Nobody
    /// is taken out.
    pub fn updated(&self, newer: &Self) -> Updated {
        let mut people = self.people.clone();
        let (mut added, mut changed) = (0, 0);
        let mut named = BTreeSet::new();
        for person in &newer.people {
            match self.known(person) {
                Some(at) => {
                    named.insert(at);
                    people[at].learn(person);
                    changed += usize::from(people[at] != self.people[at]);
                }
                None => {
                    people.push(person.clone());
                    added += 1;
                }
            }
        }
        let gone = self.people.iter().enumerate();
        let gone = gone.filter(|(at, _)| !named.contains(at));
        Updated {
            not_named: gone.map(|(_, person)| person.id.clone()).collect(),
            roster: Self { people },
            added,
            changed,
        }
    }

    /// The place of the student who this person is.
    fn known(&self, person: &Person) -> Option<usize> {
        let by_id = self.people.iter().position(|known| known.id == person.id);
        let mut columns = [Column::Sis, Column::Login, Column::Email].into_iter();
        by_id.or_else(|| {
            columns.find_map(|column| {
                let text = person.get(column).to_lowercase();
                let same = |known: &Person| known.get(column).to_lowercase() == text;
                (!text.is_empty()).then(|| self.people.iter().position(same))?
            })
        })
    }

    /// Names that several students have. That is allowed, but a person who looks for one of them should know.
    fn same_names(&self) -> Vec<Notice> {
        let mut ids: BTreeMap<&str, Vec<Id>> = BTreeMap::new();
        for person in &self.people {
            ids.entry(&person.name).or_default().push(person.id.clone());
        }
        let several = ids.into_iter().filter(|(_, ids)| ids.len() > 1);
        several
            .map(|(name, ids)| Notice::SameName {
                name: name.to_owned(),
                ids,
            })
            .collect()
    }
}

/// What [`Roster::updated`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// Both lists together.
    pub roster: Roster,
    /// How many students are new.
    pub added: usize,
    /// How many have another name, address or number than before.
    pub changed: usize,
    /// Who is in the older list alone.
    pub not_named: Vec<Id>,
}

impl Person {
    /// Takes over the texts that are not empty.
    fn learn(&mut self, newer: &Self) {
        let texts = [
            (&mut self.name, &newer.name),
            (&mut self.email, &newer.email),
            (&mut self.login, &newer.login),
            (&mut self.sis, &newer.sis),
            (&mut self.number, &newer.number),
            (&mut self.section, &newer.section),
        ];
        for (known, newer) in texts {
            if !newer.is_empty() {
                known.clone_from(newer);
            }
        }
    }

    /// The text in this column of `roster.csv`.
    pub fn get(&self, column: Column) -> &str {
        match column {
            Column::Id => self.id.as_str(),
            Column::Name => &self.name,
            Column::Email => &self.email,
            Column::Login => &self.login,
            Column::Sis => &self.sis,
            Column::Number => &self.number,
            Column::Section => &self.section,
        }
    }
}

#[cfg(test)]
mod tests;
