//! `similar` and `viva`: what an instructor looks at, and asks.

use std::{
    io::{self, Write},
    path::Path,
};

use anyhow::Context;
use latchstring_classroom::labs;
use latchstring_cli::screen;
use latchstring_confine::run::Launcher;
use latchstring_course::roster::Id;

use super::{CourseArgs, KEEPER, count};
use crate::{grade::Pile, similar, submissions, viva};

/// Prints what two students have in common, lab by lab.
pub(super) fn similar(
    out: &mut impl Write,
    handed_in: &Path,
    place: &CourseArgs,
    json: bool,
) -> anyhow::Result<()> {
    let course = place.open()?;
    let roster = course.students(&[])?;
    let handed_in = submissions::read(handed_in, &roster)?;
    let pile = Pile::of_all(&course, &roster, handed_in);
    let progress = |lab: &str| {
        let _ = writeln!(io::stderr(), "comparing {lab}");
    };
    let evidence = similar::compare(&course, &roster, &pile.taken, &progress)?;
    if json {
        let text = serde_json::to_string_pretty(&evidence)?;
        return Ok(writeln!(io::stdout(), "{text}")?);
    }
    let mut lab = "";
    for one in &evidence {
        if one.lab != lab {
            lab = &one.lab;
            writeln!(out, "{lab}")?;
        }
        writeln!(out, "- {one}")?;
    }
    for file in &pile.ungraded {
        writeln!(out, "- not compared: {}: {}", file.path, file.why)?;
    }
    writeln!(
        out,
        "{} to look at, in {}. It is evidence and no verdict.",
        count(evidence.len(), "thing"),
        count(pile.taken.len(), "submission")
    )?;
    Ok(())
}

/// Prints the questions for one student.
pub(super) fn viva(
    out: &mut impl Write,
    student: &str,
    handed_in: &Path,
    place: &CourseArgs,
    named: Option<&str>,
) -> anyhow::Result<()> {
    let course = place.open()?;
    let one = course.students(&[student.to_owned()])?;
    let id: &Id = one
        .people()
        .first()
        .map(|person| &person.id)
        .context("no student")?;
    let handed_in = submissions::read(handed_in, &course.roster()?)?;
    let pile = Pile::of_all(&course, &course.roster()?, handed_in);
    let mine = pile.taken.iter().filter(|((owner, _), _)| owner == id);
    let wanted = named
        .map(|named| labs::find(course.labs.clone(), named))
        .transpose()?;
    let mut mine =
        mine.filter(|((_, lab), _)| wanted.as_ref().is_none_or(|wanted| wanted.id == *lab));
    let ((_, lab), taken) = mine.next_back().with_context(|| {
        format!(
            "{student} has handed in nothing{} in that folder",
            wanted
                .as_ref()
                .map(|lab| format!(" of {}", lab.id))
                .unwrap_or_default()
        )
    })?;
    let lab = labs::find(course.labs.clone(), lab)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let launcher = Launcher::this_program(&KEEPER)?;
    let questions = viva::questions(&course, &lab, id, taken, &launcher);
    writeln!(out, "{student}, {}: {}", lab.id, lab.title)?;
    let questions = runtime.block_on(questions)?;
    let found = questions.len();
    for (number, question) in (1..).zip(questions) {
        writeln!(out)?;
        for line in format!("{number}. {question}").lines() {
            writeln!(out, "{}", screen::folded_under(line, screen::USUAL, 3))?;
        }
    }
    if found < viva::MOST {
        writeln!(
            out,
            "\n{}, and not {}: captures, predictions and the student's own lines give no more to ask about here.",
            count(found, "question"),
            viva::MOST
        )?;
    }
    Ok(())
}
