//! The hand-outs: an archive for each student, with captures, keys and questions that are this student's.
//!
//! An archive depends on the course's key, its terms, the student's id and the version of the program, and on nothing else.
//! So a lost one can be made again, to the byte.

mod read_first;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use latchstring_classroom::{crew, labs::own::Own, scratch, student::Student};
use latchstring_course::roster::{Person, Roster, spelled};
use tokio::runtime::Runtime;
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{folder::Course, invitations};

/// The name of the student's invitation to the course's own server, in the archive.
pub const INVITATION: &str = "invitation";

/// How a student gets into the server where the class hands in.
pub(crate) enum Door {
    /// There is no such server.
    None,
    /// With an account.
    Account,
    /// With an invitation, which goes into the archive.
    Invitation(Vec<u8>),
}

/// What is handed out.
pub struct Plan<'a> {
    /// The course.
    pub course: &'a Course,
    /// To these students.
    pub students: &'a Roster,
    /// A folder with an invitation for each student to the server where they hand in, each in a file named by the
    /// student's id.
    pub invitations: Option<&'a Path>,
    /// Hears of each archive that is made: the student's id, how many are made, and how many there are.
    pub progress: &'a (dyn Fn(&str, usize, usize) + Sync),
}

impl Plan<'_> {
    /// Writes the archives into a folder, four at once for each core. Gives their paths.
    ///
    /// # Errors
    /// When an invitation is missing, or an archive cannot be made or written.
    pub fn run(&self, to: &Path) -> anyhow::Result<Vec<PathBuf>> {
        fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
        let people = self.students.people();
        // Before the work, so that nothing is made for a class whose invitations are missing.
        let doors: Vec<Door> = people
            .iter()
            .map(|person| self.door(person))
            .collect::<anyhow::Result<_>>()?;
        let work: Vec<_> = people.iter().zip(&doors).collect();
        let own = Own::of(&self.course.labs)?;
        let done = std::sync::atomic::AtomicUsize::new(0);
        // Sessions are really run, and mostly wait.
        crew::each(&work, 4 * crew::cores(), |runtime, (person, door)| {
            let path = to.join(format!("{}.zip", person.id));
            let made = self.one(runtime, person, door, &own, &path);
            made.with_context(|| format!("the hand-out of {} was not made", person.id))?;
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            (self.progress)(person.id.as_str(), done, people.len());
            Ok(path)
        })
    }

    fn door(&self, person: &Person) -> anyhow::Result<Door> {
        let Some(folder) = self.invitations else {
            return Ok(Door::None);
        };
        let (id, path) = (person.id.as_str(), folder.join(person.id.as_str()));
        if invitations::accounts(folder).contains(id) {
            return Ok(Door::Account);
        }
        let read = fs::read(&path).with_context(|| {
            format!(
                "{id} has no invitation: make the file {} with `latchstring course invite`",
                path.display()
            )
        });
        read.map(Door::Invitation)
    }

    fn one(
        &self,
        runtime: &Runtime,
        person: &Person,
        door: &Door,
        own: &Own,
        path: &Path,
    ) -> anyhow::Result<()> {
        let made = scratch::folder()?;
        let top = made.path();
        let owner = self.course.owner(&person.id);
        for lab in &self.course.labs {
            let seed = self.course.key.seed(&owner, &lab.id);
            let wanted = self.course.terms.language.as_deref();
            let language = wanted.filter(|_| !lab.languages.is_empty());
            let folder = top.join(&lab.id);
            let hand_out = Student::hand_out(lab.clone(), &folder, &seed, owner.clone(), language);
            runtime
                .block_on(hand_out)
                .with_context(|| format!("the lab {} cannot be handed out", lab.id))?;
        }
        own.write(top)?;
        let name = folder_name(&self.course.terms.course, person.id.as_str());
        let first = read_first::text(self.course, person, door, &name);
        fs::write(top.join(read_first::FILE), first)?;
        if let Door::Invitation(invitation) = door {
            fs::write(top.join(INVITATION), invitation)?;
        }
        archive(top, &name, path)
    }
}

/// The name of the folder in an archive: letters and digits of the course's name, and the student's id.
fn folder_name(course: &str, student: &str) -> String {
    let mut plain = String::new();
    for c in course.to_lowercase().chars() {
        match spelled(c) {
            Some(letters) => plain.push_str(letters),
            None if c.is_ascii_alphanumeric() => plain.push(c),
            None => plain.push(' '),
        }
    }
    let words: Vec<&str> = plain.split_whitespace().chain([student]).collect();
    words.join("-")
}

/// Writes all files of a folder into an archive, below a folder of this name there. The order is that of the paths, and no
/// entry has a date.
fn archive(folder: &Path, name: &str, path: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    let beside = path.with_extension("zip.part");
    // The archive has another name until it is whole, of which nobody has heard.
    let failed = || format!("cannot write {}", path.display());
    let file = File::create(&beside).with_context(failed)?;
    let mut zip = ZipWriter::new(BufWriter::new(file));
    for file in files {
        let below = file.strip_prefix(folder)?.to_str();
        let below = below.with_context(|| format!("{} is not UTF-8", file.display()))?;
        let bytes = fs::read(&file)?;
        let runs = fs::metadata(&file)?.permissions().mode() & 0o100 != 0;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(if runs { 0o755 } else { 0o644 });
        zip.start_file(format!("{name}/{below}"), options)?;
        zip.write_all(&bytes).with_context(failed)?;
    }
    zip.finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    fs::rename(&beside, path).with_context(failed)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let about = fs::symlink_metadata(&path)?;
        ensure!(!about.is_symlink(), "{} is a link", path.display());
        match about.is_dir() {
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_an_archive_has_a_plain_name() {
        assert_eq!(
            folder_name("Netz & Söhne II", "anna"),
            "netz-soehne-ii-anna"
        );
        assert_eq!(folder_name("../../etc", "b"), "etc-b");
        assert_eq!(folder_name("…", "c"), "c");
    }
}
