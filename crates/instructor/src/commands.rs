//! The command line: `latchstring course …`.

mod comparing;
mod exporting;
mod grades_file;
mod grading;
mod merging;
mod own_server;
mod report;
mod roster;
mod stale;
mod telling;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::ensure;
use clap::{Args, Subcommand};
use latchstring_classroom::commands::LabsArg;
use latchstring_cli::screen;

use crate::{
    folder::{self, Course},
    hand_out, key, terms,
};

/// The commands of an instructor.
#[derive(Debug, Subcommand)]
pub enum CourseCommand {
    /// Make a course: its key, its terms and an empty list of students
    #[command(
        after_help = "Example: latchstring course new \"Network security\" --term 2026-winter --course netsec"
    )]
    New {
        /// Name the course; answers are derived from the name
        name: String,
        /// Name the term; answers are derived from it
        #[arg(long, default_value = "1")]
        term: String,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
    },
    /// Keep the list of students
    #[command(subcommand)]
    Roster(roster::RosterCommand),
    /// Make an archive for each student, with captures, keys and questions of that student
    #[command(
        after_help = "The archives are named by the students' ids. Made again, an archive is the same to the byte.\n\n\
                      Example: latchstring course hand-out to-students"
    )]
    HandOut {
        /// Write the archives into this folder
        to: PathBuf,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
        /// Make the archive of this student alone, by id; may be repeated [default: all students]
        #[arg(long, value_name = "ID")]
        student: Vec<String>,
        /// Add the invitation to the server where students hand in: this folder has a file for each student, named by the id
        #[arg(long, value_name = "DIR")]
        invitations: Option<PathBuf>,
    },
    /// Make an invitation to the course's own server for each student without an account
    ///
    /// An invitation is a secret. It is written into a file that only you can read, and printed nowhere. Run the command again
    /// for new students: invitations that can still be used stay.
    #[command(
        after_help = "Example: latchstring course invite invitations --server /var/lib/latchstring\n\n\
                      Then: latchstring course hand-out to-students --invitations invitations"
    )]
    Invite(own_server::InviteArgs),
    /// Collect the files that students have handed in at the course's own server
    ///
    /// Prints for each lab which students have handed in. Nothing that exists is overwritten: run the command again for the files
    /// that have come since. The server may keep running.
    #[command(
        after_help = "Example: latchstring course collect handed-in --server /var/lib/latchstring\n\n\
                      Then: latchstring course grade handed-in"
    )]
    Collect(own_server::CollectArgs),
    /// Grade the files of a class, and write grades.json
    ///
    /// A file says itself whose it is, so its name does not matter. Of several files of one student and lab the last one counts,
    /// unless it is late and worth less than an earlier one.
    /// The exit code is 3 if a file could not be graded; all others are. It is 3, too, if this machine lacks something.
    /// The parts that need it are not graded then, and take no points from anybody.
    #[command(
        after_help = "Examples:\n  latchstring course grade handed-in\n  latchstring course grade handed-in --lab 04\n\n\
                      On several machines, and then together:\n  \
                      latchstring course grade handed-in --part 1/2 --out part-1.json\n  \
                      latchstring course grade handed-in --part 2/2 --out part-2.json\n  \
                      latchstring course merge part-1.json part-2.json"
    )]
    Grade(grading::GradeMore),
    /// Grade again, and print each result that has changed
    ///
    /// The results of the other students and labs stay. Use it after a change of points or deadlines, or after a student has
    /// handed in again.
    #[command(
        after_help = "Example: latchstring course regrade handed-in --student anna-muster-59cdee --lab 04"
    )]
    Regrade(grading::GradeArgs),
    /// List the answers, files and code that two students have in common, for your review
    ///
    /// Code that equals the lab's own solution is listed, too. Each line has its reason. None of them is a verdict: students may have been allowed to work together.
    #[command(after_help = "Example: latchstring course similar handed-in")]
    Similar {
        /// Compare the files in this folder, as the learning platform exports them
        handed_in: PathBuf,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask up to three questions about a student's own work, with the answers, for a talk of five minutes
    ///
    /// The questions are about the student's capture, prediction and program. The check is run once more without the lines that
    /// are asked about, and the answer says the difference. There are fewer than three if there is less to ask about: no capture,
    /// no prediction, or no line of the student's own.
    #[command(after_help = "Example: latchstring course viva am12 handed-in --lab 04")]
    Viva {
        /// Ask this student, by id
        student: String,
        /// Find the student's work in this folder
        handed_in: PathBuf,
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
        /// Ask about this lab [default: the last one that was handed in]
        #[arg(long, value_name = "LAB")]
        lab: Option<String>,
    },
    /// Write the grades in the format of a learning platform
    #[command(subcommand)]
    Export(exporting::ExportCommand),
    /// Put together the grades of a class that several machines graded
    ///
    /// All parts must be there, each once: `--part K/N` writes its numbers into its file.
    /// The grades that were in the file are kept beside it, as grades.json.before.
    #[command(after_help = "Example: latchstring course merge part-*.json --out grades.json")]
    Merge {
        /// Read these files, which `grade --part` has written
        #[arg(required = true)]
        part: Vec<PathBuf>,
        /// Write the grades to this file
        #[arg(long, value_name = "FILE", default_value = folder::GRADES)]
        out: PathBuf,
        /// Merge them even if parts of the class are missing, or there twice
        #[arg(long)]
        partial: bool,
        /// Write the file even if results in it are lost
        #[arg(long)]
        replace: bool,
    },
    /// Draw the grades of a class as a page, for the instructor
    ///
    /// The page is one file. It needs no network and no script, and it can be printed. It has the names of the students and the
    /// remarks about them, so keep it where the grades are.
    #[command(after_help = "Examples:\n  latchstring course report\n  \
                      latchstring course report --grades part-1.json --out part-1.html --csv tables")]
    Report(report::ReportArgs),
}

/// The arguments with which this program is the keeper of a student's program.
const KEEPER: [&str; 2] = ["lab", "run-program"];

/// Which course.
#[derive(Debug, Args)]
pub struct CourseArgs {
    /// Use the course in this folder
    #[arg(long, value_name = "DIR", default_value = ".")]
    course: PathBuf,
    #[command(flatten)]
    labs: LabsArg,
}

impl CourseArgs {
    fn open(&self) -> anyhow::Result<Course> {
        Course::open(&self.course, &self.labs.all()?)
    }
}

/// Runs one of the commands.
///
/// # Errors
/// With what happened, where, and what to do.
pub fn run(command: CourseCommand) -> anyhow::Result<ExitCode> {
    let out = &mut screen::out();
    match command {
        CourseCommand::New { name, term, place } => new(out, &name, &term, &place)?,
        CourseCommand::Roster(command) => roster::run(out, command)?,
        CourseCommand::HandOut {
            to,
            place,
            student,
            invitations,
        } => {
            let course = place.open()?;
            let students = course.students(&student)?;
            let plan = hand_out::Plan {
                course: &course,
                students: &students,
                invitations: invitations.as_deref(),
                progress: &|student, done, of| {
                    let _ = writeln!(io::stderr(), "{done} of {of}: {student}");
                },
            };
            let made = plan.run(&to)?;
            writeln!(
                out,
                "{} in {}. Give each student the one archive.",
                count(made.len(), "archive"),
                to.display()
            )?;
            if course.terms.program.is_none() {
                writeln!(
                    out,
                    "READ-ME-FIRST.md in it says that you name the place of the program. Or write it into `program` in {}, and hand out \
                     again.",
                    terms::FILE
                )?;
            }
        }
        CourseCommand::Invite(arguments) => own_server::invite(out, &arguments)?,
        CourseCommand::Collect(arguments) => own_server::collect(out, &arguments)?,
        CourseCommand::Grade(arguments) => return grading::grade(out, &arguments),
        CourseCommand::Regrade(arguments) => return grading::regrade(out, &arguments),
        CourseCommand::Similar {
            handed_in,
            place,
            json,
        } => comparing::similar(out, &handed_in, &place, json)?,
        CourseCommand::Viva {
            student,
            handed_in,
            place,
            lab,
        } => comparing::viva(out, &student, &handed_in, &place, lab.as_deref())?,
        CourseCommand::Export(command) => exporting::run(out, &command)?,
        CourseCommand::Merge {
            part,
            out: to,
            partial,
            replace,
        } => merging::merge(out, &part, &to, partial, replace)?,
        CourseCommand::Report(arguments) => report::run(out, &arguments)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn new(out: &mut impl Write, name: &str, term: &str, place: &CourseArgs) -> anyhow::Result<()> {
    for (what, text) in [("course", name), ("term", term)] {
        let fits = !text.trim().is_empty() && text.len() <= 80 && !text.contains(char::is_control);
        ensure!(
            fits,
            "{text:?} cannot be the name of a {what}: write 1 to 80 visible characters"
        );
    }
    let (folder, labs) = (&place.course, place.labs.all()?);
    Course::create(folder, name, term, &labs)?;
    writeln!(
        out,
        "The course {name:?} is in {}. In it:",
        folder.display()
    )?;
    for (file, what) in [
        (
            terms::FILE,
            "the labs, the deadlines and the points: look at it",
        ),
        (folder::ROSTER, "the list of students, empty so far"),
        (
            key::FILE,
            "the key of all answers: keep a copy of it, and give it to nobody",
        ),
    ] {
        writeln!(out, "{}", screen::item(file, 14, what, screen::USUAL))?;
    }
    let there = match folder == Path::new(".") {
        true => String::new(),
        false => format!(" --course {}", folder.display()),
    };
    writeln!(
        out,
        "\nNext: latchstring course roster import FILE.csv{there}"
    )?;
    Ok(())
}

/// `1 student`, `2 students`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
