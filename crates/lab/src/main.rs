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

use clap::{Parser, Subcommand, ValueEnum};
use latchstring_attacker::{
    capture::{
        self,
        live::{Limits, capture_live},
    },
    net::report,
};
use latchstring_lab::{
    arena::DEFAULT_SEED,
    demo,
    exercise::{self, LabCommand},
    matrix::Matrix,
    wire::Over,
};

/// Break a small login protocol, mend it, and see which defence stops which attack.
#[derive(Parser)]
#[command(version, after_help = "Example: latchstring demo")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays an honest session, the attacks on it, and the same attacks on the hardened protocol
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
    /// Runs every attack against every target and prints the table of verdicts
    #[command(
        after_help = "Examples:\n  latchstring matrix --over memory\n  latchstring matrix --format json > matrix.json"
    )]
    Matrix {
        #[command(flatten)]
        arena: ArenaArgs,
        /// How to print it
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Records packets from a network interface of this machine
    #[command(
        after_help = "Example, in a second terminal while a session runs:\n  latchstring capture --iface lo --port 22222 --seconds 30 --out session.pcap"
    )]
    Capture {
        /// The interface
        #[arg(long, default_value = "lo")]
        iface: String,
        /// Where to write the pcap file
        #[arg(long)]
        out: PathBuf,
        /// Record only TCP from and to this port
        #[arg(long)]
        port: Option<u16>,
        /// Stop after so many seconds; otherwise with Ctrl-C
        #[arg(long)]
        seconds: Option<u64>,
    },
    /// Names every byte of the sessions in a capture
    #[command(after_help = "Example: latchstring read captures/faithful-chat.pcap")]
    Read {
        /// A pcap or pcapng file
        file: PathBuf,
    },
    /// The exercises
    #[command(subcommand)]
    Lab(LabCommand),
}

#[derive(clap::Args)]
struct ArenaArgs {
    /// What carries the bytes
    #[arg(long, value_enum, default_value = "tcp")]
    over: Over,
    /// Where all randomness of the peers comes from
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table for people
    Text,
    /// Every run with its transcript
    Json,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("latchstring: {}", report::line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo { arena, json } => play_demo(&arena, json),
        Command::Matrix { arena, format } => print_matrix(&arena, format),
        Command::Capture {
            iface,
            out,
            port,
            seconds,
        } => record(&iface, &out, port, seconds),
        Command::Read { file } => read(&file),
        Command::Lab(command) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(exercise::run(command))
        }
    }
}

fn play_demo(arena: &ArenaArgs, json: bool) -> anyhow::Result<ExitCode> {
    let matrix = if json {
        let matrix = Matrix::run(arena.over, arena.seed, |_| ())?;
        print_json(&matrix)?;
        matrix
    } else {
        demo::play(&mut anstream::stdout().lock(), arena.over, arena.seed)?
    };
    Ok(promised(&matrix))
}

fn print_matrix(arena: &ArenaArgs, format: Format) -> anyhow::Result<ExitCode> {
    let matrix = Matrix::run(arena.over, arena.seed, |run| {
        eprintln!(
            "{} against {}: {}",
            run.attack, run.against, run.verdict.outcome
        )
    })?;
    match format {
        Format::Text => write!(anstream::stdout(), "{matrix}")?,
        Format::Json => print_json(&matrix)?,
    }
    Ok(promised(&matrix))
}

/// A run in which a verdict is not the promised one is a failure, also for scripts.
fn promised(matrix: &Matrix) -> ExitCode {
    if matrix.as_promised() {
        ExitCode::SUCCESS
    } else {
        eprintln!(
            "latchstring: a verdict is not the promised one: faithful should break and hardened hold"
        );
        ExitCode::FAILURE
    }
}

fn print_json(matrix: &Matrix) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, matrix)?;
    Ok(writeln!(out)?)
}

/// Captures on a thread of its own, until the time is up or Ctrl-C.
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
    let started = || eprintln!("recording on {iface}; stop with Ctrl-C");
    let stats = capture_live(iface, port, out, limits, &stop, started)?;
    println!(
        "{} packets, {} bytes, {} dropped: {}",
        stats.packets,
        stats.bytes,
        stats.dropped,
        out.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<ExitCode> {
    let sessions = capture::read_sessions(file)?;
    let mut out = anstream::stdout();
    for session in sessions {
        writeln!(out, "{}", capture::dissect::describe(&session))?;
    }
    Ok(ExitCode::SUCCESS)
}
