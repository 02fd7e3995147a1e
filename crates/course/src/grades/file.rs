//! `grades.json`.

use serde::{Deserialize, Serialize};

use super::{Grades, GradesError, Header, Lab, Part, Student, UngradedFile};

/// The format of `grades.json`. A change that an older program would misread gets the next number.
pub const FORMAT: u32 = 1;

/// The number of a file, whatever else is in it.
#[derive(Deserialize)]
struct Numbered {
    format: u64,
}

#[derive(Deserialize)]
struct Read {
    #[serde(flatten)]
    header: Header,
    labs: Vec<Lab>,
    students: Vec<Student>,
    #[serde(default)]
    ungraded_files: Vec<UngradedFile>,
    #[serde(default)]
    part: Option<Part>,
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    #[serde(flatten)]
    header: &'a Header,
    labs: &'a [Lab],
    students: &'a [Student],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ungraded_files: &'a [UngradedFile],
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a Part>,
}

impl Grades {
    /// Reads `grades.json`.
    ///
    /// # Errors
    /// When it is no JSON of this format, or does not hold together as [`Grades::new`] demands.
    pub fn from_json(text: &str) -> Result<Self, GradesError> {
        let fault = |error: serde_json::Error| GradesError::NotGrades(error.to_string());
        // First, so that a newer file is called newer and not damaged.
        let numbered: Numbered = serde_json::from_str(text).map_err(fault)?;
        if numbered.format != u64::from(FORMAT) {
            return Err(GradesError::Format {
                found: numbered.format,
                known: FORMAT,
            });
        }
        let read: Read = serde_json::from_str(text).map_err(fault)?;
        let grades = Self::new(read.header, read.labs, read.students)?;
        Ok(grades.with_files(read.ungraded_files).with_part(read.part))
    }

    /// Writes `grades.json`: equal grades are equal to the byte.
    ///
    /// # Panics
    /// Never: every part of grades is text, a number, or a list of these.
    pub fn to_json(&self) -> String {
        let written = Written {
            format: FORMAT,
            header: &self.header,
            labs: &self.labs,
            students: &self.students,
            ungraded_files: &self.files,
            part: self.part.as_ref(),
        };
        let text = serde_json::to_string_pretty(&written).expect("grades are JSON");
        text + "\n"
    }
}
