//! `roster`: the list of students.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use latchstring_course::roster::{Column, Id, Person, Roster};

use super::{CourseArgs, count};
use crate::{folder, submissions::is_same_name};

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
        /// The name of the student's account, by which other platforms know students
        #[arg(long, value_name = "LOGIN")]
        login: Option<String>,
        /// The student's number in the student information system
        #[arg(long, value_name = "NUMBER")]
        sis: Option<String>,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
    },
    /// Take one student out of the list
    ///
    /// Grades that are written already stay. Add the student again with the same id, and the hand-out is the same as before.
    /// Then give the address, the login and the number again, too, because your platform knows the student by them.
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
            login,
            sis,
            place,
        } => {
            let person = Person {
                id: Id::try_from(id)?,
                name,
                email: email.unwrap_or_default(),
                login: login.unwrap_or_default(),
                sis: sis.unwrap_or_default(),
                number: String::new(),
                section: String::new(),
            };
            add(out, person, &place)
        }
        RosterCommand::Remove { id, place } => remove(out, &id, &place),
    }
}

fn add(out: &mut impl Write, person: Person, place: &CourseArgs) -> anyhow::Result<()> {
    // First, so that a wrong folder is not noticed after the list.
    place.open()?;
    let before = folder::roster_so_far(&place.course)?;
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
    nothing_is_given_twice(file, &before, &merged.roster)?;
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
    let new = merged.roster.people().iter();
    let new = new.filter(|person| before.find(person.id.as_str()).is_none());
    for person in new {
        let gone = merged.not_named.iter();
        let gone = gone.filter_map(|id| before.find(id.as_str()));
        for old in gone.filter(|old| is_same_name(&old.name, &person.name)) {
            writeln!(
                out,
                "- {new} has the name of {old}, whom the list does not name. If it is one person, give the line of {new} in {} the id {old}, and remove the other line",
                folder::ROSTER,
                new = person.id,
                old = old.id,
            )?;
        }
    }
    Ok(())
}

/// No student gets what another student of the course has.
///
/// # Errors
/// When one does: with both ids, because the file and the list each have it once.
fn nothing_is_given_twice(file: &Path, before: &Roster, after: &Roster) -> anyhow::Result<()> {
    for column in [Column::Email, Column::Login, Column::Sis, Column::Number] {
        for (at, person) in after.people().iter().enumerate() {
            let text = person.get(column).to_lowercase();
            let mut others = after.people()[..at].iter();
            let same = |other: &&Person| other.get(column).to_lowercase() == text;
            let Some(other) = others.find(same).filter(|_| !text.is_empty()) else {
                continue;
            };
            // The one of the two who had it before is not the one who gets it now.
            let had = before.find(person.id.as_str());
            let had = had.is_some_and(|had| had.get(column).to_lowercase() == text);
            let (given, owner) = if had {
                (other, person)
            } else {
                (person, other)
            };
            bail!(
                "{} gives {} the {column} {:?} of {}: correct it there, or in {}. Nothing was imported",
                file.display(),
                given.id,
                given.get(column),
                owner.id,
                folder::ROSTER
            );
        }
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
