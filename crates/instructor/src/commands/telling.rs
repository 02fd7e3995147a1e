//! What the graders print: what the machine lacks, points, remarks, and what was not graded.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use latchstring_course::{
    grades::{Grades, LabResult, Student},
    points::Points,
};

use super::count;
use crate::grade::{Graded, Machine};

/// The exit code when a file, or a part of one, could not be graded. All other grades are written.
pub(super) const SOME_UNGRADED: u8 = 3;

/// Before the work: what this machine lacks, and what to do.
pub(super) fn tell_missing(out: &mut impl Write, machine: &Machine) -> anyhow::Result<()> {
    if machine.missing.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "This machine lacks something. What needs it is not graded, and takes no points from anybody:"
    )?;
    for (missing, keys) in &machine.missing {
        let labs: BTreeSet<&str> = keys.iter().map(|(_, lab)| lab.as_str()).collect();
        let labs: Vec<&str> = labs.into_iter().collect();
        writeln!(
            out,
            "- {}. Needed by {} of {}. Do this: {}",
            missing.what,
            count(keys.len(), "submission"),
            labs.join(", "),
            missing.remedy
        )?;
    }
    writeln!(
        out,
        "Then grade again, here or on another machine: `latchstring course regrade` fills in what was left out."
    )?;
    Ok(out.flush()?)
}

/// A line for each lab of a student that has other points than before.
pub(super) fn tell_changes(
    out: &mut impl Write,
    before: Option<&Student>,
    now: &Student,
) -> io::Result<usize> {
    let mut changes = 0;
    for result in &now.results {
        let old = before.and_then(|student| student.result(&result.lab));
        let old = old.map(|old| old.points());
        if old != Some(result.points()) {
            changes += 1;
            let old = old.map_or("nothing".to_owned(), |points| points.to_string());
            writeln!(
                out,
                "{}, {}: {old} before, {} now",
                now.person.id,
                result.lab,
                result.points()
            )?;
        }
    }
    Ok(changes)
}

/// A line for each student who handed in something: the points, and those of each lab.
pub(super) fn tell_points(out: &mut impl Write, grades: &Grades) -> anyhow::Result<()> {
    for student in grades.students() {
        if student.results.is_empty() {
            continue;
        }
        let all: Points = student.results.iter().map(LabResult::points).sum();
        let of: Points = grades.labs().iter().map(|lab| lab.of).sum();
        let labs = student.results.iter().map(|result| {
            let number = result.lab.split('-').next().unwrap_or(&result.lab);
            let open = if result.is_complete() { "" } else { " so far" };
            format!("{number}: {} of {}{open}", result.points(), result.of())
        });
        let labs: Vec<String> = labs.collect();
        let id = &student.person.id;
        writeln!(out, "{id}  {all} of {of} ({})", labs.join(", "))?;
    }
    Ok(())
}

/// What was graded, and what could not be.
pub(super) fn tell(out: &mut impl Write, graded: &Graded, to: &Path) -> anyhow::Result<ExitCode> {
    let students = graded.grades.students();
    let without = students.iter().filter(|student| student.results.is_empty());
    writeln!(
        out,
        "{}: {} of {}.",
        to.display(),
        count(results(&graded.grades), "result"),
        count(students.len(), "student")
    )?;
    let without: Vec<&str> = without.map(|student| student.person.id.as_str()).collect();
    if !without.is_empty() {
        writeln!(out, "Nothing was handed in by: {}.", without.join(", "))?;
    }
    tell_troubles(out, graded)
}

/// The parts that were not tried, and how many there are.
fn tell_open(out: &mut impl Write, grades: &Grades) -> anyhow::Result<bool> {
    let (mut parts, mut of) = (0, 0);
    for student in grades.students() {
        for result in student.results.iter().filter(|one| !one.is_complete()) {
            let open: Vec<&str> = result.not_graded().map(|item| item.id.as_str()).collect();
            (parts, of) = (parts + open.len(), of + 1);
            let why = result.not_graded().next().map_or("", |item| &item.message);
            writeln!(
                out,
                "- {}, {}: not graded: {} ({why})",
                student.person.id,
                result.lab,
                open.join(", ")
            )?;
        }
    }
    if of > 0 {
        writeln!(
            out,
            "{} not graded, in {}. There are no points for them yet, and the exports leave these results out.",
            match parts {
                1 => "1 part was".to_owned(),
                _ => format!("{parts} parts were"),
            },
            count(of, "result")
        )?;
    }
    Ok(of > 0)
}

pub(super) fn results(grades: &Grades) -> usize {
    let students = grades.students().iter();
    students.map(|student| student.results.len()).sum()
}

/// The remarks, and the files that were not graded.
pub(super) fn tell_troubles(out: &mut impl Write, graded: &Graded) -> anyhow::Result<ExitCode> {
    for student in graded.grades.students() {
        for result in &student.results {
            for remark in &result.remarks {
                writeln!(
                    out,
                    "- {}, {}: {}",
                    student.person.id, result.lab, remark.sentence
                )?;
            }
        }
    }
    for file in &graded.ungraded {
        writeln!(out, "- not graded: {}: {}", file.path, file.why)?;
    }
    let open = tell_open(out, &graded.grades)?;
    out.flush()?;
    Ok(match graded.ungraded.is_empty() && !open {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(SOME_UNGRADED),
    })
}
