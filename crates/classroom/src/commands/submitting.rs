//! `submit`: the file that a student of a course hands in.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, ensure};
use latchstring_course::moment::Moment;

use crate::{
    answers::Answers,
    bundle::{self, Manifest},
    student::Student,
};

/// Writes the file into the lab's folder, or where the student says.
pub(super) fn submit(
    out: &mut impl Write,
    student: &Student,
    to: Option<&Path>,
) -> anyhow::Result<()> {
    // A sheet that cannot be read would be graded as if it were empty.
    let answers = Answers::read(&student.folder, &student.lab)?;
    let made = bundle::make(student, Moment::at(SystemTime::now()))?;
    let path = match to {
        Some(path) => path.to_owned(),
        None => student.folder.join(name(&made.manifest)),
    };
    write(&path, &made.bytes)?;
    let (files, manifest) = (made.manifest.files.len(), &made.manifest);
    writeln!(
        out,
        "{} holds your work in {}: {files} files, made at {}.",
        path.display(),
        manifest.lab,
        manifest.made
    )?;
    let questions = student.lab.questions.iter();
    let empty = questions.filter(|question| answers.to(question).is_empty());
    let empty = empty.filter(|question| !manifest.predictions.contains_key(&question.id));
    let empty: Vec<&str> = empty.map(|question| question.id.as_str()).collect();
    if !empty.is_empty() {
        writeln!(out, "Not answered: {}.", empty.join(", "))?;
    }
    writeln!(
        out,
        "Hand this file in. If you change your work, run `latchstring lab submit` again."
    )?;
    Ok(())
}

/// Says whose it is and which lab, so that nobody has to unpack it.
fn name(manifest: &Manifest) -> PathBuf {
    let (lab, student) = (&manifest.lab, &manifest.owner.student);
    PathBuf::from(format!("{lab}.{student}{}", bundle::ENDING))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = path.display();
    ensure!(
        !path.is_dir(),
        "{shown} is a folder: name a file with --out"
    );
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let write = || {
        let mut beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        beside.write_all(bytes)?;
        beside.persist(path)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write {shown}"))?;
    // A temporary file is the owner's alone, and this one is handed in.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(path, readable).with_context(|| format!("cannot write {shown}"))
}
