//! The file of grades: how it is read, and how it is replaced without losing results unseen.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, ensure};
use latchstring_course::grades::{Grades, GradesError, LabResult};

use super::count;
use crate::{
    folder::{self, Course, GRADES},
    terms,
};

/// Reads a file of grades.
pub(super) fn read(path: &Path) -> anyhow::Result<Grades> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read the grades {}: `latchstring course grade DIR` makes them",
            path.display()
        )
    })?;
    Grades::from_json(&text).map_err(|why| match why {
        GradesError::NotGrades(why) => anyhow!(
            "{} is damaged ({why}). Take it from your backup, or make it again: {} --replace",
            path.display(),
            made_by(path)
        ),
        why => anyhow!(why).context(format!("{} cannot be used", path.display())),
    })
}

/// The command that makes this file of grades.
fn made_by(path: &Path) -> String {
    match path.parent() {
        Some(folder) if path.file_name() == Some(GRADES.as_ref()) => {
            format!("latchstring course grade DIR{}", course_option(folder))
        }
        _ => format!("latchstring course grade DIR --out {}", typed(path)),
    }
}

/// Grades are of this course, and all answers were derived from its name and its term.
///
/// # Errors
/// When the terms say something else. The error says which line to write back.
pub(super) fn same_course(course: &Course, grades: &Grades) -> anyhow::Result<()> {
    let (terms, header) = (&course.terms, grades.header());
    for (key, now, then) in [
        ("course", &terms.course, &header.course),
        ("term", &terms.term, &header.term),
    ] {
        ensure!(
            now == then,
            "`{key}` in {} is {now:?}, and the grades and hand-outs are of {then:?}: write it back",
            course.folder.join(terms::FILE).display()
        );
    }
    Ok(())
}

/// Writes a file of grades. The one that was there is kept beside it, as the list of students is: `grades.json.before`.
pub(super) fn write(path: &Path, grades: &Grades) -> anyhow::Result<()> {
    let text = grades.to_json();
    // A pipe or a device has nothing to keep.
    if path.is_file() {
        let before = fs::read(path)
            .with_context(|| format!("cannot read {}: make it readable", path.display()))?;
        if before != text.as_bytes() {
            folder::write(&before_of(path), &before)?;
        }
    }
    folder::write(path, text.as_bytes())
}

fn before_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".before");
    name.into()
}

/// The results of `old` that are lost with `new`: they are missing there, or have fewer verdicts. One that `old` had graded later
/// is lost, too, if it differs.
pub(super) fn lost(old: &Grades, new: &Grades) -> Vec<String> {
    let newer = all(new);
    let older = old.header().graded > new.header().graded;
    let is_lost = |key: &(&str, &str), was: &LabResult| match newer.get(key) {
        None => true,
        Some(is) => (older && **is != *was) || (was.is_complete() && !is.is_complete()),
    };
    all(old)
        .into_iter()
        .filter(|(key, was)| is_lost(key, was))
        .map(|((student, lab), _)| format!("{student}, {lab}"))
        .collect()
}

/// Results by student and lab.
fn all(grades: &Grades) -> BTreeMap<(&str, &str), &LabResult> {
    let students = grades.students().iter();
    let results = students.flat_map(|student| {
        let id = student.person.id.as_str();
        let results = student.results.iter();
        results.map(move |result| ((id, result.lab.as_str()), result))
    });
    results.collect()
}

/// Refuses if there are lost results. `keep` says how to keep them.
pub(super) fn refuse_if_lost(path: &Path, lost: &[String], keep: &str) -> anyhow::Result<()> {
    let first = lost.first().map_or("", String::as_str);
    ensure!(
        lost.is_empty(),
        "{} has {} that would be lost, such as {first}. To keep them: {keep}. To begin again: --replace",
        path.display(),
        count(lost.len(), "result"),
    );
    Ok(())
}

/// The option that names the course's folder, to be typed; nothing where it is the folder of the moment.
pub(super) fn course_option(folder: &Path) -> String {
    match folder == Path::new(".") || folder == Path::new("") {
        true => String::new(),
        false => format!(" --course {}", typed(folder)),
    }
}

/// A path as it is typed in a shell.
pub(super) fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    match text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
