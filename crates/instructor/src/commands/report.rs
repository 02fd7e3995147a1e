//! `report`: the grades of a class as a page and as tables.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Args;
use latchstring_course::report;

use super::{CourseArgs, count, grading, stale};
use crate::folder;

/// What is drawn, and where it goes.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which course is meant
    #[command(flatten)]
    place: CourseArgs,
    /// Read these grades [default: grades.json in the course's folder]
    #[arg(long, value_name = "FILE")]
    grades: Option<PathBuf>,
    /// Write the page to this file
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Write students.csv, checks.csv and labs.csv into this folder, too
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
}

/// Writes the report.
pub(super) fn run(out: &mut impl Write, arguments: &ReportArgs) -> anyhow::Result<()> {
    let ReportArgs {
        place,
        grades,
        out: to,
        csv,
    } = arguments;
    let from = &grades
        .clone()
        .unwrap_or_else(|| place.course.join(grading::GRADES));
    ensure!(
        !same_file(from, to),
        "the report would replace the grades {}: name another file with --out",
        from.display()
    );
    let grades = grading::read(from)?;
    stale::note(place, &grades);
    folder::write(to, report::page(&grades).as_bytes())?;
    writeln!(
        out,
        "{} shows {} and {}. Open it in a browser.",
        to.display(),
        count(grades.students().len(), "student"),
        count(grades.labs().len(), "lab")
    )?;
    if let Some(csv) = csv {
        fs::create_dir_all(csv).with_context(|| format!("cannot make {}", csv.display()))?;
        let files = report::files(&grades);
        for file in &files {
            folder::write(&csv.join(file.name), file.text.as_bytes())?;
        }
        let names = files.map(|file| file.name).join(", ");
        writeln!(out, "The tables are in {}: {names}.", csv.display())?;
    }
    Ok(())
}

/// Whether two paths lead to one file that is there.
fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
