//! `invite` and `collect`: the course's own server.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use latchstring_course::roster::{Id, Roster};

use super::{CourseArgs, count};
use crate::{
    folder::Course,
    invitations::{self, Invited},
    server::Server,
    submissions::{self, Submission},
};

/// Whom to invite.
#[derive(Debug, Args)]
pub struct InviteArgs {
    /// Write the invitations into this folder, each in a file named by the student's id
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Use the server with this directory, on this machine
    #[arg(long, value_name = "D")]
    server: PathBuf,
    /// Which course is meant
    #[command(flatten)]
    place: CourseArgs,
    /// Invite this student alone, by id; may be repeated [default: all students]
    #[arg(long, value_name = "ID")]
    student: Vec<String>,
    /// Let the invitations expire after this time, from 1m to 30d
    #[arg(long, value_name = "TIME", default_value = "30d")]
    expires: String,
    /// Also replace invitations that can still be used; the old ones end
    #[arg(long)]
    renew: bool,
}

/// What to collect.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// Write the files below this folder; it is made if it does not exist
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Use the server with this directory, on this machine
    #[arg(long, value_name = "D")]
    server: PathBuf,
    /// Which course is meant
    #[command(flatten)]
    place: CourseArgs,
}

/// Writes an invitation for each student without an account.
pub(super) fn invite(out: &mut impl Write, arguments: &InviteArgs) -> anyhow::Result<()> {
    let course = arguments.place.open()?;
    let students = course.students(&arguments.student)?;
    let (server, to) = (Server::at(&arguments.server)?, &arguments.to);
    let invited = invitations::make(&server, &students, to, &arguments.expires, arguments.renew)?;
    let Invited {
        new,
        open,
        elsewhere,
        known,
    } = &invited;
    writeln!(
        out,
        "{} in {}, good for {}.",
        count(new.len(), "new invitation"),
        to.display(),
        arguments.expires
    )?;
    if !known.is_empty() {
        writeln!(out, "Left out, with an account: {}.", listed(known))?;
    }
    if !open.is_empty() {
        writeln!(
            out,
            "Kept, with an invitation that can still be used: {}.",
            until(open)
        )?;
    }
    if !elsewhere.is_empty() {
        writeln!(
            out,
            "Left out, with an invitation that is not in this folder: {}. The server cannot show it again; --renew makes a new \
             one, and ends the old one.",
            until(elsewhere)
        )?;
    }
    writeln!(
        out,
        "Each invitation is a secret: any person with it can become that student.\n\n\
         Next: latchstring course hand-out to-students --invitations {}",
        to.display()
    )?;
    Ok(())
}

fn listed<'a>(ids: impl IntoIterator<Item = &'a Id>) -> String {
    let ids: Vec<&str> = ids.into_iter().map(Id::as_str).collect();
    ids.join(", ")
}

fn until(invitations: &[(Id, String)]) -> String {
    let each = invitations.iter();
    let each: Vec<_> = each
        .map(|(id, expires)| format!("{id} (until {expires})"))
        .collect();
    each.join(", ")
}

/// Collects, and says whose work is there.
pub(super) fn collect(out: &mut impl Write, arguments: &CollectArgs) -> anyhow::Result<()> {
    let course = arguments.place.open()?;
    let roster = course.students(&[])?;
    let (server, to) = (Server::at(&arguments.server)?, &arguments.to);
    let collected = server.collect(to)?;
    writeln!(
        out,
        "{} in {}, {} as before.",
        count(collected.new, "new file"),
        to.display(),
        collected.as_before
    )?;
    let handed_in = HandedIn::sort(submissions::read(to, &roster)?);
    handed_in.tell(out, &course, &roster)?;
    writeln!(
        out,
        "\nNext: latchstring course grade {}{}",
        to.display(),
        place_of(&course.folder)
    )?;
    Ok(())
}

/// The option for a course that is not in this folder.
fn place_of(folder: &Path) -> String {
    match folder == Path::new(".") {
        true => String::new(),
        false => format!(" --course {}", folder.display()),
    }
}

/// Which students have sent a file for which lab. Whether it is their own is found when it is graded.
#[derive(Default)]
struct HandedIn {
    by_lab: BTreeMap<String, BTreeSet<Id>>,
    /// Files that are no bundle, or of nobody in the course, with the reason.
    others: Vec<String>,
}

impl HandedIn {
    fn sort(files: Vec<Submission>) -> Self {
        let mut sorted = Self::default();
        for file in files {
            match (file.bundle, file.uploader) {
                (Ok(bundle), Some(student)) => {
                    let lab = sorted.by_lab.entry(bundle.manifest.lab).or_default();
                    lab.insert(student);
                }
                (Ok(_), None) => sorted
                    .others
                    .push(format!("{} is of nobody in the course", file.path)),
                (Err(why), _) => sorted.others.push(format!("{}: {why}", file.path)),
            }
        }
        sorted
    }

    fn tell(&self, out: &mut impl Write, course: &Course, roster: &Roster) -> anyhow::Result<()> {
        let of = |lab: &str| self.by_lab.get(lab);
        let everybody: Vec<&Id> = roster.people().iter().map(|one| &one.id).collect();
        let mut silent = Vec::new();
        for lab in &course.labs {
            let Some(came) = of(&lab.id) else {
                silent.push(lab.id.as_str());
                continue;
            };
            let missing = everybody.iter().filter(|id| !came.contains(id));
            let missing: Vec<&Id> = missing.copied().collect();
            let rest = match missing.is_empty() {
                true => String::new(),
                false => format!("; not from {}", listed(missing)),
            };
            writeln!(
                out,
                "{}: from {}{rest}.",
                lab.id,
                count(came.len(), "student")
            )?;
        }
        if !silent.is_empty() {
            writeln!(out, "From nobody: {}.", silent.join(", "))?;
        }
        let sent = |id: &&&Id| self.by_lab.values().any(|came| came.contains(**id));
        let nothing: Vec<&Id> = (everybody.iter().filter(|id| !sent(id)).copied()).collect();
        if !nothing.is_empty() {
            writeln!(out, "No file at all from: {}.", listed(nothing))?;
        }
        for other in &self.others {
            writeln!(out, "- {other}")?;
        }
        Ok(())
    }
}
