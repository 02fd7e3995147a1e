//! `export`: the grades as the files that learning platforms read.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand, ValueEnum};
use latchstring_classroom::{
    catalogue::{Lab, Trial},
    labs,
};
use latchstring_course::{
    export::{
        Export, autolab, canvas, classroom50, ctfd, gradescope, junit, moodle, prairielearn, told,
    },
    grades::{Grades, Sheet, Student},
    table::{self, Separator},
};

use super::{
    CourseArgs,
    grading::{GRADES, read},
};
use crate::{
    folder::{self, Course},
    key, terms,
};

/// The formats.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write a gradebook for Canvas, or fill in the one that Canvas has exported
    #[command(
        after_help = "Example: latchstring course export canvas --gradebook gradebook.csv --lab 04 --out canvas.csv"
    )]
    Canvas {
        #[command(flatten)]
        what: ClassArgs,
        /// Fill in this gradebook, which Canvas has exported [default: make one with ids]
        #[arg(long, value_name = "FILE")]
        gradebook: Option<PathBuf>,
    },
    /// Write grades and feedback for Moodle
    #[command(after_help = "Example: latchstring course export moodle --out moodle.csv")]
    Moodle {
        #[command(flatten)]
        what: ClassArgs,
        /// Name students by this column
        #[arg(long, value_enum, default_value = "email")]
        by: By,
    },
    /// Write JUnit XML: a suite for each student
    #[command(after_help = "Example: latchstring course export junit --out junit.xml")]
    Junit {
        #[command(flatten)]
        what: ClassArgs,
    },
    /// Write results.json of Gradescope for one student
    #[command(
        after_help = "Example: latchstring course export gradescope --student am12 --out results.json"
    )]
    Gradescope(OneStudent),
    /// Write the archive that Gradescope takes as an autograder
    ///
    /// It holds this program, the terms, the list of students and the key of the course. So keep it as secret as the key.
    #[command(
        after_help = "Example: latchstring course export autograder --lab 04 --out autograder.zip"
    )]
    Autograder {
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
        /// Grade this lab alone; may be repeated [default: every lab that is handed in]
        #[arg(long, value_name = "LAB")]
        lab: Vec<String>,
        /// Write this file
        #[arg(long, value_name = "FILE", default_value = "autograder.zip")]
        out: PathBuf,
    },
    /// Write result.json of Classroom 50 for one student; the names come from the variables of its runner
    #[command(
        after_help = "Example: latchstring course export classroom50 --student am12 --out result.json"
    )]
    Classroom50(OneStudent),
    /// Print the line that Autolab reads, for one student
    #[command(after_help = "Example: latchstring course export autolab --student am12")]
    Autolab {
        #[command(flatten)]
        one: OneStudent,
        /// Add the columns of a scoreboard, for an assessment that has one
        #[arg(long)]
        scoreboard: bool,
    },
    /// Write results.json of PrairieLearn for one student
    #[command(
        after_help = "Example: latchstring course export prairielearn --student am12 --out results.json"
    )]
    Prairielearn(OneStudent),
    /// Write a challenge of CTFd for each lab, and the plugin that knows each player's flag
    ///
    /// The file ctfd.key is for CTFd alone. The file flags.csv has a flag for each student and each lab that the student has passed,
    /// by grades.json. Give each student the student's own flags.
    #[command(after_help = "Example: latchstring course export ctfd --out ctfd")]
    Ctfd {
        /// Which course is meant
        #[command(flatten)]
        place: CourseArgs,
        /// Write into this folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Name this author
        #[arg(long, default_value = "latchstring")]
        author: String,
    },
}

/// Which grades, and where they go.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Which course is meant
    #[command(flatten)]
    place: CourseArgs,
    /// Read these grades [default: grades.json in the course's folder]
    #[arg(long, value_name = "FILE")]
    grades: Option<PathBuf>,
    /// Write this file [default: print it]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The grades of a class, in all labs or in some.
#[derive(Debug, Args)]
pub struct ClassArgs {
    #[command(flatten)]
    what: ExportArgs,
    /// Export this lab alone; may be repeated [default: all labs]
    #[arg(long, value_name = "LAB")]
    lab: Vec<String>,
}

/// The grades of one student.
#[derive(Debug, Args)]
pub struct OneStudent {
    #[command(flatten)]
    what: ExportArgs,
    /// Export this student, by id
    #[arg(long, value_name = "ID")]
    student: String,
    /// Export this lab alone; may be repeated [default: all labs]
    #[arg(long, value_name = "LAB")]
    lab: Vec<String>,
}

/// How Moodle knows a student.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum By {
    /// The e-mail address
    Email,
    /// The ID number: the number in the student information system
    IdNumber,
    /// The username
    Username,
}

/// Writes one of the formats.
pub(super) fn run(out: &mut impl Write, command: &ExportCommand) -> anyhow::Result<()> {
    match command {
        ExportCommand::Canvas { what, gradebook } => {
            let grades = what.grades()?;
            let export = match gradebook {
                None => canvas::write(&grades),
                Some(path) => {
                    let bytes = fs::read(path);
                    let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
                    let filled = canvas::fill(&grades, &bytes);
                    filled.with_context(|| format!("{} cannot be filled in", path.display()))?
                }
            };
            what.write(out, &noted(export))
        }
        ExportCommand::Moodle { what, by } => {
            let by = match by {
                By::Email => moodle::Key::Email,
                By::IdNumber => moodle::Key::IdNumber,
                By::Username => moodle::Key::Username,
            };
            let export = moodle::write(&what.grades()?, by)?;
            what.write(out, &noted(export))
        }
        ExportCommand::Junit { what } => {
            let grades = what.grades()?;
            let ids = grades.students().iter();
            let sheets = ids.map(|student| grades.sheet(student.person.id.as_str(), &[]));
            let sheets = sheets.collect::<Result<Vec<_>, _>>()?;
            what.write(out, &junit::write(&sheets))
        }
        ExportCommand::Gradescope(one) => one.write(out, |sheet| {
            Ok(gradescope::results(
                sheet,
                gradescope::Visibility::Visible,
                &[],
            ))
        }),
        ExportCommand::Autolab { one, scoreboard } => {
            one.write(out, |sheet| Ok(autolab::line(sheet, *scoreboard) + "\n"))
        }
        ExportCommand::Prairielearn(one) => one.write(out, |sheet| Ok(prairielearn::write(sheet))),
        ExportCommand::Classroom50(one) => one.write(out, |sheet| {
            let identity = classroom50::Identity::read(|name| env::var(name).ok())?;
            Ok(classroom50::write(sheet, &identity))
        }),
        ExportCommand::Autograder {
            place,
            lab,
            out: to,
        } => autograder(out, place, lab, to),
        ExportCommand::Ctfd {
            place,
            out: to,
            author,
        } => challenges(out, place, to, author),
    }
}

/// What an instructor should know about an export goes to the standard error.
fn noted(export: Export) -> String {
    for note in told(&export.notes) {
        let _ = writeln!(std::io::stderr(), "note: {note}");
    }
    export.text
}

impl ExportArgs {
    fn grades(&self) -> anyhow::Result<Grades> {
        let default = || self.place.course.join(GRADES);
        let grades = read(&self.grades.clone().unwrap_or_else(default))?;
        super::stale::note(&self.place, &grades);
        self.tell_who_has_left(&grades);
        Ok(grades)
    }

    /// Grades stay when a student has left. The platform may not know such a student any more.
    fn tell_who_has_left(&self, grades: &Grades) {
        // Grades can be exported where there is no list.
        let Ok(roster) = folder::roster_of(&self.place.course) else {
            return;
        };
        let ids = grades.students().iter().map(|student| &student.person.id);
        let left = ids.filter(|id| roster.find(id.as_str()).is_none());
        let left: Vec<&str> = left.map(|id| id.as_str()).collect();
        if !left.is_empty() {
            let _ = writeln!(
                std::io::stderr(),
                "note: the grades have students who are not in {} any more: {}",
                folder::ROSTER,
                left.join(", ")
            );
        }
    }

    fn write(&self, out: &mut impl Write, text: &str) -> anyhow::Result<()> {
        match &self.out {
            // Not through the screen, which folds long lines.
            None => Ok(std::io::stdout().write_all(text.as_bytes())?),
            Some(path) => {
                folder::is_no_part_of(&self.place.course, path)?;
                folder::write(path, text.as_bytes())?;
                Ok(writeln!(out, "{} is written.", path.display())?)
            }
        }
    }
}

impl ClassArgs {
    /// The grades, with the columns of the labs that were named.
    fn grades(&self) -> anyhow::Result<Grades> {
        let all = self.what.grades()?;
        if self.lab.is_empty() {
            return Ok(all);
        }
        let wanted = self.what.place.ids(&self.lab)?;
        for id in &wanted {
            ensure!(
                all.labs().iter().any(|lab| lab.id == *id),
                "the grades have no lab {id}: `latchstring course grade DIR` grades it first"
            );
        }
        let labs = all.labs().iter().filter(|lab| wanted.contains(&lab.id));
        let students = all.students().iter().map(|student| Student {
            person: student.person.clone(),
            results: (student.results.iter())
                .filter(|result| wanted.contains(&result.lab))
                .cloned()
                .collect(),
        });
        let (labs, students) = (labs.cloned().collect(), students.collect());
        Ok(Grades::new(all.header().clone(), labs, students)?)
    }

    fn write(&self, out: &mut impl Write, text: &str) -> anyhow::Result<()> {
        self.what.write(out, text)
    }
}

impl CourseArgs {
    /// The ids of labs that were named in any way.
    fn ids(&self, named: &[String]) -> anyhow::Result<Vec<String>> {
        let known = self.labs.all()?;
        let ids = named.iter();
        ids.map(|named| Ok(labs::find(known.clone(), named)?.id))
            .collect()
    }
}

impl OneStudent {
    fn write(
        &self,
        out: &mut impl Write,
        text: impl FnOnce(&Sheet<'_>) -> anyhow::Result<String>,
    ) -> anyhow::Result<()> {
        let grades = self.what.grades()?;
        let named = self.what.place.ids(&self.lab)?;
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let sheet = grades.sheet(&self.student, &named)?;
        sheet.complete()?;
        self.what.write(out, &text(&sheet)?)
    }
}

fn autograder(
    out: &mut impl Write,
    place: &CourseArgs,
    named: &[String],
    to: &Path,
) -> anyhow::Result<()> {
    let course = place.open()?;
    let program = env::current_exe().context("this program cannot be found")?;
    let program = fs::read(&program).context("this program cannot be read")?;
    let files = [terms::FILE, folder::ROSTER, key::FILE].map(|name| {
        let path = course.folder.join(name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()));
        bytes.map(|bytes| (name, bytes))
    });
    let files: Vec<_> = files.into_iter().collect::<anyhow::Result<_>>()?;
    let labs = own_labs(&course)?;
    let parts = (files.iter()).map(|(path, bytes)| gradescope::Part { path, bytes });
    let own = (labs.iter()).map(|(path, bytes)| gradescope::Part { path, bytes });
    let parts: Vec<gradescope::Part<'_>> = parts.chain(own).collect();
    let chosen: Vec<Lab> = (named.iter())
        .map(|named| labs::find(course.labs.clone(), named))
        .collect::<anyhow::Result<_>>()?;
    let ids: Vec<&str> = chosen.iter().map(|lab| lab.id.as_str()).collect();
    let archive = gradescope::archive(&program, &parts, &ids)?;
    folder::is_no_part_of(&course.folder, to)?;
    folder::write(to, &archive)?;
    let graded = if chosen.is_empty() {
        &course.labs
    } else {
        &chosen
    };
    for note in not_graded_there(&course, graded)? {
        let _ = writeln!(std::io::stderr(), "note: {note}");
    }
    writeln!(
        out,
        "{} is written. It holds the key of the course: give it to Gradescope, and to nobody else.",
        to.display()
    )?;
    Ok(())
}

/// What the archive cannot grade, each with what to do.
fn not_graded_there(course: &Course, labs: &[Lab]) -> anyhow::Result<Vec<String>> {
    let mut notes = Vec::new();
    let roster = course.roster()?;
    let people = roster.people().iter();
    let unknown = people.filter(|person| person.email.trim().is_empty());
    let unknown: Vec<&str> = unknown.map(|person| person.id.as_str()).collect();
    if !unknown.is_empty() {
        notes.push(format!(
            "Gradescope knows students by their addresses, and {} has none for: {}. What they upload is not graded. Add the addresses, and write the archive again",
            folder::ROSTER,
            unknown.join(", ")
        ));
    }
    for lab in labs {
        let deploys = |trial: &Trial| trial.deploy.is_some();
        if lab.trials.iter().any(deploys) {
            notes.push(format!(
                "the archive does not bring the server that the lab {} needs, and gives no points for it: grade it with `latchstring course grade`, or name the other labs with --lab",
                lab.id
            ));
        }
    }
    Ok(notes)
}

/// The files of all labs of the course, if one of them is not inside this program.
fn own_labs(course: &Course) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let built_in = labs::built_in()?;
    let is_built_in = |lab: &Lab| built_in.iter().any(|known| known.is_same(lab));
    if course.labs.iter().all(is_built_in) {
        return Ok(Vec::new());
    }
    let mut files = BTreeMap::new();
    for lab in &course.labs {
        let of_lab = lab
            .files
            .iter()
            .map(|(path, bytes)| (Path::new(&lab.id).join(path), bytes));
        let peers = lab
            .peers
            .iter()
            .map(|(path, bytes)| (Path::new(labs::PEERS).join(path), bytes));
        files.extend(of_lab.chain(peers));
    }
    let files = files.into_iter().map(|(path, bytes)| {
        let path = path
            .to_str()
            .with_context(|| format!("{} is not UTF-8", path.display()))?;
        Ok((format!("{}/{path}", gradescope::LABS), bytes.to_owned()))
    });
    files.collect()
}

/// The flag of each student for each lab that the student has passed. A student without an address has none.
fn flags(grades: &Grades, key: &[u8]) -> anyhow::Result<String> {
    let mut csv = table::line(["id", "email", "lab", "flag"], Separator::Comma);
    for student in grades.students() {
        let passed = student.results.iter().filter(|result| result.passed());
        for result in passed {
            let (id, email) = (student.person.id.as_str(), &student.person.email);
            match ctfd::flag(key, &result.lab, email) {
                Err(ctfd::FlagError::NoAddress) => {
                    let _ = writeln!(std::io::stderr(), "note: {id} has no address, so no flag");
                }
                flag => {
                    let (email, flag) = (table::harmless(email), flag?);
                    csv += &table::line([id, &email, &result.lab, &flag], Separator::Comma);
                }
            }
        }
    }
    Ok(csv)
}

fn challenges(
    out: &mut impl Write,
    place: &CourseArgs,
    to: &Path,
    author: &str,
) -> anyhow::Result<()> {
    let course = place.open()?;
    let title = |id: &String| {
        let lab = course.labs.iter().find(|lab| lab.id == *id);
        lab.map(|lab| lab.title.clone())
    };
    for lab in &course.labs {
        let challenge = ctfd::Challenge {
            lab: lab.id.clone(),
            name: lab.title.clone(),
            author: author.to_owned(),
            category: course.terms.course.clone(),
            description: lab.files.text("README.md")?.to_owned(),
            value: lab.points(),
            hints: lab.hints.iter().map(|hint| (hint.clone(), 0)).collect(),
            // A lab that the course leaves out cannot be required.
            requirements: lab.prerequisites.iter().filter_map(title).collect(),
            tags: lab.attacks.clone(),
            files: Vec::new(),
        };
        let folder = to.join(&lab.id);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join("challenge.yml");
        folder::write(&path, ctfd::challenge(&challenge).as_bytes())?;
    }
    let plugin = to.join("plugin").join("latchstring");
    ensure!(
        fs::create_dir_all(&plugin).is_ok(),
        "cannot make {}",
        plugin.display()
    );
    folder::write(&plugin.join("__init__.py"), ctfd::PLUGIN.as_bytes())?;
    let key = course.key.flags(&course.terms.course, &course.terms.term);
    // A file of `folder::write` is the owner's alone.
    folder::write(&to.join("ctfd.key"), key.to_hex().as_bytes())?;
    let grades = course.folder.join(GRADES);
    if grades.exists() {
        let flags = flags(&read(&grades)?, key.to_hex().as_bytes())?;
        folder::write(&to.join("flags.csv"), flags.as_bytes())?;
    }
    writeln!(
        out,
        "{} has {}, and the plugin to copy into CTFd/plugins.",
        to.display(),
        super::count(course.labs.len(), "challenge")
    )?;
    Ok(())
}
