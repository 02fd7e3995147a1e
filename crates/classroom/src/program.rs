//! A student's program: a copy of its folder, built if its language wants that, and run within limits.

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use anyhow::Context;
use latchstring_confine::{
    job::Job,
    run::{End, Launcher, Ran, run},
    scratch::Scratch,
};

use super::{catalogue::Trial, diagnosis::Trouble, state, student::Student};

/// How long a program may be built. Its dependencies take most of it, the first time.
pub const FOR_BUILD: Duration = Duration::from_secs(300);
/// How many lines of a compiler are shown.
const LINES: usize = 8;

/// A program that can be run, or several in one folder.
pub struct Program {
    scratch: Scratch,
}

/// What a run may reach besides the program's own folder.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Folders and files to read.
    pub readable: Vec<PathBuf>,
    /// Folders to read and write.
    pub writable: Vec<PathBuf>,
    /// TCP ports to connect to.
    pub ports: Vec<u16>,
    /// TCP ports to listen on.
    pub listens: Vec<u16>,
    /// The file that is its standard input.
    pub input: Option<PathBuf>,
}

impl Program {
    /// Copies a student's folder.
    ///
    /// # Errors
    /// When the folder cannot be copied.
    pub fn of(student: &Student) -> anyhow::Result<Self> {
        let scratch = Scratch::copy_of(&student.folder, is_no_part)?;
        Ok(Self { scratch })
    }

    /// Builds the program in the copy. A program that cannot be built is a finding.
    pub async fn build(&self, launcher: &Launcher, command: &[String]) -> Result<(), Trouble> {
        let never = std::future::pending();
        let ran = self.start(launcher, command, Reach::default(), FOR_BUILD, never);
        match ran.await {
            Ran { end: End::Well, .. } => Ok(()),
            ran => Err(not_built(command, &ran)),
        }
    }

    /// The lab's own solution, in the first of its languages, and the command of a trial in it.
    ///
    /// # Errors
    /// When its files cannot be written, or the lab names no command.
    pub fn solution(student: &Student, trial: &Trial) -> anyhow::Result<(Self, Vec<String>)> {
        let language = student.lab.language(None)?;
        let scratch = Scratch::empty()?;
        for part in ["start", "solution"] {
            student.lab.lay_out(part, language, &scratch.work())?;
        }
        let language = language.context("the lab names no command to run")?;
        let command = trial.run.get(&language.id).unwrap_or(&language.run);
        Ok((Self { scratch }, command.clone()))
    }

    /// Runs one of its commands with these arguments until it ends, the time is over, or `decided`.
    pub async fn run(
        &self,
        launcher: &Launcher,
        command: &[String],
        args: &[String],
        reach: Reach,
        within: Duration,
        decided: impl Future<Output = ()>,
    ) -> Ran {
        let command = [command, args].concat();
        self.start(launcher, &command, reach, within, decided).await
    }

    async fn start(
        &self,
        launcher: &Launcher,
        command: &[String],
        reach: Reach,
        within: Duration,
        decided: impl Future<Output = ()>,
    ) -> Ran {
        let job = Job {
            writable: [vec![self.scratch.top().to_owned()], reach.writable].concat(),
            readable: reach.readable,
            ports: reach.ports,
            listens: reach.listens,
            input: reach.input,
            ..Job::new(command.to_owned(), self.scratch.work())
        };
        run(launcher, &job, &self.scratch.temporary(), within, decided).await
    }
}

/// What of a student's folder is no part of the program: the lab's state, backups, and what tools leave.
fn is_no_part(name: &OsStr) -> bool {
    const LEFT_BY_TOOLS: [&str; 3] = [".git", "__pycache__", "incremental"];
    let text = name.to_string_lossy();
    state::is_its_file(name)
        || text.starts_with("backup-")
        || LEFT_BY_TOOLS.contains(&text.as_ref())
}

/// Why a program could not be built: the compiler's first error, or why there was no compiler.
fn not_built(build: &[String], ran: &Ran) -> Trouble {
    let (line, tool) = (build.join(" "), build.first().map_or("", String::as_str));
    let (found, next) = match &ran.end {
        End::Missing => (
            format!("{tool} is not installed, or not in the PATH, so the program was not built"),
            format!(
                "install {tool}, or begin in another language with `latchstring lab reset --language python`"
            ),
        ),
        End::OutOfTime(limit) => (
            format!("`{line}` was stopped after {} seconds", limit.as_secs()),
            format!("run `{line}` yourself, and look why it takes so long"),
        ),
        _ => {
            let lines: Vec<&str> = ran.stderr.lines().collect();
            let first = lines.iter().position(|line| line.starts_with("error"));
            let shown = lines.iter().skip(first.unwrap_or(0)).take(LINES);
            let shown: String = shown.map(|line| format!("\n    {line}")).collect();
            (
                format!("the program could not be built:{shown}"),
                format!("run `{line}` in your folder, and mend the first error that it names"),
            )
        }
    };
    Trouble {
        found,
        next: Some(next),
        late: false,
    }
}
