//! One lab has one scale: what becomes of old results when the points of a lab have changed.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use latchstring_course::{
    grades::{self, Grades, LabResult},
    roster::Id,
};

use super::{GradeArgs, Job};
use crate::{commands::grades_file, grade::Pile};

/// The old grades, apart.
pub(super) struct Apart {
    /// What fits the points of today, or is graded again.
    pub(super) stays: Grades,
    /// Results on an old scale, of people whom the list of students no longer names.
    aside: Grades,
}

/// Sets aside what has an old scale and belongs to nobody in the course.
///
/// # Errors
/// When a student of the course would keep a result on an old scale. This is found before any program runs.
pub(super) fn apart(
    job: &Job,
    what: &GradeArgs,
    old: &Grades,
    columns: &[grades::Lab],
    pile: &Pile,
    kept: &[(Id, String)],
) -> anyhow::Result<Apart> {
    let again = |key: &(Id, String)| {
        job.students.find(key.0.as_str()).is_some() && pile.taken.contains_key(key)
    };
    for student in old.students() {
        let id = &student.person.id;
        for result in student.results.iter().filter(|one| rescaled(one, columns)) {
            let key = (id.clone(), result.lab.clone());
            if job.roster.find(id.as_str()).is_some() && !again(&key) {
                return Err(why_not(job, what, &key, kept));
            }
        }
    }
    let left = |student: &str, result: &LabResult| {
        job.roster.find(student).is_none() && rescaled(result, columns)
    };
    let (stays, aside) = old.split(left)?;
    Ok(Apart { stays, aside })
}

/// Whether the lab of this result has other points now.
fn rescaled(result: &LabResult, columns: &[grades::Lab]) -> bool {
    let column = columns.iter().find(|lab| lab.id == result.lab);
    column.is_some_and(|lab| lab.of != result.of())
}

/// Why a result cannot be brought to the points of today.
fn why_not(
    job: &Job,
    what: &GradeArgs,
    (student, lab): &(Id, String),
    kept: &[(Id, String)],
) -> anyhow::Error {
    let changed = format!("the points of {lab} have changed since {student} was graded");
    let is_kept = kept.iter().any(|(id, of)| id == student && of == lab);
    let rest = if job.students.find(student.as_str()).is_none() {
        format!(
            ": grade the whole lab again, without --student: {} --lab {lab}",
            what.command("regrade")
        )
    } else if is_kept {
        ", and this machine cannot grade all of it again: complete the machine, or use another one"
            .to_owned()
    } else {
        format!(
            ", and {} has no file of this student and lab: put all files of the term below one folder",
            what.handed_in.display()
        )
    };
    anyhow::anyhow!("{changed}{rest}. Nothing was graded")
}

impl Apart {
    /// Writes what was set aside into a new file beside the grades, and says so.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, out: &mut impl Write, grades: &Path) -> anyhow::Result<()> {
        if self.aside.students().is_empty() {
            return Ok(());
        }
        let path = free_name(grades)?;
        grades_file::write(&path, &self.aside)?;
        for student in self.aside.students() {
            let id = &student.person.id;
            for result in &student.results {
                writeln!(
                    out,
                    "- {id}, {}: the list of students does not name {id}, and the points of the lab have changed. The result of \
                     before is in {}",
                    result.lab,
                    path.display()
                )?;
            }
        }
        Ok(())
    }
}

/// `grades.set-aside-1.json`, or the next number that is free: nothing that was set aside before is lost.
fn free_name(grades: &Path) -> anyhow::Result<PathBuf> {
    let mut names = (1..1000).map(|n| grades.with_extension(format!("set-aside-{n}.json")));
    let free = names.find(|name| !name.exists());
    let Some(free) = free else {
        bail!(
            "{} has a thousand files of results that were set aside: move them to another folder",
            grades.parent().context("a file has a folder")?.display()
        );
    };
    Ok(free)
}
