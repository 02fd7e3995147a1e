//! Builds programs once for all made-up students who have the same files: a program's dependencies take most of a build.

use std::{
    collections::HashMap,
    fs::{self, File},
    future::pending,
    path::Path,
    time::SystemTime,
};

use anyhow::ensure;
use latchstring_confine::{
    job::Job,
    run::{End, Launcher, run},
    scratch::Scratch,
};
use tokio::sync::Mutex;

use crate::{program::FOR_BUILD, student::Student};

/// The folders in which programs were built, by lab and case.
#[derive(Default)]
pub(super) struct Builds(Mutex<HashMap<String, Scratch>>);

impl Builds {
    /// Puts into a student's folder what a build makes there, as if the student had built the program before the check.
    /// The check still builds what is not up to date.
    ///
    /// # Errors
    /// When the program cannot be built, or a file cannot be copied.
    pub(super) async fn build(
        &self,
        case: &str,
        student: &Student,
        launcher: &Launcher,
    ) -> anyhow::Result<()> {
        let language = student.language()?;
        let command = language.map_or(&[][..], |language| &language.build);
        if command.is_empty() {
            return Ok(());
        }
        let program = format!("{} {:?}", student.lab.id, student.state.language);
        let case = format!("{program}: {case}");
        let mut built = self.0.lock().await;
        if let Some(earlier) = built.get(&case) {
            return earlier.add_to(&student.folder);
        }
        let scratch = Scratch::copy_of(&student.folder, |_| false)?;
        // Start and solution have the same dependencies.
        let mut others = built.iter().filter(|(case, _)| case.starts_with(&program));
        if let Some((_, other)) = others.next() {
            other.add_to(&scratch.work())?;
            touch(&student.folder, &scratch.work())?;
        }
        let job = Job {
            writable: vec![scratch.top().to_owned()],
            ..Job::new(command.to_vec(), scratch.work())
        };
        let temporary = scratch.temporary();
        let ran = run(launcher, &job, &temporary, FOR_BUILD, pending()).await;
        let line = command.join(" ");
        ensure!(
            ran.end == End::Well,
            "`{line}` failed ({:?}): {}",
            ran.end,
            ran.stderr
        );
        scratch.add_to(&student.folder)?;
        built.insert(case, scratch);
        Ok(())
    }
}

/// Makes the files that a student has newer than what was built of another student's.
fn touch(student: &Path, copy: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(student)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let copy = copy.join(name);
        if path.is_dir() {
            touch(&path, &copy)?;
        } else if path.is_file() {
            File::options()
                .append(true)
                .open(&copy)?
                .set_modified(SystemTime::now())?;
        }
    }
    Ok(())
}
