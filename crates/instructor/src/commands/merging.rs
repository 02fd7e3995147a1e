//! `merge`: the grades of a class that several machines graded.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use latchstring_course::grades::{Grades, all_parts};

use super::{
    count,
    grades_file::{self, read},
};

/// Puts parts of a class together.
pub(super) fn merge(
    out: &mut impl Write,
    parts: &[PathBuf],
    to: &Path,
    partial: bool,
    replace: bool,
) -> anyhow::Result<()> {
    let read = parts.iter().map(|part| Ok((part, read(part)?)));
    let read = read.collect::<anyhow::Result<Vec<_>>>()?;
    if !partial {
        nothing_is_missing(&read)?;
    }
    let mut all: Option<Grades> = None;
    for (part, read) in read {
        all = Some(match all {
            None => read,
            Some(all) => all
                .merge(&read)
                .with_context(|| format!("{} does not fit the other parts", part.display()))?,
        });
    }
    let Some(all) = all else {
        bail!(
            "there is nothing to merge: name the files that `latchstring course grade --part` has written"
        );
    };
    if to.exists() && !replace {
        let lost = grades_file::lost(&grades_file::read(to)?, &all);
        grades_file::refuse_if_lost(to, &lost, "name another file with --out")?;
    }
    grades_file::write(to, &all)?;
    Ok(writeln!(
        out,
        "{} has the grades of {}.",
        to.display(),
        count(all.students().len(), "student")
    )?)
}

/// The parts of a class are all there. Labs that were graded apart have parts of their own.
fn nothing_is_missing(parts: &[(&PathBuf, Grades)]) -> anyhow::Result<()> {
    let mut by_labs: BTreeMap<Vec<&str>, Vec<&Grades>> = BTreeMap::new();
    for (_, grades) in parts {
        let labs = grades.labs().iter().map(|lab| lab.id.as_str());
        by_labs.entry(labs.collect()).or_default().push(grades);
    }
    for grades in by_labs.values() {
        all_parts(grades.iter().map(|grades| grades.part()))?;
    }
    Ok(())
}
