//! Runs a lab's own solution for one student: its answers go into the student's sheet.

use std::{fs, future::pending, time::Duration};

use anyhow::{Context, ensure};
use latchstring_confine::{
    job::Job,
    run::{End, Launcher, run},
    scratch::Scratch,
};

use super::{answers, student::Student};

/// How long the lab's own solution may take.
const WITHIN: Duration = Duration::from_secs(120);

/// Puts the solution over the student's files, in the student's language, and fills in the answers.
///
/// # Errors
/// When a file cannot be written, or the command `solve` of the lab fails.
pub async fn solve(student: &Student, launcher: &Launcher) -> anyhow::Result<()> {
    let (lab, folder) = (&student.lab, &student.folder);
    lab.lay_out("solution", student.language()?, folder)?;
    // The answers are found in the lab's first language, whichever the student has.
    let scratch = Scratch::copy_of(folder, |_| false)?;
    for part in ["start", "solution"] {
        lab.lay_out(part, lab.language(None)?, &scratch.work())?;
    }
    let job = Job {
        writable: vec![scratch.top().to_owned()],
        ..Job::new(lab.solve.clone(), scratch.work())
    };
    let ran = run(launcher, &job, &scratch.temporary(), WITHIN, pending()).await;
    ensure!(
        ran.end == End::Well,
        "`{}` of the lab {} failed ({:?}): {}",
        lab.solve.join(" "),
        lab.id,
        ran.end,
        ran.stderr
    );
    let solved = scratch.work().join(answers::FILE);
    let sheet = fs::read_to_string(&solved).context("the solution left no sheet of answers")?;
    let path = folder.join(answers::FILE);
    fs::write(&path, sheet).with_context(|| format!("cannot write {}", path.display()))
}
