//! A check's report, and the list of labs, for people.

use std::io::{self, Write};

use super::{catalogue::Lab, check::Report, selftest::Line, student::Student};
use latchstring_cli::screen;
use latchstring_confine::note::InForce;

/// Where the text of a report begins.
const COLUMN: usize = 11;

/// A report: words first, so that it reads without colour.
///
/// # Errors
/// When nobody reads it any more.
pub fn print(out: &mut impl Write, student: &Student, report: &Report) -> io::Result<()> {
    let width = screen::width();
    writeln!(out, "Lab {}: {}\n", report.lab, student.lab.title)?;
    for item in &report.items {
        let word = match (item.passed, item.later) {
            (true, _) => "pass",
            (false, true) => "wait",
            (false, false) => "FAIL",
        };
        let mut say = |line: &str| {
            let line = screen::folded_under(line, width, COLUMN);
            writeln!(out, "{line}")
        };
        say(&format!(
            "{word}  {}/{}  {}",
            item.points, item.of, item.title
        ))?;
        for line in item.found.lines() {
            say(&format!("{:COLUMN$}{line}", ""))?;
        }
        if let Some(next) = &item.next {
            say(&format!("     next: {next}"))?;
        }
    }
    let hints = match report.hints_taken {
        1 => "1 hint taken".to_owned(),
        n => format!("{n} hints taken"),
    };
    writeln!(out, "\n{} of {} points, {hints}.", report.points, report.of)?;
    if !report.counts {
        writeln!(
            out,
            "With --seed the hidden instances can be known, so this check does not count."
        )?;
    }
    for sentence in report.limits.iter().flat_map(InForce::missing) {
        writeln!(out, "{}", screen::folded(sentence, width))?;
    }
    if report.counts && report.points_so_far > report.points {
        writeln!(
            out,
            "With what passed in earlier checks you have {} of {}.",
            report.points_so_far,
            student.lab.points()
        )?;
    }
    Ok(())
}

/// What a self-test has shown, as a table, with the reason of each failure.
///
/// # Errors
/// When nobody reads it any more.
pub fn self_test(out: &mut impl Write, lines: &[Line], seed: u64) -> io::Result<()> {
    let width = screen::width();
    for line in lines {
        let good = line.students - line.failures.len();
        let word = if line.failures.is_empty() {
            "ok  "
        } else {
            "FAIL"
        };
        writeln!(
            out,
            "{word}  {good} of {}  {}: {}",
            line.students, line.lab, line.what
        )?;
        for failure in &line.failures {
            let failure = format!("      {failure}");
            writeln!(out, "{}", screen::folded_under(&failure, width, 8))?;
        }
    }
    let failed = lines.iter().filter(|line| !line.failures.is_empty());
    writeln!(
        out,
        "\n{} of {} are as they must be. Repeat with --seed {seed}.",
        lines.len() - failed.count(),
        lines.len()
    )
}

/// How far a student is in one lab.
pub struct Standing {
    /// The lab.
    pub lab: Lab,
    /// The student's folder, relative to the present folder, and the points; `None` for a lab that is not started.
    pub started: Option<(String, Option<u32>)>,
}

impl Standing {
    /// Whether every point is earned.
    pub fn done(&self) -> bool {
        self.points() == Some(self.lab.points())
    }

    /// The points; `None` when the lab is not started or its progress is lost.
    pub fn points(&self) -> Option<u32> {
        self.started.as_ref().and_then(|(_, points)| *points)
    }

    fn words(&self) -> String {
        let of = self.lab.points();
        match &self.started {
            None => "not started".to_owned(),
            Some((_, None)) => "state lost: lab reset".to_owned(),
            Some((_, Some(points))) if *points == of => format!("done, {of} points"),
            Some((_, Some(points))) => format!("started, {points} of {of}"),
        }
    }
}

/// The list of labs, and what to do next.
///
/// # Errors
/// When nobody reads it any more.
pub fn list(out: &mut impl Write, all: &[Standing]) -> io::Result<()> {
    lines(out, all)?;
    let gaps = gaps(all);
    if !gaps.is_empty() {
        writeln!(
            out,
            "\nNothing is missing here: {} {} not written yet.",
            gaps.join(" and "),
            if gaps.len() == 1 { "is" } else { "are" }
        )?;
    }
    writeln!(out, "\n{}", next(all))
}

/// A line for each lab.
///
/// # Errors
/// When nobody reads it any more.
pub fn lines(out: &mut impl Write, all: &[Standing]) -> io::Result<()> {
    let longest = |text: fn(&Lab) -> &str| {
        let lengths = all
            .iter()
            .map(|standing| text(&standing.lab).chars().count());
        lengths.max().unwrap_or_default()
    };
    let (titles, levels) = (longest(|lab| &lab.title), longest(|lab| &lab.level));
    for standing in all {
        let lab = &standing.lab;
        writeln!(
            out,
            "{}  {:titles$}  {:3} min  {:levels$}  {}",
            lab.number(),
            lab.title,
            lab.minutes,
            lab.level,
            standing.words()
        )?;
    }
    Ok(())
}

/// More numbers than these in a row are no gap: somebody has numbered labs of their own apart from the others.
const WIDEST_GAP: u32 = 10;

/// The numbers between two labs that no lab has.
fn gaps(all: &[Standing]) -> Vec<String> {
    let numbers = all
        .iter()
        .filter_map(|standing| standing.lab.number().parse::<u32>().ok());
    let numbers: Vec<u32> = numbers.collect();
    let pairs = numbers.windows(2).map(|pair| pair[0] + 1..pair[1]);
    let gaps = pairs.filter(|gap| gap.len() as u32 <= WIDEST_GAP);
    gaps.flatten()
        .map(|number| format!("{number:02}"))
        .collect()
}

/// The next step.
pub fn next(all: &[Standing]) -> String {
    let to_do = |standing: &&Standing| !standing.done();
    match all.iter().find(to_do) {
        None => "You have done all labs. Next: every attack against every defence, \
                 `latchstring matrix`; one of them, `latchstring-attack list`; and the book, docs/src/reading-path.md."
            .to_owned(),
        Some(standing) => match &standing.started {
            None => format!(
                "Next: latchstring lab start {} ({}, {} minutes)",
                standing.lab.number(),
                standing.lab.title,
                standing.lab.minutes
            ),
            Some((folder, _)) if folder == "." => "Go on in this folder, with README.md.".to_owned(),
            Some((folder, _)) => format!("Go on in {folder}, with README.md there."),
        },
    }
}

/// The text for a student whose lab was just made.
///
/// # Errors
/// When nobody reads it any more.
pub fn welcome(out: &mut impl Write, student: &Student, dir: &str) -> io::Result<()> {
    let (lab, at) = (&student.lab, student.folder.display());
    writeln!(
        out,
        "Lab {}: {} ({} minutes)",
        lab.id, lab.title, lab.minutes
    )?;
    writeln!(out, "\nYour folder is {at}. In it:")?;
    writeln!(out, "  README.md     the handout: read it first")?;
    writeln!(out, "  answers.toml  your predictions and answers")?;
    let number = lab.number();
    writeln!(
        out,
        "\nWhen you are done:  latchstring lab check {number}{dir}"
    )?;
    writeln!(
        out,
        "When you are stuck: latchstring lab hint {number}{dir}"
    )
}

/// Text that was folded before, folded to this terminal; lines with an indentation of four or more stay as they are.
pub fn refolded(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.trim().split("\n\n") {
        if !out.is_empty() {
            out += "\n\n";
        }
        let mut line = String::new();
        for next in paragraph.lines() {
            let apart = next.starts_with(['-', '|', ' ', '#']) || line.starts_with("    ");
            if !line.is_empty() {
                line.push(if apart { '\n' } else { ' ' });
            }
            line += next;
        }
        let folded = line
            .lines()
            .map(|line| screen::prose(line, screen::width()));
        out += &folded.collect::<Vec<_>>().join("\n");
    }
    out
}
