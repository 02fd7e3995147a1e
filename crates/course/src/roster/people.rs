//! From the rows of a list to students.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Column, Fault, Format, Id, LeftOut, Notice, Person,
    format::{Layout, NameIn},
    heading::{Role, role},
};
use crate::table::{self, Row};

/// A fault, with its line if it is in one.
type At = (Option<usize>, Fault);

/// The students of these rows, and what was left out or changed.
pub(super) fn read(rows: &[Row], layout: &Layout) -> Result<(Vec<Person>, Vec<Notice>), At> {
    let mut reader = Reader {
        layout,
        people: Vec::new(),
        notices: Vec::new(),
        seen: BTreeMap::new(),
        unknown_roles: BTreeSet::new(),
    };
    for row in &rows[usize::from(layout.header)..] {
        let why = left_out(row, layout.format).or_else(|| reader.teaches(row));
        match why {
            Some(why) => reader.notices.push(Notice::LeftOut {
                line: row.line,
                why,
            }),
            None => (reader.add(row)).map_err(|fault| (Some(row.line), fault))?,
        }
    }
    if reader.people.is_empty() {
        return Err((None, Fault::NoStudents));
    }
    reader.sum_up();
    Ok((reader.people, reader.notices))
}

/// Whether a row of an export is no student: as the importer of Canvas decides it.
fn left_out(row: &Row, format: Format) -> Option<LeftOut> {
    if format != Format::Canvas {
        return None;
    }
    // Below the totals, which Canvas computes, the row has a text of its own.
    let posting = |cell: &str| {
        ["", "Muted", "(read only)"].contains(&cell) || cell.starts_with("Manual Posting")
    };
    match row.get(0) {
        name if name.contains("Points Possible") => Some(LeftOut::PointsPossible),
        "Student, Test" => Some(LeftOut::TestStudent),
        _ if row.cells.iter().all(|cell| posting(cell.trim())) => Some(LeftOut::Posting),
        _ => None,
    }
}

struct Reader<'a> {
    layout: &'a Layout,
    people: Vec<Person>,
    notices: Vec<Notice>,
    /// The line in which a cell was for the first time. Letters of both cases count as equal: so do mail servers, and
    /// file systems that would hold the students' folders.
    seen: BTreeMap<(Column, String), usize>,
    /// The roles of which nobody knows whether they teach.
    unknown_roles: BTreeSet<String>,
}

impl Reader<'_> {
    fn add(&mut self, row: &Row) -> Result<(), Fault> {
        let wanted = self.layout.width;
        let mut more = row.cells.iter().skip(wanted);
        if more.any(|cell| !cell.trim().is_empty()) {
            let found = row.cells.len();
            return Err(Fault::TooManyCells { found, wanted });
        }
        let login = self.text(row, Column::Login);
        let email = self.address(row, &login)?;
        let mut person = Person {
            id: Id::of(""),
            name: self.name(row, &email)?,
            email,
            login,
            sis: self.text(row, Column::Sis),
            number: self.text(row, Column::Number),
            section: self.text(row, Column::Section),
        };
        person.id = self.id(row, &person)?;
        self.once(row.line, &person)?;
        self.people.push(person);
        Ok(())
    }

    /// Why a person is no student, if the list says that the person teaches.
    fn teaches(&mut self, row: &Row) -> Option<LeftOut> {
        let cell = row.get(self.layout.role?);
        if cell.is_empty() {
            return None;
        }
        match role(cell) {
            Role::Student => None,
            Role::Teaches => {
                let name = self.name(row, "").unwrap_or_else(|_| "a person".to_owned());
                Some(LeftOut::Teaches(name, cell.to_owned()))
            }
            Role::Unknown => {
                self.unknown_roles.insert(cell.to_owned());
                None
            }
        }
    }

    /// A cell without an apostrophe of ours and without control characters.
    fn text(&mut self, row: &Row, column: Column) -> String {
        let place = self.layout.place(column);
        place.map_or_else(String::new, |at| self.cell(row, column, at))
    }

    fn cell(&mut self, row: &Row, column: Column, at: usize) -> String {
        let text = table::original(row.get(at));
        if !text.contains(char::is_control) {
            return text.trim().to_owned();
        }
        self.notices.push(Notice::Control {
            line: row.line,
            column,
        });
        text.replace(char::is_control, " ").trim().to_owned()
    }

    fn address(&mut self, row: &Row, login: &str) -> Result<String, Fault> {
        let email = match self.layout.place(Column::Email) {
            Some(_) => self.text(row, Column::Email),
            // Counted in `sum_up`.
            None if is_address(login) => login.to_owned(),
            None => String::new(),
        };
        match email.is_empty() || is_address(&email) {
            true => Ok(email),
            false => Err(Fault::NotAnAddress(email)),
        }
    }

    fn name(&mut self, row: &Row, email: &str) -> Result<String, Fault> {
        let name = match self.layout.name {
            NameIn::One(at) => self.cell(row, Column::Name, at),
            NameIn::Two(first, last) => {
                let first = self.cell(row, Column::Name, first);
                let last = self.cell(row, Column::Name, last);
                format!("{first} {last}").trim().to_owned()
            }
            NameIn::Beside(first, name) => {
                let first = self.cell(row, Column::Name, first);
                let name = self.cell(row, Column::Name, name);
                match has_words_of(&name, &first) {
                    true => name,
                    false => format!("{first} {name}").trim().to_owned(),
                }
            }
            NameIn::Nowhere => email.to_owned(),
        };
        match name.is_empty() {
            true => Err(Fault::Missing(Column::Name)),
            false => Ok(name),
        }
    }

    /// The id that the list gives, or the one that belongs to this student.
    fn id(&mut self, row: &Row, person: &Person) -> Result<Id, Fault> {
        let given = self.text(row, Column::Id);
        if !given.is_empty() {
            return Ok(Id::try_from(given)?);
        }
        let keys = [&person.login, &person.email, &person.sis, &person.number];
        let key = keys.into_iter().find(|key| !key.is_empty());
        key.map(|key| Id::of(key)).ok_or(Fault::NoKey)
    }

    /// Nobody is in the list twice.
    fn once(&mut self, line: usize, person: &Person) -> Result<(), Fault> {
        for column in [Column::Email, Column::Login, Column::Sis, Column::Number] {
            let text = person.get(column);
            if text.is_empty() {
                continue;
            }
            if let Some(first) = self.first(column, text, line) {
                let text = text.to_owned();
                return Err(Fault::Twice {
                    column,
                    text,
                    first,
                });
            }
        }
        match self.first(Column::Id, person.id.as_str(), line) {
            None => Ok(()),
            Some(first) => Err(Fault::SameId {
                id: person.id.clone(),
                first,
            }),
        }
    }

    fn first(&mut self, column: Column, text: &str, line: usize) -> Option<usize> {
        self.seen.insert((column, text.to_lowercase()), line)
    }

    /// What is worth saying about the whole list.
    fn sum_up(&mut self) {
        let layout = self.layout;
        if !layout.unused.is_empty() {
            self.notices.push(Notice::Columns(layout.unused.clone()));
        }
        let addresses = self.people.iter().filter(|person| !person.email.is_empty());
        let addresses = addresses.count();
        if layout.place(Column::Email).is_none() && addresses > 0 {
            self.notices.push(Notice::AddressesFromLogins(addresses));
        }
        if layout.name == NameIn::Nowhere {
            self.notices.push(Notice::NamesFromAddresses(addresses));
        }
        if !self.unknown_roles.is_empty() {
            let roles = self.unknown_roles.iter().cloned().collect();
            self.notices.push(Notice::UnknownRoles(roles));
        }
        if layout.format == Format::MoodleParticipants && layout.role.is_none() {
            self.notices.push(Notice::MayHoldTeachers);
        }
    }
}

/// Whether a whole name holds this first name, and a last one beside it.
fn has_words_of(whole: &str, first: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let (whole, first) = (words(whole), words(first));
    whole.len() > first.len() && first.iter().all(|word| whole.contains(word))
}

/// One `@`, text on both sides, and neither white space nor a separator of lists. Mail servers know the rest.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(|c: char| c.is_whitespace() || ",;<>\"".contains(c))
}
