//! Which format a list has, and which of its columns is which.
//!
//! The headings are those of the exporters: Canvas' `lib/gradebook_exporter.rb` and `lib/gradebook_importer.rb`
//! (instructure/canvas-lms), and Moodle's `grade/export/lib.php` and table of participants (moodle/moodle), in the
//! languages of [`heading`](super::heading).

use std::fmt;

use super::{
    Column, Fault, Id,
    heading::{Heading, is_name_alone, is_of_grades, is_of_moodle, meaning},
};
use crate::table::Row;

/// A format that was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The project's own `roster.csv`.
    Roster,
    /// The gradebook of Canvas, exported.
    Canvas,
    /// Moodle's grades, exported as text.
    MoodleGrades,
    /// Moodle's table of participants, downloaded.
    MoodleParticipants,
    /// Another list with a header.
    Plain,
    /// A list of addresses, or of names and addresses, without a header.
    Bare,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Roster => "roster.csv",
            Self::Canvas => "a gradebook of Canvas",
            Self::MoodleGrades => "grades of Moodle",
            Self::MoodleParticipants => "participants of Moodle",
            Self::Plain => "a list with a header",
            Self::Bare => "a list without a header",
        })
    }
}

/// Where a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameIn {
    One(usize),
    /// First name, last name.
    Two(usize, usize),
    /// First name, and beside it a `name`, which is the last name or all of it: `Name, Vorname`.
    Beside(usize, usize),
    /// The list has none.
    Nowhere,
}

/// Which column of a list is which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) format: Format,
    /// Whether the first row is a header.
    pub(super) header: bool,
    pub(super) name: NameIn,
    /// All but the name.
    pub(super) columns: Vec<(Column, usize)>,
    /// Where the list says who is a student and who teaches.
    pub(super) role: Option<usize>,
    /// Headings that a roster has no use for.
    pub(super) unused: Vec<String>,
    /// How many cells a row may have.
    pub(super) width: usize,
}

impl Layout {
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        let mut places = self.columns.iter();
        places.find(|(one, _)| *one == column).map(|(_, at)| *at)
    }
}

/// The layout of a list with these rows, of which there is at least one.
pub(super) fn recognise(rows: &[Row]) -> Result<Layout, Fault> {
    let first = &rows[0];
    let headings: Vec<&str> = (0..first.cells.len()).map(|at| first.get(at)).collect();
    match format_of(&headings, rows) {
        Some(format) => with_header(format, &headings),
        None if headings.iter().any(|cell| cell.contains('@')) => without_header(rows),
        // No address and no heading that we know: most likely a header in another language.
        None => Err(Fault::NoKeyColumn(owned(&headings))),
    }
}

fn format_of(headings: &[&str], rows: &[Row]) -> Option<Format> {
    let has = |name: &str| {
        headings
            .iter()
            .any(|heading| heading.eq_ignore_ascii_case(name))
    };
    let begins = |names: &[&str]| headings.starts_with(names);
    if is_ours(headings, rows) {
        return Some(Format::Roster);
    }
    // As the importer of Canvas recognises its own file.
    if has("Section") && (begins(&["Student", "ID"]) || begins(&["LastName", "FirstName", "ID"])) {
        return Some(Format::Canvas);
    }
    if is_of_moodle(headings) {
        let graded = headings.iter().any(|heading| is_of_grades(heading));
        return Some(match graded {
            true => Format::MoodleGrades,
            false => Format::MoodleParticipants,
        });
    }
    let addresses = headings.iter().any(|cell| cell.contains('@'));
    let known = headings.iter().any(|heading| meaning(heading).is_some());
    (known && !addresses).then_some(Format::Plain)
}

/// Whether it is `roster.csv`, also after a person has removed columns from it. Taken for another list it would lose its
/// ids, and each student would get a new one. The `id` of another list is a number of the university and looks like one.
fn is_ours(headings: &[&str], rows: &[Row]) -> bool {
    let at = |column: Column| {
        (headings.iter()).position(|heading| heading.eq_ignore_ascii_case(column.heading()))
    };
    let (Some(id), Some(_)) = (at(Column::Id), at(Column::Name)) else {
        return false;
    };
    let mut ids = rows[1..].iter().map(|row| row.get(id).to_owned());
    Column::ALL.iter().all(|column| at(*column).is_some()) || ids.any(|id| Id::try_from(id).is_ok())
}

fn with_header(format: Format, headings: &[&str]) -> Result<Layout, Fault> {
    let (mut found, mut unused) = (Vec::<(Heading, usize)>::new(), Vec::new());
    for (at, heading) in headings.iter().enumerate() {
        match meaning_in(format, heading) {
            None => unused.extend((!heading.is_empty()).then(|| (*heading).to_owned())),
            Some(meaning) => match found.iter().find(|(one, _)| *one == meaning) {
                None => found.push((meaning, at)),
                Some((_, before)) => return Err(twice(meaning, headings[*before], heading)),
            },
        }
    }
    let place = |meaning| {
        found
            .iter()
            .find(|(one, _)| *one == meaning)
            .map(|(_, at)| *at)
    };
    let name = match (
        place(Heading::Is(Column::Name)),
        place(Heading::First),
        place(Heading::Last),
    ) {
        (Some(name), Some(first), None) if headings[name].eq_ignore_ascii_case("name") => {
            NameIn::Beside(first, name)
        }
        (Some(at), _, _) => NameIn::One(at),
        (None, Some(first), Some(last)) => NameIn::Two(first, last),
        (None, Some(at), None) | (None, None, Some(at)) if is_name_alone(headings[at]) => {
            NameIn::One(at)
        }
        _ => return Err(Fault::NoColumn(Column::Name, owned(headings))),
    };
    let columns: Vec<(Column, usize)> = (found.iter())
        .filter_map(|(meaning, at)| match meaning {
            Heading::Is(Column::Name) | Heading::First | Heading::Last | Heading::Role => None,
            Heading::Is(column) => Some((*column, *at)),
        })
        .collect();
    let key = |(column, _): &(Column, usize)| *column != Column::Section;
    if !columns.iter().any(key) {
        return Err(Fault::NoKeyColumn(owned(headings)));
    }
    Ok(Layout {
        format,
        header: true,
        name,
        columns,
        role: place(Heading::Role),
        unused,
        width: headings.len(),
    })
}

/// The same heading means something else in another format.
fn meaning_in(format: Format, heading: &str) -> Option<Heading> {
    let lower = heading.to_lowercase();
    match (format, lower.as_str()) {
        (Format::Roster, "id") => Some(Heading::Is(Column::Id)),
        (Format::Roster, "number") => Some(Heading::Is(Column::Number)),
        // Columns that a person has added to it are that person's own.
        (Format::Roster, name) => {
            let own = Column::ALL.iter().any(|column| column.heading() == name);
            own.then(|| meaning(name)).flatten()
        }
        (Format::Canvas, "id") => Some(Heading::Is(Column::Number)),
        // Titles of assignments may be anything, so only the columns of Canvas itself count.
        (Format::Canvas, name) => {
            let own = [
                "student",
                "lastname",
                "firstname",
                "sis user id",
                "sis login id",
                "section",
            ];
            own.contains(&name).then(|| meaning(name)).flatten()
        }
        _ => meaning(&lower),
    }
}

fn twice(meaning: Heading, first: &str, second: &str) -> Fault {
    let column = match meaning {
        Heading::Is(column) => column,
        Heading::First | Heading::Last => Column::Name,
        Heading::Role => return Fault::RoleTwice(first.to_owned(), second.to_owned()),
    };
    Fault::ColumnTwice(column, first.to_owned(), second.to_owned())
}

/// A column of addresses, alone or beside one of names.
fn without_header(rows: &[Row]) -> Result<Layout, Fault> {
    let width = rows
        .iter()
        .map(|row| row.cells.len())
        .max()
        .unwrap_or_default();
    let addresses = |at: &usize| rows.iter().all(|row| row.get(*at).contains('@'));
    let found: Vec<usize> = (0..width).filter(addresses).collect();
    let name = match (width, found.as_slice()) {
        (1, [0]) => NameIn::Nowhere,
        (2, [at]) => NameIn::One(1 - at),
        _ => return Err(Fault::NoHeader),
    };
    Ok(Layout {
        format: Format::Bare,
        header: false,
        name,
        columns: vec![(Column::Email, found[0])],
        role: None,
        unused: Vec::new(),
        width,
    })
}

fn owned(headings: &[&str]) -> Vec<String> {
    headings
        .iter()
        .map(|heading| (*heading).to_owned())
        .collect()
}
