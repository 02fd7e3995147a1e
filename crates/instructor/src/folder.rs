//! The folder of a course: what `latchstring course new` makes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use latchstring_classroom::{catalogue::Lab, hand_out::Owner};
use latchstring_cli::whole;
use latchstring_course::roster::{self, Id, Reading, Roster};

use crate::{
    key::{self, CourseKey},
    terms::{self, Terms},
};

/// The list of students.
pub const ROSTER: &str = "roster.csv";
/// The list as it was before the last import.
pub const ROSTER_BEFORE: &str = "roster.csv.before";
/// The grades in a course's folder.
pub const GRADES: &str = "grades.json";
/// What a new list begins with: a heading, and nobody.
const NOBODY: &str = "id,name,email,login,sis,number,section\n";

/// A course, open.
pub struct Course {
    /// The folder.
    pub folder: PathBuf,
    /// The terms.
    pub terms: Terms,
    /// The key.
    pub key: CourseKey,
    /// The labs of the course, in the order of their numbers.
    pub labs: Vec<Lab>,
}

impl Course {
    /// Makes a course: a key, terms and an empty list of students.
    ///
    /// # Errors
    /// When the folder has a course already, or a file cannot be written.
    pub fn create(folder: &Path, name: &str, term: &str, labs: &[Lab]) -> anyhow::Result<()> {
        let shown = folder.display();
        for file in [terms::FILE, key::FILE, ROSTER] {
            ensure!(
                !folder.join(file).exists(),
                "{shown} has a {file} already: go on with that course, or name another folder with --course"
            );
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make {shown}"))?;
        CourseKey::create(folder)?;
        let write = |file: &str, text: &str| {
            let path = folder.join(file);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write(ROSTER, NOBODY)?;
        write(terms::FILE, &terms::template(name, term, labs))
    }

    /// Opens a course. `labs` are all labs that there are.
    ///
    /// # Errors
    /// When one of its files is missing or damaged.
    pub fn open(folder: &Path, labs: &[Lab]) -> anyhow::Result<Self> {
        let terms = Terms::read(folder, labs)?;
        let key = CourseKey::read(folder)?;
        let labs = labs.iter().filter(|lab| terms.labs.contains(&lab.id));
        Ok(Self {
            folder: folder.to_owned(),
            labs: labs.cloned().collect(),
            terms,
            key,
        })
    }

    /// The students of the course.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn roster(&self) -> anyhow::Result<Roster> {
        roster_of(&self.folder)
    }

    /// The students whose ids were named; all of them if none is.
    ///
    /// # Errors
    /// When the list has no student of one of these ids, or none at all.
    pub fn students(&self, named: &[String]) -> anyhow::Result<Roster> {
        let all = self.roster()?;
        ensure!(
            !all.people().is_empty(),
            "the course has no students: `latchstring course roster import FILE.csv` reads the list of your learning platform"
        );
        for id in named {
            all.find(id).with_context(|| unknown(&all, id))?;
        }
        let wanted = |id: &Id| named.is_empty() || named.iter().any(|name| name == id.as_str());
        Ok(all.only(wanted))
    }

    /// Who gets the hand-out of this student.
    pub fn owner(&self, student: &Id) -> Owner {
        Owner {
            course: self.terms.course.clone(),
            term: self.terms.term.clone(),
            student: student.to_string(),
        }
    }
}

/// What is said of an id that nobody has.
pub(crate) fn unknown(all: &Roster, id: &str) -> String {
    let ids = all.people().iter().map(|person| person.id.as_str());
    let hint = latchstring_cli::suggest::nearest(id, ids);
    format!("the course has no student {id:?}{hint}; `latchstring course roster list` names them")
}

/// The students in a course's folder.
///
/// # Errors
/// When the list cannot be read, or names nobody.
pub fn roster_of(folder: &Path) -> anyhow::Result<Roster> {
    let path = folder.join(ROSTER);
    ensure!(path.exists(), missing(folder));
    Ok(read_roster(&path)?.roster)
}

/// What is said if there is no list of students. If the rest of the course is there, the list alone is lost.
fn missing(folder: &Path) -> String {
    let (path, before) = (folder.join(ROSTER), folder.join(ROSTER_BEFORE));
    let shown = path.display();
    match (folder.join(terms::FILE).exists(), before.exists()) {
        (false, _) => format!(
            "{shown} is not there: go to the folder that `latchstring course new` has made, or name it with --course"
        ),
        (true, true) => format!(
            "{shown} is lost: take it from your backup, or from the list of before the last change with `cp {} {shown}`",
            before.display()
        ),
        (true, false) => format!(
            "{shown} is lost: take it from your backup, or make it again with `latchstring course roster import FILE.csv`"
        ),
    }
}

/// The students so far, to whom others are added. A new course has none, and neither has
/// one whose list is lost without a copy.
///
/// # Errors
/// When the list cannot be read. It is then left as it is: a person may have edited it, and nothing in it may be lost.
pub fn roster_so_far(folder: &Path) -> anyhow::Result<Roster> {
    match fs::read(folder.join(ROSTER)) {
        Ok(bytes) if is_nobody(&bytes) => Ok(Roster::default()),
        Err(why)
            if why.kind() == io::ErrorKind::NotFound && !folder.join(ROSTER_BEFORE).exists() =>
        {
            Ok(Roster::default())
        }
        _ => roster_of(folder),
    }
}

fn is_nobody(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) == NOBODY.as_bytes()
}

/// Reads a list of students, from a learning platform or by hand.
///
/// # Errors
/// When it cannot be read; the error names the line.
pub fn read_roster(path: &Path) -> anyhow::Result<Reading> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => {
            anyhow::anyhow!(
                "{name} is not there: name the list of students that your platform exports"
            )
        }
        _ => anyhow::anyhow!("cannot read {name}: {why}"),
    })?;
    match is_nobody(&bytes) {
        true => bail_empty(&name),
        false => Ok(roster::read(&name, &bytes)?),
    }
}

/// A new course's list is no mistake; it is only empty.
fn bail_empty(name: &str) -> anyhow::Result<Reading> {
    bail!(
        "{name} names nobody yet: `latchstring course roster import FILE.csv` reads the list of your learning platform"
    )
}

/// Writes the list of students in one step, so that an interruption leaves the old one. The old one is kept beside it.
///
/// # Errors
/// When the list would not be read back, such as with one address twice; or when it cannot be written.
pub fn write_roster(folder: &Path, roster: &Roster) -> anyhow::Result<()> {
    let path = folder.join(ROSTER);
    let text = match roster.people().is_empty() {
        true => NOBODY.to_owned(),
        false => roster.to_csv(),
    };
    let read = || match roster.people().is_empty() {
        true => Ok(()),
        false => roster::read("the new list", text.as_bytes()).map(drop),
    };
    read().context("the list would not hold together, and nothing was changed")?;
    if let Ok(before) = fs::read(&path) {
        write(&folder.join(ROSTER_BEFORE), &before)?;
    }
    write(&path, text.as_bytes())
}

/// Whether an export may have this name: it must not take the place of a file of the course.
///
/// # Errors
/// When it would.
pub fn is_no_part_of(folder: &Path, path: &Path) -> anyhow::Result<()> {
    let own = [terms::FILE, key::FILE, ROSTER, ROSTER_BEFORE, GRADES];
    let real = |path: PathBuf| fs::canonicalize(path).ok();
    let there = real(path.to_owned());
    let taken = own.into_iter().find(|file| {
        let own = real(folder.join(file));
        own.is_some() && own == there
    });
    match taken {
        None => Ok(()),
        Some(_) => bail!(
            "{} is a file of the course: name another file with --out. Nothing was written",
            path.display()
        ),
    }
}

/// Writes a file in one step. A pipe or a device is written to, and never replaced.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    Ok(whole::write(path, bytes)?)
}
