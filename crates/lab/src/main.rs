//! `latchstring`: the front door of the lab.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use latchstring_arena::{DEFAULT_SEED, Run};
use latchstring_attacker::{
    capture::live::{Limits, capture_live},
    net::{print, report},
};
use latchstring_classroom::commands::{self as classroom, LabCommand};
use latchstring_cli::screen;
use latchstring_instructor::commands::{self as instructor, CourseCommand};
use latchstring_lab::{carrier::Carrier, compare, demo, ladder, read, weak_server};
use latchstring_matrix::{self as matrix, Matrix, Selection};
use latchstring_workbench::{self as workbench, SolveCommand, job::CtrlC};

/// Break a small login protocol, repair it, and see which defence stops which attack.
#[derive(Parser)]
#[command(version, after_help = "Example: latchstring demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play an honest session, the attacks on it, and the same on the hardened protocol
    #[command(
        after_help = "Examples:\n  latchstring demo\n  latchstring demo --over memory --json > demo.json"
    )]
    Demo {
        #[command(flatten)]
        arena: ArenaArgs,
        /// Print the runs as JSON instead of the stories
        #[arg(long)]
        json: bool,
    },
    /// Run every attack against every target, and print the table of verdicts
    ///
    /// The targets are faithful, hardened, and hardened without each defence.
    #[command(
        after_help = "Examples:\n  latchstring matrix\n  latchstring matrix --over tcp --attack relay --attack bit-flip\n  \
                      latchstring matrix --defence mac --format grid\n  latchstring matrix --format html --out matrix.html"
    )]
    Matrix(MatrixArgs),
    Ladder(ladder::Arguments),
    /// Record packets from a network interface of this machine
    #[command(
        after_help = "Example, in a second terminal while a session runs:\n  latchstring capture --iface lo --port 22222 --seconds 30 --out session.pcap"
    )]
    Capture {
        /// Record from this interface
        #[arg(long, default_value = "lo")]
        iface: String,
        /// Write the pcap file here
        #[arg(long)]
        out: PathBuf,
        /// Record only TCP from and to this port
        #[arg(long)]
        port: Option<u16>,
        /// Stop after this number of seconds [default: stop at Ctrl-C]
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Name every byte of the sessions in a capture
    Read(read::Arguments),
    /// Compare both protocols side by side, step by step
    Compare(compare::Arguments),
    /// Solve recorded messages and keys with mathematics alone
    #[command(subcommand)]
    Solve(SolveCommand),
    /// Serve the faithful protocol with session keys from a generator that is seeded with the time
    WeakServer(weak_server::Arguments),
    /// Work on the labs: exercises that check themselves
    #[command(subcommand)]
    Lab(LabCommand),
    /// Run a class with the labs: hand-outs, grades, reports
    #[command(subcommand)]
    Course(CourseCommand),
}

/// The exit code that a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

#[derive(clap::Args)]
struct ArenaArgs {
    /// Carry the bytes over this wire
    #[arg(long, value_enum, default_value = "tcp")]
    over: Carrier,
    /// Derive all randomness of the peers from this seed
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
}

#[derive(clap::Args)]
struct MatrixArgs {
    /// Carry the bytes over this wire
    #[arg(long, value_enum, default_value = "memory")]
    over: Carrier,
    /// Derive all randomness of the peers from this seed
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Print in this format
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Run only this attack; may be repeated [default: all attacks]
    #[arg(long, value_name = "ID")]
    attack: Vec<String>,
    /// Run only the columns without this defence, besides faithful and hardened; may be repeated [default: all columns]
    #[arg(long, value_name = "ID")]
    defence: Vec<String>,
    /// Write to this file [default: the standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Attacks and the defences without which they return
    Text,
    /// A letter for every cell
    Grid,
    /// Every run with its transcript, as data
    Json,
    /// One page with every transcript
    Html,
    /// One picture, whose cells link to the page `matrix.html` beside it
    Svg,
}

fn main() -> ExitCode {
    match run(latchstring_cli::parse::<Cli>(env!("CARGO_BIN_NAME")).command) {
        Ok(code) => code,
        Err(error) => {
            print::note(format!("latchstring: {}", report::line(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo { arena, json } => play_demo(&arena, json),
        Command::Matrix(arguments) => run_matrix(&arguments),
        Command::Ladder(arguments) => ladder::run(arguments),
        Command::Capture {
            iface,
            out,
            port,
            seconds,
        } => record(&iface, &out, port, seconds),
        Command::Compare(arguments) => compare::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Read(arguments) => read::run(&arguments),
        Command::Solve(command) => {
            let mut out = print::Output::new();
            let code = workbench::run(command, &mut out);
            // What was found before an error is a result too.
            let written = out.finish();
            let code = code?;
            written?;
            Ok(code)
        }
        Command::WeakServer(arguments) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(weak_server::run(arguments))
        }
        // Before the runtime: a process with threads gets no namespace.
        Command::Lab(LabCommand::RunProgram(program)) => program.run(),
        Command::Course(command) => instructor::run(command),
        Command::Lab(command) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(classroom::run(command))
        }
    }
}

fn play_demo(arena: &ArenaArgs, json: bool) -> anyhow::Result<ExitCode> {
    let matrix = if json {
        let matrix = demo::run(arena.over.into(), arena.seed)?;
        print::line(serde_json::to_string_pretty(&matrix)?)?;
        matrix
    } else {
        demo::play(&mut screen::out(), arena.over.into(), arena.seed)?
    };
    Ok(promised(&matrix))
}

fn run_matrix(arguments: &MatrixArgs) -> anyhow::Result<ExitCode> {
    let wanted = Selection::of(&arguments.attack, &arguments.defence)?;
    // Drawn on standard error, and only where that is a terminal.
    let style = "{bar:30} {pos}/{len} {wide_msg}";
    let bar = ProgressBar::new(wanted.cells().len() as u64)
        .with_style(ProgressStyle::with_template(style)?.progress_chars("=> "));
    let ctrl_c = CtrlC::listen()?;
    let progress = |run: &Run| {
        if ctrl_c.pressed().load(Ordering::SeqCst) {
            bar.finish_and_clear();
            print::note("ended by Ctrl-C; no table was made");
            std::process::exit(INTERRUPTED);
        }
        bar.set_message(format!("{} against {}", run.attack, run.against));
        bar.inc(1);
    };
    let matrix = Matrix::run(&wanted, arguments.over.into(), arguments.seed, progress);
    bar.finish_and_clear();
    let matrix = matrix?;
    let text = printed(&matrix, arguments.format)?;
    match &arguments.out {
        Some(path) => std::fs::write(path, text)
            .with_context(|| format!("cannot write to {}", path.display()))?,
        None => write!(anstream::stdout(), "{text}")?,
    }
    Ok(promised(&matrix))
}

fn printed(matrix: &Matrix, format: Format) -> serde_json::Result<String> {
    Ok(match format {
        Format::Text => matrix::tables(matrix, screen::width()),
        Format::Grid => matrix::grid(matrix, screen::width()),
        Format::Json => serde_json::to_string_pretty(matrix)? + "\n",
        Format::Html => matrix::page(matrix),
        Format::Svg => matrix::picture(matrix, |row, column| {
            format!("matrix.html#{}", matrix::anchor(row, column))
        }),
    })
}

/// A run in which a verdict is not the promised one is a failure, also for scripts.
fn promised(matrix: &Matrix) -> ExitCode {
    let broken = matrix.broken_promises();
    for run in &broken {
        print::note(format!(
            "latchstring: {} against {} is {}, and the registry promises something else",
            run.attack, run.against, run.verdict.outcome
        ));
    }
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Captures on a separate thread, until the time is up or Ctrl-C.
fn record(
    iface: &str,
    out: &Path,
    port: Option<u16>,
    seconds: Option<u64>,
) -> anyhow::Result<ExitCode> {
    let limits = Limits {
        time: seconds.map(Duration::from_secs),
        ..Limits::default()
    };
    let stop = Arc::new(AtomicBool::new(false));
    let on_ctrl_c = stop.clone();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_ctrl_c.store(true, Ordering::SeqCst);
        }
    });
    let started = || print::note(format_args!("recording on {iface}; stop with Ctrl-C"));
    let stats = capture_live(iface, port, out, limits, &stop, started)?;
    print::line(format_args!(
        "{} packets, {} bytes, {} dropped: {}",
        stats.packets,
        stats.bytes,
        stats.dropped,
        out.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
