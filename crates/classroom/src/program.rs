//! A student's program: a copy of its folder, built if its language wants that, and run within limits.

use std::{ffi::OsStr, path::PathBuf, time::Duration};

use anyhow::Context;
use latchstring_confine::{
    job::Job,
    run::{End, Launcher, Ran, run},
    scratch::Scratch,
};

use super::{answers::Answers, diagnosis::Trouble, state, student::Student};

/// How long a program may be built.
const FOR_BUILD: Duration = Duration::from_secs(120);
/// How many lines of a compiler are shown.
const LINES: usize = 8;

/// A program that can be run.
pub struct Program {
    /// The command, without the arguments of a run.
    pub command: Vec<String>,
    scratch: Scratch,
}

/// What a run may reach besides the program's own folder.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Folders and files to read.
    pub readable: Vec<PathBuf>,
    /// TCP ports to connect to.
    pub ports: Vec<u16>,
}

impl Program {
    /// Copies a student's folder and builds the program in it. A program that cannot be built is a finding.
    ///
    /// # Errors
    /// When the folder cannot be copied, or the lab names no command.
    pub async fn of(
        student: &Student,
        answers: &Answers,
        launcher: &Launcher,
    ) -> anyhow::Result<Result<Self, Trouble>> {
        let language = student.language()?;
        // The student's own command says that the program is built.
        let (command, build) = match (&answers.run, language) {
            (Some(command), _) => (command.clone(), &Vec::new()),
            (None, Some(language)) => (language.run.clone(), &language.build),
            (None, None) => return Err(anyhow::anyhow!("the lab names no command to run")),
        };
        let scratch = Scratch::copy_of(&student.folder, is_no_part)?;
        let program = Self { command, scratch };
        if build.is_empty() {
            return Ok(Ok(program));
        }
        let never = std::future::pending();
        let ran = program.start(launcher, build, Reach::default(), FOR_BUILD, never);
        Ok(match ran.await {
            Ran { end: End::Well, .. } => Ok(program),
            ran => Err(not_built(build, &ran)),
        })
    }

    /// The lab's own solution, in the first of its languages.
    ///
    /// # Errors
    /// When its files cannot be written.
    pub fn solution(student: &Student) -> anyhow::Result<Self> {
        let language = student.lab.language(None)?;
        let scratch = Scratch::empty()?;
        for part in ["start", "solution"] {
            student.lab.lay_out(part, language, &scratch.work())?;
        }
        let language = language.context("the lab names no command to run")?;
        let command = language.run.clone();
        Ok(Self { command, scratch })
    }

    /// Runs it with these arguments until it ends, the time is over, or `decided`.
    pub async fn run(
        &self,
        launcher: &Launcher,
        args: &[String],
        reach: Reach,
        within: Duration,
        decided: impl Future<Output = ()>,
    ) -> Ran {
        let command = [&self.command, args].concat();
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
            writable: vec![self.scratch.top().to_owned()],
            readable: reach.readable,
            ports: reach.ports,
            ..Job::new(command.to_owned(), self.scratch.work())
        };
        run(launcher, &job, &self.scratch.temporary(), within, decided).await
    }
}

/// What of a student's folder is no part of the program: the lab's state, backups, and what tools leave.
fn is_no_part(name: &OsStr) -> bool {
    const LEFT_BY_TOOLS: [&str; 4] = [".git", "__pycache__", "incremental", ".fingerprint"];
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
