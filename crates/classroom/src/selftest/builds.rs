//! Builds a program once for all made-up students who have the same files. The packages that programs depend on take most of a
//! build, so they are built once for all programs.

use std::{
    collections::{BTreeSet, HashMap},
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

/// The folders in which programs were built.
#[derive(Default)]
pub(super) struct Builds(Mutex<Built>);

#[derive(Default)]
struct Built {
    /// The students' folders, by lab, case and command.
    programs: HashMap<String, Scratch>,
    /// The target folders, by manifest and lock file: packages that have these in common share what they depend on.
    targets: HashMap<[Vec<u8>; 2], Scratch>,
}

impl Builds {
    /// Puts into a student's folder what builds make there, as if the student had built the programs before the check.
    /// The check still builds what is not up to date. Peers of the ladder are built if they are graded, for one student.
    ///
    /// # Errors
    /// When a program cannot be built, or a file cannot be copied.
    pub(super) async fn build(
        &self,
        case: &str,
        student: &Student,
        peers: bool,
        launcher: &Launcher,
    ) -> anyhow::Result<()> {
        let Some(language) = student.language()? else {
            return Ok(());
        };
        let (mut of_all, mut of_one) = (BTreeSet::new(), BTreeSet::new());
        for trial in &student.lab.trials {
            let of = if trial.mend.is_none() {
                &mut of_all
            } else {
                &mut of_one
            };
            of.insert(trial.build_in(language));
        }
        let mut built = self.0.lock().await;
        for command in of_all.union(&of_one).filter(|command| !command.is_empty()) {
            if !peers && !of_all.contains(command) {
                continue;
            }
            let program = format!("{}: {case}: {}", student.lab.id, command.join(" "));
            if let Some(earlier) = built.programs.get(&program) {
                earlier.add_to(&student.folder)?;
                continue;
            }
            let scratch = built.build(command, student, launcher).await?;
            scratch.add_to(&student.folder)?;
            if of_all.contains(command) {
                built.programs.insert(program, scratch);
            }
        }
        Ok(())
    }
}

impl Built {
    async fn build(
        &mut self,
        command: &[String],
        student: &Student,
        launcher: &Launcher,
    ) -> anyhow::Result<Scratch> {
        let scratch = Scratch::copy_of(&student.folder, |name| name == TARGET)?;
        let package = scratch.work().join(package_of(command));
        let target = package.join(TARGET);
        let key = ["Cargo.toml", "Cargo.lock"].map(|name| fs::read(package.join(name)));
        let key = key.map(Result::unwrap_or_default);
        if let Some(other) = self.targets.get(&key) {
            touch(&package)?;
            fs::create_dir(&target)?;
            other.add_to(&target)?;
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
        if !self.targets.contains_key(&key) && target.is_dir() {
            let built = Scratch::copy_of(&target, |name| name == "incremental")?;
            self.targets.insert(key, built);
        }
        Ok(scratch)
    }
}

/// What a build makes is in a folder of this name.
const TARGET: &str = "target";

/// The folder of the package that a command builds, in a student's folder.
fn package_of(command: &[String]) -> &Path {
    let mut words = command.iter();
    let manifest = words
        .find(|word| *word == "--manifest-path")
        .and_then(|_| words.next());
    let folder = manifest.and_then(|manifest| Path::new(manifest).parent());
    folder.unwrap_or(Path::new(""))
}

/// Makes a package's own files newer than what was built of another one's.
fn touch(package: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(package)? {
        let path = entry?.path();
        if path.is_dir() {
            touch(&path)?;
        } else if path.is_file() {
            File::options()
                .append(true)
                .open(&path)?
                .set_modified(SystemTime::now())?;
        }
    }
    Ok(())
}
