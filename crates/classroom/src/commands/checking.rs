//! `check`, `watch` and `self-test`: the commands that run programs.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{bail, ensure};
use latchstring_cli::screen;
use latchstring_confine::run::Launcher;

use super::{KEEPER, PlaceArgs, SelfTest, chosen, interrupted, print_json, standings};
use crate::{
    bundle,
    check::{self, Report},
    journal::Deed,
    labs,
    progress::Told,
    report,
    selftest::Plan,
    student::Student,
    trial::Options,
    watch::{self, Look},
};

/// How much is checked, and against which instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct How<'a> {
    /// Hidden instances of this number, which do not count.
    pub(super) seed: Option<u64>,
    /// One trial alone.
    pub(super) only: Option<&'a str>,
}

/// Checks once, and prints the report. The exit code is 0 only when everything passes.
pub(super) async fn check(
    out: &mut impl Write,
    mut student: Student,
    place: &PlaceArgs,
    how: How<'_>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let Some(report) = checked(&mut student, how).await? else {
        bail!("the check was cancelled: of it, only your predictions were saved");
    };
    if json {
        print_json(&report)?;
    } else {
        tell(out, &student, &report, place)?;
    }
    Ok(match report.passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// One check; `None` after Ctrl-C. One with hidden instances that somebody chose does not count.
async fn checked(student: &mut Student, how: How<'_>) -> anyhow::Result<Option<Report>> {
    let told = Told::new()?;
    let options = Options {
        seed: &chosen(how.seed)?,
        counts: how.seed.is_none(),
        steps: &told,
        launcher: &Launcher::this_program(&KEEPER)?,
        only: how.only,
        peers: true,
        lacking: None,
    };
    tokio::select! {
        report = told.during(check::check_with(student, &options)) => {
            let report = report?;
            if report.counts {
                note(student, &report);
            }
            Ok(Some(report))
        }
        interrupted = interrupted() => {
            told.end();
            interrupted?;
            Ok(None)
        }
    }
}

/// Writes the check into the journal.
fn note(student: &Student, report: &Report) {
    let passed = report.items.iter().filter(|item| item.passed);
    let passed = passed.map(|item| item.id.clone()).collect();
    if let Ok(files) = bundle::hash_of(&student.folder) {
        student.note(Deed::Check { passed, files });
    }
}

/// The report, and what to do next.
fn tell(
    out: &mut impl Write,
    student: &Student,
    report: &Report,
    place: &PlaceArgs,
) -> anyhow::Result<()> {
    report::print(out, student, report)?;
    if !student.explanations()?.is_empty() {
        let number = student.lab.number();
        writeln!(out, "Why it is so: latchstring lab explain {number}")?;
    }
    let parts = student.lab.parts();
    if !report.passed && parts.len() > 1 {
        let number = student.lab.number();
        let line = format!(
            "One part alone: latchstring lab check {number} --only PART (parts: {})",
            parts.join(", ")
        );
        writeln!(out, "{}", screen::folded_under(&line, screen::USUAL, 2))?;
    }
    // With one part alone the lab may have more to do.
    if report.passed && report.counts && student.points() == student.lab.points() {
        let standings = standings(&place.labs, Some(student))?;
        writeln!(out, "{}", report::next(&standings))?;
    }
    Ok(out.flush()?)
}

/// Checks, and again after each save.
pub(super) async fn watch(
    out: &mut impl Write,
    lab: Option<&str>,
    place: &PlaceArgs,
    only: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let folder = place.open("watch", lab)?.folder;
    let mut passed = false;
    loop {
        let look = Look::at(&folder);
        let mut student = place.open("watch", lab)?;
        match checked(&mut student, How { seed: None, only }).await {
            Ok(Some(report)) => {
                tell(out, &student, &report, place)?;
                passed = report.passed;
            }
            Ok(None) => break,
            // A sheet that is half written is saved again.
            Err(why) => writeln!(out, "{why:#}")?,
        }
        if passed {
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(out, "\nSave a file to check again; Ctrl-C ends.")?;
        out.flush()?;
        tokio::select! {
            file = watch::saved(&folder, &look) => writeln!(out, "\n{} was saved.", file.display())?,
            interrupted = interrupted() => { interrupted?; break }
        }
    }
    writeln!(out, "\nStopped. `latchstring lab watch` goes on from here.")?;
    out.flush()?;
    Ok(ExitCode::FAILURE)
}

/// Not in a runtime: each worker has its own.
pub(super) fn self_test(out: &mut impl Write, arguments: &SelfTest) -> anyhow::Result<ExitCode> {
    let all = arguments.labs.all()?;
    let labs = match arguments.lab.is_empty() {
        true => all,
        false => {
            let named = arguments.lab.iter();
            let named = named.map(|named| labs::find(all.clone(), named));
            named.collect::<anyhow::Result<_>>()?
        }
    };
    ensure!(
        arguments.students > 0,
        "--students 0 tests nothing: give 1 or more"
    );
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let progress = |what: &str, done: usize, of: usize| {
        let _ = writeln!(io::stderr(), "{done} of {of}: {what}");
    };
    let plan = Plan {
        labs: &labs,
        students: arguments.students,
        seed,
        launcher: &Launcher::this_program(&KEEPER)?,
        progress: &progress,
    };
    let lines = plan.run()?;
    let failed = lines.iter().any(|line| !line.failures.is_empty());
    match arguments.json {
        true => {
            print_json(&serde_json::json!({ "seed": seed, "passed": !failed, "lines": lines }))?
        }
        false => report::self_test(out, &lines, seed)?,
    }
    out.flush()?;
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}
