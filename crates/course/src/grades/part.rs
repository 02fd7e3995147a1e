//! One part of a class: which of how many, so that a missing part is noticed when all are put together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which part of a class was graded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The numbers of the parts that are in the grades, from 1 on.
    pub numbers: BTreeSet<usize>,
    /// How many parts the class has.
    pub of: usize,
    /// How many students the whole class has.
    pub students: usize,
    /// The hash of the files that were handed in. All parts must come from the same files.
    pub files: String,
}

/// Why some parts are not the whole class.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PartError {
    /// Some parts are missing.
    #[error(
        "the class was graded in {of} parts, and {} missing: grade {} with `latchstring course grade DIR --part {}/{of} --out FILE`, and merge all parts. To merge them all the same: --partial",
        are(missing), them(missing), missing.first().copied().unwrap_or(1)
    )]
    Missing {
        /// Their numbers.
        missing: Vec<usize>,
        /// How many there are.
        of: usize,
    },
    /// One part is there twice.
    #[error(
        "part {number}/{of} is there twice: name its file once. To merge them all the same: --partial"
    )]
    Twice {
        /// Its number.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// The parts are of different divisions of the class.
    #[error(
        "the parts differ in {what}, so a student can be in two of them or in none: grade all parts again with the same K/N, the same roster.csv and the same files. To merge them all the same: --partial"
    )]
    Differ {
        /// In what.
        what: &'static str,
    },
    /// A part, and grades that are no part.
    #[error(
        "some of the files are parts of the class, and others are not: merge the parts alone. To merge them all the same: --partial"
    )]
    Mixed,
}

fn are(missing: &[usize]) -> String {
    let numbers: Vec<String> = missing.iter().map(usize::to_string).collect();
    match missing.len() {
        1 => format!("part {} is", numbers.join("")),
        _ => format!("the parts {} are", numbers.join(", ")),
    }
}

fn them(missing: &[usize]) -> &'static str {
    match missing.len() {
        1 => "it",
        _ => "each of them",
    }
}

impl Part {
    /// One part.
    pub fn one(number: usize, of: usize, students: usize, files: String) -> Self {
        Self {
            numbers: BTreeSet::from([number]),
            of,
            students,
            files,
        }
    }

    /// Both together; `None` if that is the whole class, or if they are not of one division.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        self.fits(other).ok()?;
        let numbers = self.numbers.union(&other.numbers).copied().collect();
        let together = Self {
            numbers,
            ..self.clone()
        };
        (!together.missing().is_empty()).then_some(together)
    }

    fn missing(&self) -> Vec<usize> {
        let all = 1..=self.of;
        all.filter(|number| !self.numbers.contains(number))
            .collect()
    }

    fn fits(&self, other: &Self) -> Result<(), PartError> {
        let differ = |what| Err(PartError::Differ { what });
        match () {
            () if self.of != other.of => differ("the number of parts"),
            () if self.students != other.students => differ("the number of students"),
            () if self.files != other.files => differ("the files that were handed in"),
            () => Ok(()),
        }
    }
}

/// Whether these are all parts of a class, each once; or none of them is a part.
///
/// # Errors
/// Names the part that is missing or there twice.
pub fn all_parts<'a>(parts: impl IntoIterator<Item = Option<&'a Part>>) -> Result<(), PartError> {
    let parts: Vec<Option<&Part>> = parts.into_iter().collect();
    let known: Vec<&Part> = parts.iter().copied().flatten().collect();
    let Some(first) = known.first() else {
        return Ok(());
    };
    if known.len() != parts.len() {
        return Err(PartError::Mixed);
    }
    let mut seen = BTreeSet::new();
    for part in &known {
        first.fits(part)?;
        for number in &part.numbers {
            if !seen.insert(*number) {
                let (number, of) = (*number, part.of);
                return Err(PartError::Twice { number, of });
            }
        }
    }
    let together = Part {
        numbers: seen,
        ..(*first).clone()
    };
    let (missing, of) = (together.missing(), together.of);
    match missing.is_empty() {
        true => Ok(()),
        false => Err(PartError::Missing { missing, of }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: usize, of: usize) -> Part {
        Part::one(number, of, 9, "hash".to_owned())
    }

    #[test]
    fn the_parts_that_are_missing_or_double_are_named() {
        let (one, two, three) = (part(1, 3), part(2, 3), part(3, 3));
        assert_eq!(all_parts([Some(&three), Some(&one), Some(&two)]), Ok(()));
        assert_eq!(all_parts([None, None]), Ok(()));
        let said = |parts: &[&Part]| {
            let parts = parts.iter().copied().map(Some);
            all_parts(parts).unwrap_err().to_string()
        };
        let missing = said(&[&one, &three]);
        assert!(
            missing.contains("part 2 is missing") && missing.contains("--part 2/3"),
            "{missing}"
        );
        assert!(said(&[&two]).contains("the parts 1, 3 are missing"));
        assert!(said(&[&one, &two, &two]).contains("part 2/3 is there twice"));
        let mut other = part(2, 3);
        other.files = "another".to_owned();
        assert!(said(&[&one, &other, &three]).contains("differ in the files"));
        let mut larger = part(2, 3);
        larger.students = 10;
        assert!(said(&[&one, &larger, &three]).contains("the number of students"));
        assert!(said(&[&one, &part(2, 2)]).contains("the number of parts"));
        assert_eq!(all_parts([Some(&one), None]), Err(PartError::Mixed));
    }

    #[test]
    fn parts_together_remember_what_is_missing_and_all_of_them_are_the_class() {
        let two = part(1, 3).and(&part(3, 3)).unwrap();
        assert_eq!(all_parts([Some(&two), Some(&part(2, 3))]), Ok(()));
        assert_eq!(two.and(&part(2, 3)), None);
    }
}
