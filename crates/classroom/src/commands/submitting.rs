//! `submit`: the file that a student of a course hands in.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, bail};
use latchstring_cli::whole;
use latchstring_course::moment::Moment;

use crate::{
    answers::Answers,
    bundle::{self, Made, Manifest},
    student::Student,
};

/// What the name of a journal of other content gets at its end.
const ASIDE: &str = ".old";

/// The file that is handed in, on the disk.
pub(super) struct Packed {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What it says about itself.
    pub(super) manifest: Manifest,
    /// A sentence for the student on what came before it, if there is one.
    pub(super) before: Option<String>,
}

/// Writes the file into the lab's folder, or where the student says.
pub(super) fn submit(
    out: &mut impl Write,
    student: &Student,
    to: Option<&Path>,
) -> anyhow::Result<()> {
    let packed = match to {
        Some(path) => {
            let made = made(student)?;
            write(path, &made.bytes)?;
            Packed {
                path: path.to_owned(),
                manifest: made.manifest,
                before: None,
            }
        }
        None => pack(student, false)?,
    };
    tell(out, student, &packed)?;
    writeln!(
        out,
        "Hand this file in. If you change your work, run `latchstring lab submit` again."
    )?;
    Ok(())
}

/// Says what is in the file.
pub(super) fn tell(out: &mut impl Write, student: &Student, packed: &Packed) -> anyhow::Result<()> {
    if let Some(before) = &packed.before {
        writeln!(out, "{before}")?;
    }
    let (files, manifest) = (packed.manifest.files.len(), &packed.manifest);
    writeln!(
        out,
        "{} holds your work in {}: {files} files, made at {}.",
        packed.path.display(),
        manifest.lab,
        manifest.made
    )?;
    let answers = Answers::read(&student.folder, &student.lab)?;
    let questions = student.lab.questions.iter();
    let empty = questions.filter(|question| answers.to(question).is_empty());
    let empty = empty.filter(|question| !manifest.predictions.contains_key(&question.id));
    let empty: Vec<&str> = empty.map(|question| question.id.as_str()).collect();
    if !empty.is_empty() {
        writeln!(out, "Not answered: {}.", empty.join(", "))?;
    }
    Ok(())
}

/// Writes the file into the lab's folder. A file of the same work stays as it is when it is on its way, or when `keep` says so.
/// Then the server gets only the parts that it does not hold.
pub(super) fn pack(student: &Student, keep: bool) -> anyhow::Result<Packed> {
    let made = made(student)?;
    let path = student.folder.join(name(&made.manifest));
    let journal = with_ending(&path, bundle::SENDING);
    let begun = journal.exists();
    if (begun || keep)
        && let Some(manifest) = same_work(student, &path, &made)
    {
        let before = begun.then(|| {
            "Your work has not changed since a transfer that was not finished. So the same file goes on.".to_owned()
        });
        return Ok(Packed {
            path,
            manifest,
            before,
        });
    }
    let before = match begun {
        true => Some(set_aside(&journal)?),
        false => None,
    };
    write(&path, &made.bytes)?;
    Ok(Packed {
        path,
        manifest: made.manifest,
        before,
    })
}

fn made(student: &Student) -> anyhow::Result<Made> {
    // A sheet that cannot be read would be graded as if it were empty.
    Answers::read(&student.folder, &student.lab)?;
    bundle::make(student, Moment::at(SystemTime::now()))
}

/// What the file that is there says about itself, if it is whole, and of the work as it is now.
fn same_work(student: &Student, path: &Path, made: &Made) -> Option<Manifest> {
    let bundle = bundle::read(&fs::read(path).ok()?).ok()?;
    let whole = bundle.changed().is_empty() && bundle.is_sealed_with(student.state.hand_out()?);
    (whole && bundle.manifest.is_same_work(&made.manifest)).then_some(bundle.manifest)
}

/// Moves the journal of a transfer away whose content is no longer wanted.
fn set_aside(journal: &Path) -> anyhow::Result<String> {
    let (shown, aside) = (journal.display(), with_ending(journal, ASIDE));
    let failed = || format!("cannot move {shown} away");
    // The client has it locked while it sends.
    let file = File::open(journal).with_context(failed)?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        bail!(
            "{shown} is in use, so another program is sending an older file of this lab; wait for it, or end it, and run the \
             same command again"
        );
    }
    fs::rename(journal, &aside).with_context(failed)?;
    Ok(format!(
        "Your work has changed since a transfer that was not finished. So a new file is made, and all of it is sent. The \
         journal of the old one is {} now.",
        aside.display()
    ))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// Says whose it is and which lab, so that nobody has to unpack it.
fn name(manifest: &Manifest) -> PathBuf {
    let (lab, student) = (&manifest.lab, &manifest.owner.student);
    PathBuf::from(format!("{lab}.{student}{}", bundle::ENDING))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    whole::write(path, bytes)?;
    if !path.is_file() {
        return Ok(());
    }
    // A file that was written whole is the owner's alone, and this one is handed in.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(path, readable)
        .with_context(|| format!("cannot let others read {}", path.display()))
}
