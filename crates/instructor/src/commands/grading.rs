//! `grade`, `regrade` and `merge`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use latchstring_classroom::{catalogue::Lab, crew, labs};
use latchstring_confine::run::Launcher;
use latchstring_course::{
    export::gradescope::{self, Visibility},
    grades::{Grades, LabResult, Part, Student, all_parts},
    moment::Moment,
    points::Points,
    roster::{Id, Roster},
};

use super::{CourseArgs, KEEPER, count};
use crate::{
    folder::{self, Course},
    grade::{Graded, Machine, Pile, Plan, Taken, Ungraded},
    key, platform,
    submissions::{self, Submission},
};

/// The grades in a course's folder.
pub(crate) const GRADES: &str = "grades.json";
/// The exit code when a file, or a part of one, could not be graded. All other grades are written.
const SOME_UNGRADED: u8 = 3;

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
    let pile = job.sort(submissions::read(&what.handed_in, &job.roster)?)?;
    let mut part = None;
    if let Some(written) = &arguments.part {
        let all = job.students.people().len();
        let (k, n) = numbers_of(written)?;
        job.students = part_of(&job.students, k, n);
        part = Some(Part::one(k, n, all, pile.hash.clone()));
    }
    let to = what.out.clone();
    let to = to.unwrap_or_else(|| job.course.folder.join(GRADES));
    let plan = job.plan();
    let machine = plan.machine(&pile)?;
    if !arguments.replace {
        nothing_is_lost(&job, &pile, &machine, what, &to)?;
    }
    tell_missing(out, &machine)?;
    let mut graded = plan.run(&pile, &machine)?;
    graded.grades = graded.grades.with_part(part);
    folder::write(&to, graded.grades.to_json().as_bytes())?;
    if !arguments.quiet {
        tell_points(out, &graded.grades)?;
    }
    tell(out, &graded, &to)
}

/// Before the work: what this machine lacks, and what to do.
fn tell_missing(out: &mut impl Write, machine: &Machine) -> anyhow::Result<()> {
    if machine.missing.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "This machine lacks something. What needs it is not graded, and takes no points from anybody:"
    )?;
    for (missing, keys) in &machine.missing {
        let labs: BTreeSet<&str> = keys.iter().map(|(_, lab)| lab.as_str()).collect();
        let labs: Vec<&str> = labs.into_iter().collect();
        writeln!(
            out,
            "- {}. Needed by {} of {}. Do this: {}",
            missing.what,
            count(keys.len(), "submission"),
            labs.join(", "),
            missing.remedy
        )?;
    }
    writeln!(
        out,
        "Then grade again, here or on another machine: `latchstring course regrade` fills in what was left out."
    )?;
    Ok(out.flush()?)
}

/// Before the work: each result that is in the file already is made again, and no verdict in it becomes none.
fn nothing_is_lost(
    job: &Job,
    pile: &Pile,
    machine: &Machine,
    what: &GradeArgs,
    to: &Path,
) -> anyhow::Result<()> {
    if !to.exists() {
        return Ok(());
    }
    let (old, mut lost) = (read(to)?, Vec::new());
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
    let first = lost.first().map_or("", String::as_str);
    ensure!(
        lost.is_empty(),
        "{} has {} that would be lost, such as {first}. To keep them: latchstring course regrade {}. To begin again: --replace",
        to.display(),
        count(lost.len(), "result"),
        what.handed_in.display()
    );
    Ok(())
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
    let graded = plan.run(&pile, &machine)?;
    let seen = pile.paths.iter().map(String::as_str).collect();
    let new = old.replaced_by(&graded.grades, &seen)?;
    let mut changes = 0;
    for student in new.students() {
        let before = old.students().iter();
        let mut before = before.filter(|known| known.person.id == student.person.id);
        changes += tell_changes(out, before.next(), student)?;
    }
    folder::write(&to, new.to_json().as_bytes())?;
    let all: usize = new
        .students()
        .iter()
        .map(|student| student.results.len())
        .sum();
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

/// A line for each lab of a student that has other points than before.
fn tell_changes(
    out: &mut impl Write,
    before: Option<&Student>,
    now: &Student,
) -> io::Result<usize> {
    let mut changes = 0;
    for result in &now.results {
        let old = before.and_then(|student| student.result(&result.lab));
        let old = old.map(|old| old.points());
        if old != Some(result.points()) {
            changes += 1;
            let old = old.map_or("nothing".to_owned(), |points| points.to_string());
            writeln!(
                out,
                "{}, {}: {old} before, {} now",
                now.person.id,
                result.lab,
                result.points()
            )?;
        }
    }
    Ok(changes)
}

/// Puts parts of a class together.
pub(super) fn merge(
    out: &mut impl Write,
    parts: &[PathBuf],
    to: &Path,
    partial: bool,
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
    folder::write(to, all.to_json().as_bytes())?;
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

/// Reads a file of grades.
pub(super) fn read(path: &Path) -> anyhow::Result<Grades> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read the grades {}: `latchstring course grade DIR` makes them",
            path.display()
        )
    })?;
    Grades::from_json(&text).with_context(|| format!("{} cannot be used", path.display()))
}

/// A line for each student who handed in something: the points, and those of each lab.
fn tell_points(out: &mut impl Write, grades: &Grades) -> anyhow::Result<()> {
    for student in grades.students() {
        if student.results.is_empty() {
            continue;
        }
        let all: Points = student.results.iter().map(LabResult::points).sum();
        let of: Points = grades.labs().iter().map(|lab| lab.of).sum();
        let labs = student.results.iter().map(|result| {
            let number = result.lab.split('-').next().unwrap_or(&result.lab);
            let open = if result.is_complete() { "" } else { " so far" };
            format!("{number}: {} of {}{open}", result.points(), result.of())
        });
        let labs: Vec<String> = labs.collect();
        let id = &student.person.id;
        writeln!(out, "{id}  {all} of {of} ({})", labs.join(", "))?;
    }
    Ok(())
}

/// What was graded, and what could not be.
fn tell(out: &mut impl Write, graded: &Graded, to: &Path) -> anyhow::Result<ExitCode> {
    let students = graded.grades.students();
    let without = students.iter().filter(|student| student.results.is_empty());
    writeln!(
        out,
        "{}: {} of {}.",
        to.display(),
        count(results(&graded.grades), "result"),
        count(students.len(), "student")
    )?;
    let without: Vec<&str> = without.map(|student| student.person.id.as_str()).collect();
    if !without.is_empty() {
        writeln!(out, "Nothing was handed in by: {}.", without.join(", "))?;
    }
    tell_troubles(out, graded)
}

/// The parts that were not tried, and how many there are.
fn tell_open(out: &mut impl Write, grades: &Grades) -> anyhow::Result<bool> {
    let (mut parts, mut of) = (0, 0);
    for student in grades.students() {
        for result in student.results.iter().filter(|one| !one.is_complete()) {
            let open: Vec<&str> = result.not_graded().map(|item| item.id.as_str()).collect();
            (parts, of) = (parts + open.len(), of + 1);
            let why = result.not_graded().next().map_or("", |item| &item.message);
            writeln!(
                out,
                "- {}, {}: not graded: {} ({why})",
                student.person.id,
                result.lab,
                open.join(", ")
            )?;
        }
    }
    if of > 0 {
        writeln!(
            out,
            "{} not graded, in {}. There are no points for them yet, and the exports leave these results out.",
            match parts {
                1 => "1 part was".to_owned(),
                _ => format!("{parts} parts were"),
            },
            count(of, "result")
        )?;
    }
    Ok(of > 0)
}

fn results(grades: &Grades) -> usize {
    let students = grades.students().iter();
    students.map(|student| student.results.len()).sum()
}

/// The remarks, and the files that were not graded.
fn tell_troubles(out: &mut impl Write, graded: &Graded) -> anyhow::Result<ExitCode> {
    for student in graded.grades.students() {
        for result in &student.results {
            for remark in &result.remarks {
                writeln!(
                    out,
                    "- {}, {}: {}",
                    student.person.id, result.lab, remark.sentence
                )?;
            }
        }
    }
    for file in &graded.ungraded {
        writeln!(out, "- not graded: {}: {}", file.path, file.why)?;
    }
    let open = tell_open(out, &graded.grades)?;
    out.flush()?;
    Ok(match graded.ungraded.is_empty() && !open {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(SOME_UNGRADED),
    })
}
