//! `grade` and `regrade`.

mod scale;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use anyhow::{Context, ensure};
use clap::Args;
use latchstring_classroom::{catalogue::Lab, crew, labs};
use latchstring_confine::run::Launcher;
use latchstring_course::{
    export::gradescope::{self, Visibility},
    grades::{Grades, Part},
    moment::Moment,
    roster::{Id, Roster},
};

pub(super) use super::grades_file::read;
use super::{
    CourseArgs, KEEPER, count,
    grades_file::{course_option, refuse_if_lost, same_course, typed, write},
    telling::{
        SOME_UNGRADED, results, tell, tell_changes, tell_missing, tell_points, tell_troubles,
    },
};
pub(super) use crate::folder::GRADES;
use crate::{
    folder::{self, Course},
    grade::{Machine, Pile, Plan, Taken, Ungraded},
    key, platform,
    submissions::{self, Submission},
};

/// What is graded.
#[derive(Debug, Args)]
pub struct GradeArgs {
    /// Grade the files in this folder, as the learning platform exports them
    handed_in: PathBuf,
    /// Which course is meant
    #[command(flatten)]
    place: CourseArgs,
    /// Write the grades to this file [default: grades.json in the course's folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Grade this lab alone; may be repeated [default: all labs of the course]
    #[arg(long, value_name = "LAB")]
    lab: Vec<String>,
    /// Grade this student alone, by id; may be repeated [default: all students]
    #[arg(long, value_name = "ID")]
    student: Vec<String>,
    /// Grade this many submissions at once [default: two for each core]
    #[arg(long)]
    jobs: Option<usize>,
    /// Write this as the time of grading [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl GradeArgs {
    /// A command about the same files and course, to be typed.
    fn command(&self, verb: &str) -> String {
        let course = course_option(&self.place.course);
        let mut command = format!(
            "latchstring course {verb} {}{course}",
            typed(&self.handed_in)
        );
        if let Some(out) = &self.out {
            command += &format!(" --out {}", typed(out));
        }
        command
    }

    /// The labs and the students that were named, to be typed.
    fn named(&self) -> String {
        let labs = self.lab.iter().map(|lab| format!(" --lab {lab}"));
        let students = self.student.iter().map(|id| format!(" --student {id}"));
        labs.chain(students).collect()
    }
}

/// The options of `grade` alone.
#[derive(Debug, Args)]
pub struct GradeMore {
    #[command(flatten)]
    what: GradeArgs,
    /// Grade one part of the class, such as 3/10; `course merge` puts the parts together
    #[arg(long, value_name = "K/N")]
    part: Option<String>,
    /// Grade one submission for Gradescope: read the student from this file, and write results.json
    #[arg(long, value_name = "METADATA")]
    gradescope: Option<PathBuf>,
    /// Write the file even if results in it are lost
    #[arg(long)]
    replace: bool,
    /// Leave out the line with the points of each student
    #[arg(long)]
    quiet: bool,
}

/// A course, with what of it is graded.
struct Job {
    course: Course,
    roster: Roster,
    students: Roster,
    labs: Vec<Lab>,
    now: Moment,
    jobs: usize,
    launcher: Launcher,
}

impl Job {
    fn of(arguments: &GradeArgs) -> anyhow::Result<Self> {
        let course = arguments.place.open()?;
        let students = course.students(&arguments.student)?;
        let chosen = match arguments.lab.is_empty() {
            true => course.labs.clone(),
            false => {
                let named = arguments.lab.iter();
                let named = named.map(|named| labs::find(course.labs.clone(), named));
                named.collect::<anyhow::Result<_>>()?
            }
        };
        let now = match &arguments.at {
            Some(text) => Moment::in_any_zone(text)?,
            None => Moment::at(SystemTime::now()),
        };
        ensure!(
            arguments.jobs != Some(0),
            "--jobs 0 grades nothing: give 1 or more"
        );
        Ok(Self {
            roster: course.roster()?,
            course,
            students,
            labs: chosen,
            now,
            jobs: arguments.jobs.unwrap_or(2 * crew::cores()),
            launcher: Launcher::this_program(&KEEPER)?,
        })
    }

    /// The files that were handed in, sorted.
    ///
    /// # Errors
    /// When several students' files are there, and the course's key fits none of them.
    fn sort(&self, handed_in: Vec<Submission>) -> anyhow::Result<Pile> {
        let pile = Pile::of_all(&self.course, &self.roster, handed_in);
        ensure!(
            pile.sealed > 0 || pile.taken.len() < 2,
            "the key {} fits none of the {} files: take the key of the course that was handed out. Nothing was graded",
            self.course.folder.join(key::FILE).display(),
            pile.taken.len()
        );
        Ok(pile)
    }

    fn plan(&self) -> Plan<'_> {
        Plan {
            course: &self.course,
            students: &self.students,
            roster: &self.roster,
            labs: self.labs.iter().collect(),
            jobs: self.jobs,
            now: self.now.clone(),
            launcher: &self.launcher,
            progress: &|what, done, of| {
                let _ = writeln!(io::stderr(), "{done} of {of}: {what}");
            },
        }
    }
}

/// Grades a class, a part of it, or one submission.
pub(super) fn grade(out: &mut impl Write, arguments: &GradeMore) -> anyhow::Result<ExitCode> {
    let what = &arguments.what;
    let mut job = Job::of(what)?;
    if let Some(metadata) = &arguments.gradescope {
        return for_gradescope(out, &job, what, metadata);
    }
    let to = what.out.clone();
    let to = to.unwrap_or_else(|| job.course.folder.join(GRADES));
    let old = match to.exists() && !arguments.replace {
        true => Some(read(&to)?),
        false => None,
    };
    if let Some(old) = &old {
        same_course(&job.course, old)?;
    }
    let pile = job.sort(submissions::read(&what.handed_in, &job.roster)?)?;
    let mut part = None;
    if let Some(written) = &arguments.part {
        let all = job.students.people().len();
        let (k, n) = numbers_of(written)?;
        job.students = part_of(&job.students, k, n);
        part = Some(Part::one(k, n, all, pile.hash.clone()));
    }
    let plan = job.plan();
    let machine = plan.machine(&pile)?;
    if let Some(old) = &old {
        nothing_is_lost(&job, old, &pile, &machine, what, &to)?;
    }
    tell_missing(out, &machine)?;
    let mut graded = plan.run(&pile, &machine)?;
    graded.grades = graded.grades.with_part(part);
    write(&to, &graded.grades)?;
    if !arguments.quiet {
        tell_points(out, &graded.grades)?;
    }
    tell(out, &graded, &to)
}

/// Before the work: each result that is in the file already is made again, and no verdict in it becomes none.
fn nothing_is_lost(
    job: &Job,
    old: &Grades,
    pile: &Pile,
    machine: &Machine,
    what: &GradeArgs,
    to: &Path,
) -> anyhow::Result<()> {
    let mut lost = Vec::new();
    for student in old.students() {
        let id = &student.person.id;
        for result in &student.results {
            let key = (id.clone(), result.lab.clone());
            let again = job.students.find(id.as_str()).is_some()
                && job.labs.iter().any(|lab| lab.id == result.lab)
                && pile.taken.contains_key(&key)
                && !(result.is_complete() && machine.fails(&key));
            if !again {
                lost.push(format!("{id}, {}", result.lab));
            }
        }
    }
    let keep = what.command("regrade") + &what.named();
    refuse_if_lost(to, &lost, &keep)
}

/// The two numbers of a part: `3/10`.
fn numbers_of(part: &str) -> anyhow::Result<(usize, usize)> {
    let numbers = part.split_once('/');
    let numbers = numbers.and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    let (k, n): (usize, usize) =
        numbers.with_context(|| format!("{part:?} is no part: write K/N, such as 3/10"))?;
    ensure!(
        (1..=n).contains(&k),
        "{part:?} is no part: the first number is from 1 to the second one"
    );
    Ok((k, n))
}

/// The students of one part of the class: every N-th, from the K-th on.
fn part_of(students: &Roster, k: usize, n: usize) -> Roster {
    let ids: Vec<&Id> = students.people().iter().map(|person| &person.id).collect();
    let mine: Vec<&Id> = ids.into_iter().skip(k - 1).step_by(n).collect();
    students.only(|id| mine.contains(&id))
}

fn for_gradescope(
    out: &mut impl Write,
    job: &Job,
    what: &GradeArgs,
    metadata: &Path,
) -> anyhow::Result<ExitCode> {
    let upload = platform::gradescope(metadata, &job.roster)?;
    let mut handed_in = submissions::read(&what.handed_in, &job.roster)?;
    for submission in &mut handed_in {
        submission.uploader = Some(upload.student.clone());
        submission.received = Some(upload.created.clone());
    }
    let mut alone = Job {
        students: job.roster.only(|id| *id == upload.student),
        course: what.place.open()?,
        roster: job.roster.clone(),
        labs: job.labs.clone(),
        now: job.now.clone(),
        jobs: job.jobs,
        launcher: job.launcher.clone(),
    };
    // Gradescope has deadlines, and takes points for them.
    alone.course.terms.due.clear();
    let pile = Pile::of_all(&alone.course, &alone.roster, handed_in);
    let plan = alone.plan();
    let machine = plan.machine(&pile)?;
    tell_missing(out, &machine)?;
    let graded = plan.run(&pile, &machine)?;
    let (grades, student) = (&graded.grades, upload.student.as_str());
    let to = what.out.as_ref();
    let to = to.context("name the file for Gradescope with --out")?;
    let mut sheet = grades.sheet(student, &[])?;
    if what.lab.is_empty() {
        // The whole course is one assignment: only what was handed in counts.
        sheet.labs.retain(|(_, result)| result.is_some());
    }
    // Without a file, Gradescope says that the grader has failed, and gives no points: not even 0.
    sheet.complete()?;
    let mut notes: Vec<String> = graded.ungraded.iter().map(for_student).collect();
    if notes.is_empty() && sheet.labs.is_empty() {
        notes.push("No file was handed in.".to_owned());
    }
    let text = gradescope::results(&sheet, Visibility::Visible, &notes);
    folder::write(to, text.as_bytes())?;
    // Gradescope shows this to the instructor alone, and takes every other exit code for a broken grader.
    tell(out, &graded, to)?;
    Ok(ExitCode::SUCCESS)
}

/// What a student may know about a file that was not graded.
fn for_student(file: &Ungraded) -> String {
    match file.kind.is_for_student() {
        true => format!("{} was not graded: {}.", file.path, file.why),
        false => format!("{} was not graded: ask your instructor.", file.path),
    }
}

/// Grades some submissions again, and says what has changed.
pub(super) fn regrade(out: &mut impl Write, arguments: &GradeArgs) -> anyhow::Result<ExitCode> {
    let job = Job::of(arguments)?;
    let to = arguments.out.clone();
    let to = to.unwrap_or_else(|| job.course.folder.join(GRADES));
    let old = read(&to)?;
    same_course(&job.course, &old)?;
    let mut pile = job.sort(submissions::read(&arguments.handed_in, &job.roster)?)?;
    let plan = job.plan();
    let machine = plan.machine(&pile)?;
    tell_missing(out, &machine)?;
    let kept = keep_verdicts(&old, &mut pile, &machine);
    for (student, lab) in &kept {
        writeln!(
            out,
            "- {student}, {lab}: the result of before stays, because this machine cannot grade all of it"
        )?;
    }
    let apart = scale::apart(&job, arguments, &old, &plan.columns(), &pile, &kept)?;
    let graded = plan.run(&pile, &machine)?;
    let seen = pile.paths.iter().map(String::as_str).collect();
    let new = apart.stays.replaced_by(&graded.grades, &seen)?;
    let mut changes = 0;
    for student in new.students() {
        let before = old.students().iter();
        let mut before = before.filter(|known| known.person.id == student.person.id);
        changes += tell_changes(out, before.next(), student)?;
    }
    apart.keep(out, &to)?;
    write(&to, &new)?;
    let all = results(&new);
    let again = results(&graded.grades);
    writeln!(
        out,
        "{} changed: {again} graded again, {} kept.",
        count(changes, "result"),
        all - again
    )?;
    let code = tell_troubles(out, &graded)?;
    Ok(match kept.is_empty() {
        true => code,
        false => ExitCode::from(SOME_UNGRADED),
    })
}

/// Takes out of the pile what has all its verdicts already, and would lose some on this machine. A newer file of the student is
/// graded all the same.
fn keep_verdicts(old: &Grades, pile: &mut Pile, machine: &Machine) -> Vec<(Id, String)> {
    let mut kept = Vec::new();
    for student in old.students() {
        for result in student.results.iter().filter(|one| one.is_complete()) {
            let key = (student.person.id.clone(), result.lab.clone());
            let same = |taken: &Taken| Some(&taken.submitted) == result.submitted.as_ref();
            if machine.fails(&key) && pile.taken.get(&key).is_some_and(same) {
                pile.taken.remove(&key);
                kept.push(key);
            }
        }
    }
    kept
}
