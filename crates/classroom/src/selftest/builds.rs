//! Builds programs once for all made-up students who have the same files: a program's dependencies take most of a build.

use std::{collections::HashMap, future::pending};

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
        let case = format!("{}: {case}", student.lab.id);
        let mut built = self.0.lock().await;
        if let Some(earlier) = built.get(&case) {
            return earlier.add_to(&student.folder);
        }
        let scratch = Scratch::copy_of(&student.folder, |_| false)?;
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
