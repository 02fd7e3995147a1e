//! The command line: `latchstring lab ...`.

mod checking;
mod folder;
mod labs_arg;
mod sending;
mod serving;
mod submitting;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use checking::{How, check, self_test, watch};
use clap::{Args, Subcommand};
use folder::{explain, hint, list, reset, start};
pub use labs_arg::LabsArg;
use latchstring_cli::screen;
use latchstring_confine::{inner, keeper};
use sending::{Sending, send};
use serving::{serve, visit};
use submitting::submit;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    catalogue::Lab, labs, map, place, predict, report::Standing, seed::Seed, state,
    student::Student,
};

/// The commands of a student.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// List the labs, with your progress
    #[command(after_help = "Example: latchstring lab list")]
    List {
        /// Where the labs are
        #[command(flatten)]
        labs: LabsArg,
        /// List only labs about this attack or defence
        #[arg(long, value_name = "ID")]
        about: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a folder to work in, with captures and keys made for you
    #[command(after_help = "Example: latchstring lab start 01")]
    Start {
        /// Start this lab: its number, its name or both
        lab: String,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Make captures and keys from this number; the same number gives the same ones [default: random]
        #[arg(long)]
        seed: Option<u64>,
        /// Begin in this language: python or rust [default: python]
        #[arg(long)]
        language: Option<String>,
    },
    /// Make your predictions in the terminal
    #[command(
        after_help = "Examples:\n  latchstring lab predict 04\n  latchstring lab predict 04 --answer keystreams=b"
    )]
    Predict {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
        /// Save this prediction; may be repeated [default: ask for each prediction]
        #[arg(long, value_name = "ID=LETTER")]
        answer: Vec<String>,
    },
    /// Check again after each save, until everything passes or Ctrl-C
    #[command(
        after_help = "The exit code is 0 only if the last check passed. Example: latchstring lab watch 01"
    )]
    Watch {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
        /// Run this part alone; `lab check` names the parts
        #[arg(long, value_name = "PART")]
        only: Option<String>,
    },
    /// Show the course as a map: your points in each lab, and the next lab
    #[command(after_help = "Example: latchstring lab status")]
    Status {
        /// Where the labs are
        #[command(flatten)]
        labs: LabsArg,
    },
    /// Prove the labs: every solution passes, every start and known-wrong solution fails
    #[command(
        after_help = "The exit code is 0 only if all of it is so. Example: latchstring lab self-test --students 2 01"
    )]
    SelfTest(SelfTest),
    /// Run your target until Ctrl-C, to try your program
    #[command(after_help = "Example: latchstring lab serve 01")]
    Serve {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Listen on this port of 127.0.0.1
        #[arg(long, default_value_t = latchstring_faithful::protocol::DEFAULT_PORT)]
        port: u16,
        /// Run the target of this trial [default: the first one of the lab]
        #[arg(long)]
        trial: Option<String>,
    },
    /// Let an honest client log in, at your program or at the target
    #[command(
        after_help = "The client waits until a server listens there. Example: latchstring lab visit 08"
    )]
    Visit {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Connect to this port of 127.0.0.1
        #[arg(long, default_value_t = VISITED_PORT)]
        port: u16,
    },
    /// Give the next hint
    #[command(after_help = "Example: latchstring lab hint 01")]
    Hint {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Write the solution into the folder solution/; all hints must have been taken
        #[arg(long)]
        solution: bool,
    },
    /// Run your program and check your answers
    #[command(
        after_help = "The exit code is 0 only if all questions and checks pass. Example: latchstring lab check 01"
    )]
    Check {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Repeat the hidden instances of another check with this number; the result does not count [default: new instances]
        #[arg(long)]
        seed: Option<u64>,
        /// Run this part alone, such as `mend`; the results of the other parts stay
        #[arg(long, value_name = "PART")]
        only: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Explain the questions and checks that you have passed
    #[command(after_help = "Example: latchstring lab explain 01")]
    Explain {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Make the file that you hand in, in a course, and send it if the course has a server
    #[command(
        after_help = "Only a folder of a course's hand-out can be handed in.\n\n\
                      With --to, the program latchstring-client sends the file. It asks for your password, and you confirm the \
                      host's key the first time. An invitation makes your account first. After any error, run the same command \
                      again: it sends only the missing parts. The exit codes are those of latchstring-client. At the end the \
                      receipt is beside the file.\n\n\
                      Examples:\n  latchstring lab submit 04\n  \
                      latchstring lab submit --to anna@course.example --invitation ../invitation\n  \
                      latchstring lab submit --to anna@course.example"
    )]
    Submit {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Write this file [default: LAB.STUDENT.latchstring.zip in the lab's folder]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Where it is sent
        #[command(flatten)]
        sending: Sending,
    },
    /// Run one program within limits, for the check that started this command
    #[command(hide = true)]
    RunProgram(RunProgram),
    /// Begin the lab again; your files move to a backup
    #[command(
        after_help = "Examples:\n  latchstring lab reset 01\n  latchstring lab reset 05 --language rust"
    )]
    Reset {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Begin in this language: python or rust [default: the language that the folder has]
        #[arg(long)]
        language: Option<String>,
    },
}

/// How the labs prove themselves.
#[derive(Debug, Args)]
pub struct SelfTest {
    /// Test these labs [default: all labs]
    lab: Vec<String>,
    /// Where the labs are
    #[command(flatten)]
    labs: LabsArg,
    /// Make up this number of students
    #[arg(long, default_value_t = 5)]
    students: usize,
    /// Make them from this number; the same number gives the same students [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One program that a check runs.
#[derive(Debug, Args)]
pub struct RunProgram {
    /// Run this job, written as JSON
    job: String,
    /// Be the inner of the two processes
    #[arg(long)]
    inner: bool,
}

/// Where a student's own server listens: beside the target's port.
const VISITED_PORT: u16 = latchstring_faithful::protocol::DEFAULT_PORT + 1;
/// The arguments with which this program is the keeper of a student's program.
const KEEPER: [&str; 2] = ["lab", "run-program"];

impl RunProgram {
    /// Runs it. Call this before any thread is started: a process with threads gets no namespace.
    ///
    /// # Errors
    /// When no check has started this process, or a limit cannot be set.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match self.inner {
            true => inner::run(&self.job),
            false => keeper::keep(&self.job),
        }
    }
}

/// The option for a lab's folder.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    labs: LabsArg,
    /// Work in this folder [default: this one if it holds the lab, else lab-work/ID]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl PlaceArgs {
    /// The lab that was named, or the one of this folder. `command` is the one that asks, as in `lab hint`.
    fn lab(&self, command: &str, named: Option<&str>) -> anyhow::Result<Lab> {
        let here = match &self.dir {
            Some(dir) => state::lab_of(dir),
            None => place::enclosing(Path::new(".")).map(|here| here.lab),
        };
        let wanted = named.map(str::to_owned).or(here);
        let wanted = wanted.with_context(|| {
            format!(
                "which lab? This folder is none: go to the lab's folder, or name the lab, as in `latchstring lab {command} 01`"
            )
        })?;
        labs::find(self.all()?, &wanted)
    }

    fn all(&self) -> anyhow::Result<Vec<Lab>> {
        let at = self.dir.as_deref().filter(|dir| dir.is_dir());
        self.labs.near(at.unwrap_or(Path::new(".")))
    }

    fn folder(&self, lab: &Lab) -> PathBuf {
        let found = || place::of_lab(Path::new("."), &lab.id);
        self.dir.clone().unwrap_or_else(found)
    }

    fn open(&self, command: &str, named: Option<&str>) -> anyhow::Result<Student> {
        let lab = self.lab(command, named)?;
        let folder = self.folder(&lab);
        Student::open(lab, &folder)
    }
}

/// Runs one of the commands. The exit code of `check` is 0 only when everything passes.
///
/// # Errors
/// With what happened, where, and what to do.
pub async fn run(command: LabCommand) -> anyhow::Result<ExitCode> {
    let out = &mut screen::out();
    match command {
        LabCommand::List { labs, about, json } => list(out, &labs, about.as_deref(), json)?,
        LabCommand::Start {
            lab,
            place,
            seed,
            language,
        } => start(out, &lab, &place, seed, language.as_deref()).await?,
        LabCommand::Predict { lab, place, answer } => {
            let mut student = place.open("predict", lab.as_deref())?;
            match answer.is_empty() {
                true => predict::ask(out, &mut student).await?,
                false => predict::take(out, &mut student, &answer)?,
            }
        }
        LabCommand::Watch { lab, place, only } => {
            return watch(out, lab.as_deref(), &place, only.as_deref()).await;
        }
        LabCommand::Status { labs } => map::print(out, &standings(&labs, None)?)?,
        LabCommand::SelfTest(plan) => return self_test(out, &plan),
        LabCommand::Serve {
            lab,
            place,
            port,
            trial,
        } => serve(place.open("serve", lab.as_deref())?, port, trial.as_deref()).await?,
        LabCommand::Visit { lab, place, port } => {
            return visit(place.open("visit", lab.as_deref())?, port).await;
        }
        LabCommand::Hint {
            lab,
            place,
            solution,
        } => hint(out, place.open("hint", lab.as_deref())?, solution)?,
        LabCommand::Explain { lab, place } => {
            explain(out, &place.open("explain", lab.as_deref())?)?
        }
        LabCommand::Submit {
            lab,
            place,
            out: to,
            sending,
        } => {
            let student = place.open("submit", lab.as_deref())?;
            match sending.to() {
                Some(server) => return send(out, &student, server, &sending).await,
                None => submit(out, &student, to.as_deref())?,
            }
        }
        LabCommand::RunProgram(program) => return program.run(),
        LabCommand::Reset {
            lab,
            place,
            yes,
            language,
        } => {
            reset(out, lab.as_deref(), &place, yes, language.as_deref()).await?;
        }
        LabCommand::Check {
            lab,
            place,
            seed,
            only,
            json,
        } => {
            let how = How {
                seed,
                only: only.as_deref(),
            };
            return check(out, place.open("check", lab.as_deref())?, &place, how, json).await;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn chosen(seed: Option<u64>) -> anyhow::Result<Seed> {
    seed.map_or_else(Seed::fresh, |number| Ok(Seed::chosen(number)))
}

/// How far the student is in every lab, seen from here. `just` was just checked, wherever its folder is.
fn standings(labs: &LabsArg, just: Option<&Student>) -> anyhow::Result<Vec<Standing>> {
    let standing = |lab: Lab| {
        let folder = match just.filter(|just| just.lab.id == lab.id) {
            Some(just) => just.folder.clone(),
            None => place::of_lab(Path::new("."), &lab.id),
        };
        let known = state::lab_of(&folder).as_ref() == Some(&lab.id);
        let started = known.then(|| {
            let points = Student::open(lab.clone(), &folder).ok();
            (
                folder.display().to_string(),
                points.map(|student| student.points()),
            )
        });
        Standing { lab, started }
    };
    let all = labs.near(Path::new("."))?;
    Ok(all.into_iter().map(standing).collect())
}

/// Ctrl-C, a closed terminal, and `kill`: all started programs must be stopped before this program ends.
async fn interrupted() -> io::Result<()> {
    let mut closed = signal(SignalKind::hangup())?;
    let mut killed = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = closed.recv() => Ok(()),
        _ = killed.recv() => Ok(()),
    }
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}
