//! Fills the gradebook that an instructor has exported from Canvas.

use thiserror::Error;

use crate::{
    export::{Export, Note, graded},
    grades::{Grades, Lab, Student},
    points::Points,
    table::{self, Encoding, Row, Table, TableError},
};

/// Why a gradebook cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FillError {
    /// It is no table.
    #[error("the gradebook cannot be read: {0}")]
    Table(#[from] TableError),
    /// It is another table.
    #[error(
        "the file is no gradebook of Canvas: its first line must have the columns Student, ID and Section; export the gradebook again"
    )]
    NotCanvas,
    /// Nothing to fill in.
    #[error(
        "the gradebook has no column for any lab; make an assignment in Canvas called {0:?} and export the gradebook again, or write the grades without it"
    )]
    NoColumns(String),
}

/// Where a gradebook has its texts about a student.
struct Places {
    number: Option<usize>,
    sis: Option<usize>,
    login: Option<usize>,
    /// Last name and first name, or one column.
    name: (usize, Option<usize>),
}

/// Fills the columns of the labs, and leaves every row and the order of all as they are. Other cells are copied as Canvas
/// wrote them. A lab's column is the one with its title or its id; Canvas adds a number, as in `Say the name (17)`.
///
/// A lab that was not submitted leaves the cell as it is. So does `EX`, by which Canvas excuses a student.
///
/// # Errors
/// When the file is no gradebook of Canvas, or has no column for any lab.
pub fn fill(grades: &Grades, gradebook: &[u8]) -> Result<Export, FillError> {
    let mut table = Table::read(gradebook)?;
    let header = table.rows.first().ok_or(FillError::NotCanvas)?.clone();
    let places = places(&header).ok_or(FillError::NotCanvas)?;
    let mut filler = Filler {
        columns: Vec::new(),
        places,
        notes: Vec::new(),
    };
    filler.find_columns(grades, &header)?;
    let mut seen = vec![0_usize; grades.students().len()];
    for row in &mut table.rows[1..] {
        filler.row(grades, row, header.cells.len(), &mut seen);
    }
    let students = grades.students().iter().zip(&seen);
    let missing = students.filter(|(_, times)| **times == 0);
    (filler.notes).extend(missing.map(|(one, _)| Note::NotInFile(one.person.id.clone())));
    let rows = table.rows.iter();
    let lines = rows.map(|row| table::line(row.cells.iter().map(String::as_str), table.separator));
    // Canvas writes the mark for instructors who open the file in a spreadsheet.
    let mark = match table.encoding {
        Encoding::Utf8Marked => "\u{feff}",
        _ => "",
    };
    Ok(Export {
        text: mark.to_owned() + &lines.collect::<String>(),
        notes: filler.notes,
    })
}

/// The places in a header that the importer takes for its own.
fn places(header: &Row) -> Option<Places> {
    let at = |name: &str| (0..header.cells.len()).find(|at| header.get(*at) == name);
    at("Section")?;
    let name = match (at("Student"), at("LastName"), at("FirstName")) {
        (Some(0), _, _) => (0, None),
        (_, Some(last @ 0), Some(first)) => (last, Some(first)),
        _ => return None,
    };
    let number = at("ID")?;
    Some(Places {
        number: Some(number),
        sis: at("SIS User ID"),
        login: at("SIS Login ID"),
        name,
    })
}

struct Filler<'a> {
    columns: Vec<(usize, &'a Lab)>,
    places: Places,
    notes: Vec<Note>,
}

impl<'a> Filler<'a> {
    fn find_columns(&mut self, grades: &'a Grades, header: &Row) -> Result<(), FillError> {
        for lab in grades.labs() {
            let of_lab = |at: &usize| {
                let title = title(header.get(*at));
                title == lab.title.trim() || title == lab.id
            };
            match (0..header.cells.len()).find(of_lab) {
                Some(at) => self.columns.push((at, lab)),
                None => self.notes.push(Note::NoColumn {
                    lab: lab.id.clone(),
                    title: lab.title.clone(),
                }),
            }
        }
        let first = grades.labs().first();
        match self.columns.is_empty() {
            false => Ok(()),
            true => Err(FillError::NoColumns(
                first.map_or_else(String::new, |lab| lab.title.clone()),
            )),
        }
    }

    /// `seen` counts in how many lines each student was found.
    fn row(&mut self, grades: &Grades, row: &mut Row, width: usize, seen: &mut [usize]) {
        if row.get(0).contains("Points Possible") {
            return self.points_possible(row);
        }
        if row.get(self.places.name.0).is_empty() || row.get(0) == "Student, Test" {
            return;
        }
        let (line, name) = (row.line, row.get(self.places.name.0).to_owned());
        let found: Vec<usize> = self.students(grades.students(), row);
        match found[..] {
            [] => self.notes.push(Note::NotGraded { line, name }),
            [at] if seen[at] == 0 => {
                seen[at] += 1;
                row.cells.resize(width.max(row.cells.len()), String::new());
                self.fill(&grades.students()[at], row);
            }
            _ => {
                found.iter().for_each(|at| seen[*at] += 1);
                self.notes.push(Note::Ambiguous { line, name });
            }
        }
    }

    fn points_possible(&mut self, row: &Row) {
        for (at, lab) in &self.columns {
            let possible = row.get(*at);
            if Points::read(possible) != Some(lab.of) {
                self.notes.push(Note::PointsDiffer {
                    column: lab.title.clone(),
                    possible: possible.to_owned(),
                    of: lab.of,
                });
            }
        }
    }

    /// The students that this row can be. Canvas' own number counts first, then the SIS number, then the login. The name
    /// counts only where the roster has none of these.
    fn students(&self, students: &[Student], row: &Row) -> Vec<usize> {
        let cell = |place: Option<usize>| place.map_or("", |at| row.get(at));
        let all = |matches: &dyn Fn(&Student) -> bool| -> Vec<usize> {
            let numbered = students.iter().enumerate();
            numbered
                .filter(|(_, one)| matches(one))
                .map(|(at, _)| at)
                .collect()
        };
        let same = |text: &str, cell: &str| !cell.is_empty() && text.eq_ignore_ascii_case(cell);
        let (number, sis, login) = (
            cell(self.places.number),
            cell(self.places.sis),
            cell(self.places.login),
        );
        let name = self.name(row);
        let by_number = || all(&|one| same(&one.person.number, number));
        let by_sis = || all(&|one| same(&one.person.sis, sis));
        let by_login =
            || all(&|one| same(&one.person.login, login) || same(&one.person.email, login));
        let by_name = || {
            all(&|one| {
                let person = &one.person;
                let keys = [&person.number, &person.sis, &person.login];
                keys.iter().all(|key| key.is_empty()) && person.name == name
            })
        };
        let ways: [&dyn Fn() -> Vec<usize>; 4] = [&by_number, &by_sis, &by_login, &by_name];
        let mut found = ways.into_iter().map(|way| way());
        found.find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn name(&self, row: &Row) -> String {
        let (first, second) = self.places.name;
        match second {
            None => row.get(first).to_owned(),
            Some(second) => format!("{} {}", row.get(second), row.get(first)),
        }
    }

    fn fill(&mut self, student: &Student, row: &mut Row) {
        for (at, lab) in &self.columns {
            let Some(result) = graded(student, &lab.id, &mut self.notes) else {
                continue;
            };
            let (before, now) = (row.get(*at).to_owned(), result.points());
            let (student, column) = (student.person.id.clone(), lab.title.clone());
            if before.eq_ignore_ascii_case("EX") {
                self.notes.push(Note::Excused { student, column });
                continue;
            }
            if !matches!(before.as_str(), "" | "-" | "N/A") && Points::read(&before) != Some(now) {
                self.notes.push(Note::Replaced {
                    student,
                    column,
                    before,
                    now,
                });
            }
            row.cells[*at] = now.to_string();
        }
    }
}

/// A heading without the number that Canvas adds in brackets.
fn title(heading: &str) -> &str {
    let stripped = heading
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("));
    match stripped {
        Some((title, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => title.trim(),
        _ => heading,
    }
}
