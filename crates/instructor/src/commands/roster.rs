//! `roster`: the list of students.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Subcommand;
use latchstring_course::roster::{Id, Person, Roster};

use super::{CourseArgs, count};
use crate::folder;

/// The commands of the list of students.
#[derive(Debug, Subcommand)]
pub enum RosterCommand {
    /// Read the list that a learning platform exports, and add it to the course
    ///
    /// The format is found by itself: Canvas, Moodle, or a plain table with the columns name, email, login. Students of the
    /// course keep their ids, and stay in the course if the list does not name them.
    #[command(after_help = "Example: latchstring course roster import gradebook.csv")]
    Import {
        /// Read this CSV file
        file: PathBuf,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
    },
    /// Add one student, such as a person after the first week
    #[command(
        after_help = "Example: latchstring course roster add dora \"Dora Novak\" --email dora@uni.example"
    )]
    Add {
        /// Give the student this id; it names the archive and the folder
        id: String,
        /// The student's name
        name: String,
        /// The student's address, by which some platforms know students
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
    },
    /// Take one student out of the list
    ///
    /// Grades that are written already stay. Add the student again with the same id, and the hand-out is the same as before.
    #[command(after_help = "Example: latchstring course roster remove dora")]
    Remove {
        /// Take out the student with this id
        id: String,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
    },
    /// List the students with their ids
    #[command(after_help = "Example: latchstring course roster list")]
    List {
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
    },
}

/// Runs one of them.
pub(super) fn run(out: &mut impl Write, command: RosterCommand) -> anyhow::Result<()> {
    match command {
        RosterCommand::Import { file, place } => import(out, &file, &place),
        RosterCommand::List { place } => list(out, &folder::roster_of(&place.course)?),
        RosterCommand::Add {
            id,
            name,
            email,
            place,
        } => add(out, id, name, email.unwrap_or_default(), &place),
        RosterCommand::Remove { id, place } => remove(out, &id, &place),
    }
}

fn add(
    out: &mut impl Write,
    id: String,
    name: String,
    email: String,
    place: &CourseArgs,
) -> anyhow::Result<()> {
    // First, so that a wrong folder is not noticed after the list.
    place.open()?;
    let before = folder::roster_so_far(&place.course)?;
    let person = Person {
        id: Id::try_from(id)?,
        name,
        email,
        login: String::new(),
        sis: String::new(),
        number: String::new(),
        section: String::new(),
    };
    ensure!(
        before.find(person.id.as_str()).is_none(),
        "the course has a student {:?} already: choose another id, or change {} in an editor",
        person.id.as_str(),
        folder::ROSTER
    );
    let (id, name) = (person.id.clone(), person.name.clone());
    let more = before.with(person);
    folder::write_roster(&place.course, &more).context("the student was not added")?;
    writeln!(
        out,
        "{id} ({name}) is in the course: {} now.",
        count(more.people().len(), "student")
    )?;
    Ok(writeln!(
        out,
        "Next: latchstring course hand-out to-students --student {id}"
    )?)
}

fn remove(out: &mut impl Write, id: &str, place: &CourseArgs) -> anyhow::Result<()> {
    place.open()?;
    let before = folder::roster_so_far(&place.course)?;
    let person = before.find(id);
    let person = person.with_context(|| folder::unknown(&before, id))?;
    let less = before.only(|known| known.as_str() != id);
    folder::write_roster(&place.course, &less).context("the student was not taken out")?;
    writeln!(
        out,
        "{id} ({}) is not in the course any more: {} now. The list of before is in {}.",
        person.name,
        count(less.people().len(), "student"),
        folder::ROSTER_BEFORE
    )?;
    Ok(())
}

fn import(out: &mut impl Write, file: &Path, place: &CourseArgs) -> anyhow::Result<()> {
    // First, so that a wrong folder is not noticed after the list.
    place.open()?;
    let reading = folder::read_roster(file)?;
    let before = folder::roster_so_far(&place.course).context("nothing was imported")?;
    let merged = before.updated(&reading.roster);
    folder::write_roster(&place.course, &merged.roster).context("the list was not saved")?;
    writeln!(
        out,
        "{} was read as {}: {}.",
        file.display(),
        reading.format,
        count(reading.roster.people().len(), "student")
    )?;
    for notice in &reading.notices {
        writeln!(out, "- {notice}")?;
    }
    writeln!(
        out,
        "{} new, {} changed, {} in the course now.",
        merged.added,
        merged.changed,
        count(merged.roster.people().len(), "student")
    )?;
    if !merged.not_named.is_empty() {
        let ids: Vec<&str> = merged.not_named.iter().map(|id| id.as_str()).collect();
        writeln!(
            out,
            "The list does not name {}; they stay. If somebody has left: latchstring course roster remove ID",
            ids.join(", ")
        )?;
    }
    Ok(())
}

fn list(out: &mut impl Write, roster: &Roster) -> anyhow::Result<()> {
    for person in roster.people() {
        writeln!(out, "{}  {}  {}", person.id, person.name, person.email)?;
    }
    Ok(writeln!(
        out,
        "{}",
        count(roster.people().len(), "student")
    )?)
}
