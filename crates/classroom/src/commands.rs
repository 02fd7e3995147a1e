//! The command line: `latchstring lab ...`.

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Subcommand};
use latchstring_attacker::net::{loopback::Loopback, terminal::visible_lines};
use latchstring_confine::{inner, keeper, run::Launcher};
use latchstring_faithful::server::{Listener, REPLY_PAUSE, ServerEvent};
use tokio::signal::unix::{SignalKind, signal};

use latchstring_cli::screen;

use crate::{
    catalogue::Lab,
    check::{self, Report},
    instance::Instance,
    labs, map, place, predict,
    progress::Told,
    report::{self, Standing},
    seed::Seed,
    selftest::Plan,
    state,
    student::Student,
    trial::Options,
    watch::{self, Look},
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
    /// Run one program within limits, for the check that started this command
    #[command(hide = true)]
    RunProgram(RunProgram),
    /// Begin the lab again; your files move to a backup
    #[command(after_help = "Example: latchstring lab reset 01")]
    Reset {
        /// Name the lab [default: the lab of this folder]
        lab: Option<String>,
        /// The lab's folder
        #[command(flatten)]
        place: PlaceArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
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

/// Where the labs are.
#[derive(Debug, Args)]
pub struct LabsArg {
    /// Use the labs of this folder [default: $LATCHSTRING_LABS, else those inside this program]
    #[arg(long, value_name = "DIR")]
    labs: Option<PathBuf>,
}

impl LabsArg {
    fn all(&self) -> anyhow::Result<Vec<Lab>> {
        let variable = std::env::var_os("LATCHSTRING_LABS").map(PathBuf::from);
        match self.labs.as_ref().or(variable.as_ref()) {
            Some(folder) => labs::in_folder(folder),
            None => labs::built_in(),
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
    /// The lab that was named, or the one of this folder.
    fn lab(&self, named: Option<&str>) -> anyhow::Result<Lab> {
        let here = match &self.dir {
            Some(dir) => state::lab_of(dir),
            None => place::enclosing(Path::new(".")).map(|here| here.lab),
        };
        let wanted = named.map(str::to_owned).or(here);
        let wanted = wanted
            .context("which lab? Name it, as in `latchstring lab hint 01`, or go to its folder")?;
        labs::find(self.labs.all()?, &wanted)
    }

    fn folder(&self, lab: &Lab) -> PathBuf {
        let found = || place::of_lab(Path::new("."), &lab.id);
        self.dir.clone().unwrap_or_else(found)
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
    let out = &mut screen::out();
    match command {
        LabCommand::List { labs, json } => list(out, &labs, json)?,
        LabCommand::Start {
            lab,
            place,
            seed,
            language,
        } => start(out, &lab, &place, seed, language.as_deref()).await?,
        LabCommand::Predict { lab, place, answer } => {
            let mut student = place.open(lab.as_deref())?;
            match answer.is_empty() {
                true => predict::ask(out, &mut student).await?,
                false => predict::take(out, &mut student, &answer)?,
            }
        }
        LabCommand::Watch { lab, place } => return watch(out, lab.as_deref(), &place).await,
        LabCommand::Status { labs } => map::print(out, &standings(&labs, None)?)?,
        LabCommand::SelfTest(plan) => return self_test(out, &plan),
        LabCommand::Serve { lab, place, port } => serve(place.open(lab.as_deref())?, port).await?,
        LabCommand::Hint {
            lab,
            place,
            solution,
        } => hint(out, place.open(lab.as_deref())?, solution)?,
        LabCommand::Explain { lab, place } => explain(out, &place.open(lab.as_deref())?)?,
        LabCommand::RunProgram(program) => return program.run(),
        LabCommand::Reset { lab, place, yes } => {
            reset(out, lab.as_deref(), &place, yes).await?;
        }
        LabCommand::Check {
            lab,
            place,
            seed,
            json,
        } => return check(out, place.open(lab.as_deref())?, &place, seed, json).await,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn check(
    out: &mut impl Write,
    mut student: Student,
    place: &PlaceArgs,
    seed: Option<u64>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let told = Told::new()?;
    let options = Options {
        seed: &chosen(seed)?,
        counts: seed.is_none(),
        steps: &told,
        launcher: &Launcher::this_program(&KEEPER)?,
    };
    let checked = tokio::select! {
        report = told.during(check::check_with(&mut student, &options)) => report,
        interrupted = interrupted() => {
            told.end();
            interrupted?;
            bail!("the check was cancelled: of it, only your predictions were saved");
        }
    };
    let report = checked?;
    if json {
        print_json(&report)?;
    } else {
        tell(out, &student, &report, place)?;
    }
    Ok(match report.passed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The report, and what to do next.
fn tell(
    out: &mut impl Write,
    student: &Student,
    report: &Report,
    place: &PlaceArgs,
) -> anyhow::Result<()> {
    report::print(out, student, report)?;
    if !student.explanations()?.is_empty() {
        let number = student.lab.number();
        writeln!(out, "Why it is so: latchstring lab explain {number}")?;
    }
    if report.passed && report.counts {
        let standings = standings(&place.labs, Some(student))?;
        writeln!(out, "{}", report::next(&standings))?;
    }
    Ok(out.flush()?)
}

/// Checks, and again after each save.
async fn watch(
    out: &mut impl Write,
    lab: Option<&str>,
    place: &PlaceArgs,
) -> anyhow::Result<ExitCode> {
    let folder = place.open(lab)?.folder;
    let mut passed = false;
    loop {
        let look = Look::at(&folder);
        match check_once(out, place.open(lab)?, place).await {
            Ok(Some(all)) => passed = all,
            Ok(None) => break,
            // A sheet that is half written is saved again.
            Err(why) => writeln!(out, "{why:#}")?,
        }
        if passed {
            return Ok(ExitCode::SUCCESS);
        }
        writeln!(out, "\nSave a file to check again; Ctrl-C ends.")?;
        out.flush()?;
        tokio::select! {
            file = watch::saved(&folder, &look) => writeln!(out, "\n{} was saved.", file.display())?,
            interrupted = interrupted() => { interrupted?; break }
        }
    }
    writeln!(out, "\nStopped. `latchstring lab watch` goes on from here.")?;
    out.flush()?;
    Ok(ExitCode::FAILURE)
}

/// One check of a watch: whether everything has passed; `None` after Ctrl-C.
async fn check_once(
    out: &mut impl Write,
    mut student: Student,
    place: &PlaceArgs,
) -> anyhow::Result<Option<bool>> {
    let told = Told::new()?;
    let options = Options {
        seed: &Seed::fresh()?,
        counts: true,
        steps: &told,
        launcher: &Launcher::this_program(&KEEPER)?,
    };
    let report = tokio::select! {
        report = told.during(check::check_with(&mut student, &options)) => report?,
        interrupted = interrupted() => {
            told.end();
            interrupted?;
            return Ok(None);
        }
    };
    tell(out, &student, &report, place)?;
    Ok(Some(report.passed))
}

/// Not in a runtime: each worker has its own.
fn self_test(out: &mut impl Write, arguments: &SelfTest) -> anyhow::Result<ExitCode> {
    let all = arguments.labs.all()?;
    let labs = match arguments.lab.is_empty() {
        true => all,
        false => {
            let named = arguments.lab.iter();
            let named = named.map(|named| labs::find(all.clone(), named));
            named.collect::<anyhow::Result<_>>()?
        }
    };
    ensure!(
        arguments.students > 0,
        "--students 0 tests nothing: give 1 or more"
    );
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let progress = |what: &str, done: usize, of: usize| {
        let _ = writeln!(io::stderr(), "{done} of {of}: {what}");
    };
    let plan = Plan {
        labs: &labs,
        students: arguments.students,
        seed,
        launcher: &Launcher::this_program(&KEEPER)?,
        progress: &progress,
    };
    let lines = plan.run()?;
    let failed = lines.iter().any(|line| !line.failures.is_empty());
    match arguments.json {
        true => {
            print_json(&serde_json::json!({ "seed": seed, "passed": !failed, "lines": lines }))?
        }
        false => report::self_test(out, &lines, seed)?,
    }
    out.flush()?;
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
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
    Ok(labs.all()?.into_iter().map(standing).collect())
}

fn list(out: &mut impl Write, labs: &LabsArg, json: bool) -> anyhow::Result<()> {
    let all = standings(labs, None)?;
    if json {
        let line = |standing: &Standing| {
            let lab = &standing.lab;
            serde_json::json!({
                "id": lab.id,
                "title": lab.title,
                "minutes": lab.minutes,
                "level": lab.level,
                "prerequisites": lab.prerequisites,
                "folder": standing.started.as_ref().map(|(folder, _)| folder),
                "started": standing.started.is_some(),
                "done": standing.done(),
                "points": standing.points(),
                "of": lab.points(),
            })
        };
        return print_json(&all.iter().map(line).collect::<Vec<_>>());
    }
    Ok(report::list(out, &all)?)
}

async fn start(
    out: &mut impl Write,
    named: &str,
    place: &PlaceArgs,
    seed: Option<u64>,
    language: Option<&str>,
) -> anyhow::Result<()> {
    let lab = labs::find(place.labs.all()?, named)?;
    let folder = match &place.dir {
        Some(dir) => dir.clone(),
        None => {
            let folder = place::for_new(Path::new("."), &lab.id);
            ensure!(
                state::lab_of(&folder).as_ref() != Some(&lab.id),
                "the lab {} is started already: go on in {}, or begin again with `latchstring lab reset {}`",
                lab.id,
                folder.display(),
                lab.number()
            );
            folder
        }
    };
    let student = Student::start(lab, &folder, &chosen(seed)?, language).await?;
    let dir = place.dir.as_ref();
    let dir = dir.map_or_else(String::new, |dir| format!(" --dir {}", dir.display()));
    Ok(report::welcome(out, &student, &dir)?)
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
    let say = |line: &str| {
        let out = &mut screen::out();
        // A closed screen is no reason to stop serving.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    };
    say(&format!(
        "Your target, with accounts for {}. Ctrl-C ends it.",
        names.join(", ")
    ));
    let mut show = |event: ServerEvent| match &event {
        ServerEvent::Recognised { user } => say(&format!("[*] That login is {user}'s.")),
        ServerEvent::LoggedIn { user } => say(&format!("[*] Logged in: {user}")),
        event => {
            if let Some(lines) = event.screen() {
                say(&visible_lines(&lines));
            }
        }
    };
    let mut randomness = Seed::fresh()?.stream("served target");
    tokio::select! {
        () = listener.serve(instance.accounts.keys(), REPLY_PAUSE, &mut randomness, &mut show) => {}
        interrupted = interrupted() => interrupted?,
    }
    Ok(())
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

fn hint(out: &mut impl Write, mut student: Student, solution: bool) -> anyhow::Result<()> {
    if solution {
        let folder = student.hand_out_solution()?;
        writeln!(out, "The solution is in {}.", folder.display())?;
        return Ok(());
    }
    let of = student.lab.hints.len();
    let text = student.take_hint()?.map(report::refolded);
    match text {
        Some(text) => writeln!(out, "Hint {} of {of}\n\n{text}", student.state.hints)?,
        None => writeln!(
            out,
            "You have had all {of} hints. The solution: latchstring lab hint {} --solution",
            student.lab.number()
        )?,
    }
    Ok(())
}

fn explain(out: &mut impl Write, student: &Student) -> anyhow::Result<()> {
    let explanations = student.explanations()?;
    for (id, text) in &explanations {
        writeln!(out, "## {id}\n\n{}\n", report::refolded(text))?;
    }
    let hidden = student.lab.item_ids().count() - explanations.len();
    if let Some(case) = student.lab.case().filter(|_| hidden == 0) {
        writeln!(out, "{}\n", report::refolded(case))?;
    }
    if hidden > 0 {
        let when = match hidden {
            1 => "1 more comes when its check passes",
            _ => &format!("{hidden} more come when their checks pass"),
        };
        writeln!(
            out,
            "{when}: latchstring lab check {}",
            student.lab.number()
        )?;
    }
    Ok(())
}

async fn reset(
    out: &mut impl Write,
    named: Option<&str>,
    place: &PlaceArgs,
    yes: bool,
) -> anyhow::Result<()> {
    let lab = place.lab(named)?;
    let folder = place.folder(&lab);
    let there = state::lab_of(&folder);
    ensure!(
        there.as_ref() == Some(&lab.id),
        "{} does not hold the lab {}: begin with `latchstring lab start {}`",
        folder.display(),
        lab.id,
        lab.number()
    );
    if !yes {
        write!(
            out,
            "Begin {} again in {}? Your files move to a backup. Type yes: ",
            lab.id,
            folder.display()
        )?;
        out.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        ensure!(line.trim() == "yes", "nothing was changed");
    }
    let lost = state::read(&folder).is_err();
    let backup = match lost {
        false => Student::open(lab, &folder)?.reset().await?,
        true => Student::begin_again(lab, &folder, &Seed::fresh()?).await?,
    };
    if lost {
        writeln!(
            out,
            "The progress was lost, so captures, keys and answers are new."
        )?;
    }
    writeln!(
        out,
        "Everything is as it was at the start. Your files are in {}",
        backup.display()
    )?;
    Ok(())
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    Ok(writeln!(out)?)
}
