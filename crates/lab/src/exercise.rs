//! The exercises: `latchstring lab list | start | hint | check | explain | reset | serve`.
//!
//! * [`catalogue`]: what a lab is, read from `labs/NN-name/lab.toml`;
//! * [`instance`]: a lab's scene come true, by really running and [`record`]ing its sessions;
//! * [`student`]: a student's folder;
//! * [`trial`]: runs the student's [`program`] against a live [`target`], and goes by what that target believed;
//! * [`check`]: makes a report of that, of the answers and of the predictions;
//! * [`answers`], [`facts`], [`seal`], [`seed`]: what these are made of.

pub mod answers;
pub mod catalogue;
pub mod check;
pub mod facts;
pub mod instance;
pub mod program;
pub mod record;
pub mod seal;
pub mod seed;
pub mod student;
pub mod target;
pub mod trial;

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use latchstring_attacker::net::loopback::Loopback;
use latchstring_faithful::server::{Listener, REPLY_PAUSE};

use catalogue::Lab;
use check::Report;
use instance::Instance;
use seed::Seed;
use student::Student;

/// Where the student's folders are made unless `--dir` says otherwise.
const WORK: &str = "lab-work";

/// The commands of a student.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Lists the labs
    List {
        /// Where the labs are
        #[command(flatten)]
        labs: LabsArg,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes a folder to work in, with captures and keys of your own
    #[command(after_help = "Example: latchstring lab start 01")]
    Start {
        /// The lab: its number or its id
        lab: String,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
        /// Make the same captures and keys as everybody else who gives this number
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Runs your own target until Ctrl-C, to try things out on
    Serve {
        /// The lab; not needed in its folder
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
        /// The port on 127.0.0.1
        #[arg(long, default_value_t = latchstring_faithful::protocol::faithful::DEFAULT_PORT)]
        port: u16,
    },
    /// Gives the next hint
    Hint {
        /// The lab; not needed in its folder
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Runs your program and looks at your answers
    #[command(
        after_help = "Ends with 0 only when everything passes. Example: latchstring lab check 01"
    )]
    Check {
        /// The lab; not needed in its folder
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
        /// Repeat the hidden instances of an earlier check
        #[arg(long)]
        seed: Option<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Explains what you have solved
    Explain {
        /// The lab; not needed in its folder
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Begins again; your files move to a backup
    Reset {
        /// The lab; not needed in its folder
        lab: Option<String>,
        /// Which folder is meant
        #[command(flatten)]
        place: PlaceArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Where the labs are.
#[derive(Debug, Args)]
pub struct LabsArg {
    /// The folder with the labs [default: $LATCHSTRING_LABS, or ./labs]
    #[arg(long, value_name = "DIR")]
    labs: Option<PathBuf>,
}

impl LabsArg {
    fn folder(&self) -> anyhow::Result<PathBuf> {
        let variable = std::env::var_os("LATCHSTRING_LABS").map(PathBuf::from);
        catalogue::locate(self.labs.as_deref().or(variable.as_deref()))
    }
}

/// Which folder is meant.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    labs: LabsArg,
    /// The folder that you work in [default: this one if it holds the lab, else lab-work/ID]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl PlaceArgs {
    /// The lab that was named, or the one of this folder.
    fn lab(&self, named: Option<&str>) -> anyhow::Result<Lab> {
        let here = student::lab_of(self.dir.as_deref().unwrap_or(Path::new(".")));
        let wanted = named.map(str::to_owned).or(here);
        let wanted = wanted
            .context("which lab? Name it, as in `latchstring lab hint 01`, or go to its folder")?;
        catalogue::find(&self.labs.folder()?, &wanted)
    }

    fn folder(&self, lab: &Lab) -> PathBuf {
        if let Some(dir) = &self.dir {
            return dir.clone();
        }
        let here = PathBuf::from(".");
        if student::lab_of(&here).as_ref() == Some(&lab.id) {
            here
        } else {
            Path::new(WORK).join(&lab.id)
        }
    }

    fn open(&self, named: Option<&str>) -> anyhow::Result<Student> {
        let lab = self.lab(named)?;
        let folder = self.folder(&lab);
        Student::open(lab, &folder)
    }
}

/// Runs one of the commands. The exit code of `check` is 0 only when everything passes.
///
/// # Errors
/// With what happened, where, and what to do.
pub async fn run(command: LabCommand) -> anyhow::Result<ExitCode> {
    match command {
        LabCommand::List { labs, json } => list(&labs, json)?,
        LabCommand::Start { lab, place, seed } => start(&lab, &place, seed).await?,
        LabCommand::Serve { lab, place, port } => serve(place.open(lab.as_deref())?, port).await?,
        LabCommand::Hint { lab, place } => hint(place.open(lab.as_deref())?)?,
        LabCommand::Explain { lab, place } => explain(&place.open(lab.as_deref())?)?,
        LabCommand::Reset { lab, place, yes } => reset(place.open(lab.as_deref())?, yes).await?,
        LabCommand::Check {
            lab,
            place,
            seed,
            json,
        } => {
            let mut student = place.open(lab.as_deref())?;
            let seed = chosen(seed)?;
            let report = tokio::select! {
                report = check::check(&mut student, &seed) => report?,
                interrupted = tokio::signal::ctrl_c() => {
                    interrupted?;
                    bail!("interrupted: nothing was decided");
                }
            };
            if json {
                print_json(&report)?;
            } else {
                print_report(&mut anstream::stdout().lock(), &student, &report)?;
            }
            return Ok(if report.passed {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(seed: Option<u64>) -> anyhow::Result<Seed> {
    seed.map_or_else(Seed::fresh, |number| Ok(Seed::chosen(number)))
}

fn list(labs: &LabsArg, json: bool) -> anyhow::Result<()> {
    let all = catalogue::all(&labs.folder()?)?;
    if json {
        let line = |lab: &Lab| serde_json::json!({"id": lab.id, "title": lab.title, "minutes": lab.minutes, "level": lab.level, "prerequisites": lab.prerequisites});
        return print_json(&all.iter().map(line).collect::<Vec<_>>());
    }
    let mut out = anstream::stdout().lock();
    for lab in all {
        writeln!(
            out,
            "{:24} {:18} {:3} min  {}",
            lab.id, lab.title, lab.minutes, lab.level
        )?;
    }
    writeln!(out, "\nBegin with: latchstring lab start 00")?;
    Ok(())
}

async fn start(named: &str, place: &PlaceArgs, seed: Option<u64>) -> anyhow::Result<()> {
    let lab = catalogue::find(&place.labs.folder()?, named)?;
    let folder = place
        .dir
        .clone()
        .unwrap_or_else(|| Path::new(WORK).join(&lab.id));
    let student = Student::start(lab, &folder, &chosen(seed)?).await?;
    let (lab, at) = (&student.lab, student.folder.display());
    println!("Lab {}: {} ({} minutes)", lab.id, lab.title, lab.minutes);
    println!("\nYour folder is {at}. In it:");
    println!("  README.md     the handout: read it first");
    println!("  answers.toml  your predictions and answers");
    let dir = place
        .dir
        .as_ref()
        .map_or_else(String::new, |dir| format!(" --dir {}", dir.display()));
    println!(
        "\nWhen you are done:  latchstring lab check {}{dir}",
        lab.id
    );
    println!("When you are stuck: latchstring lab hint {}{dir}", lab.id);
    Ok(())
}

async fn serve(student: Student, port: u16) -> anyhow::Result<()> {
    ensure!(
        !student.lab.scene.accounts.is_empty(),
        "the lab {} has no target to run: work on its captures",
        student.lab.id
    );
    let instance = Instance::make(&student.lab.scene, &student.seed()?).await?;
    let listener = Listener::bind(Loopback::v4(port)).await?;
    let names: Vec<&str> = instance
        .accounts
        .users()
        .iter()
        .map(|user| user.as_str())
        .collect();
    println!(
        "Your target, with accounts for {}. Ctrl-C ends it.",
        names.join(", ")
    );
    let mut show = |event: latchstring_faithful::server::ServerEvent| {
        if let latchstring_faithful::server::ServerEvent::LoggedIn { user } = &event {
            println!("[*] Logged in: {user}");
        }
        if let Some(lines) = event.screen() {
            println!("{lines}");
        }
    };
    let mut randomness = Seed::fresh()?.stream("served target");
    tokio::select! {
        () = listener.serve(instance.accounts.keys(), REPLY_PAUSE, &mut randomness, &mut show) => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

fn hint(mut student: Student) -> anyhow::Result<()> {
    let of = student.lab.hints.len();
    let text = student.take_hint()?.map(str::to_owned);
    match text {
        Some(text) => println!("Hint {} of {of}\n\n{}", student.state.hints, text.trim()),
        None => println!(
            "You have had all {of} hints. The solution is in {}",
            student.lab.folder.join("solution").display()
        ),
    }
    Ok(())
}

fn explain(student: &Student) -> anyhow::Result<()> {
    let explanations = student.explanations()?;
    for (id, text) in &explanations {
        println!("## {id}\n\n{text}\n");
    }
    let hidden = student.lab.item_ids().count() - explanations.len();
    if hidden > 0 {
        println!(
            "{hidden} more come when their checks pass: latchstring lab check {}",
            student.lab.id
        );
    }
    Ok(())
}

async fn reset(mut student: Student, yes: bool) -> anyhow::Result<()> {
    if !yes {
        print!(
            "Begin {} again in {}? Your files move to a backup. Type yes: ",
            student.lab.id,
            student.folder.display()
        );
        io::stdout().flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        ensure!(line.trim() == "yes", "nothing was changed");
    }
    let backup = student.reset().await?;
    println!(
        "Everything is as it was at the start. Your files are in {}",
        backup.display()
    );
    Ok(())
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}

/// A report for people: words first, so that it reads without colour.
fn print_report(out: &mut impl Write, student: &Student, report: &Report) -> io::Result<()> {
    writeln!(out, "Lab {}: {}\n", report.lab, student.lab.title)?;
    for item in &report.items {
        let word = if item.passed { "pass" } else { "FAIL" };
        writeln!(out, "{word}  {}/{}  {}", item.points, item.of, item.title)?;
        for line in item.found.lines() {
            writeln!(out, "           {line}")?;
        }
        if let Some(next) = &item.next {
            writeln!(out, "     next: {next}")?;
        }
    }
    let hints = match report.hints_taken {
        1 => "1 hint taken".to_owned(),
        n => format!("{n} hints taken"),
    };
    writeln!(out, "\n{} of {} points, {hints}.", report.points, report.of)?;
    if report.items.iter().any(|item| item.passed) {
        writeln!(out, "Why it is so: latchstring lab explain {}", report.lab)?;
    }
    Ok(())
}
