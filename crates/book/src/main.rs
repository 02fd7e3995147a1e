//! `latchstring-book`: makes what the repository holds that is made from runs.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use latchstring_arena::{DEFAULT_SEED, wire::Over};
use latchstring_attacker::net::{print, report};
use latchstring_ladder::table::Table;
use latchstring_matrix::{Matrix, Selection};

/// Make the captures and the generated pages of this repository again.
///
/// Prints the name of each file that has changed.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example: cargo run -p latchstring-book -- --check"
)]
struct Cli {
    /// The top of the repository
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Change nothing; end with 1 if a file is not as it would be made
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let cli: Cli = latchstring_cli::parse(env!("CARGO_BIN_NAME"));
    make(&cli).unwrap_or_else(|error| {
        print::note(format_args!(
            "latchstring-book: {}",
            report::line(error.as_ref())
        ));
        ExitCode::FAILURE
    })
}

fn make(cli: &Cli) -> anyhow::Result<ExitCode> {
    let matrix = Matrix::run(&Selection::all(), Over::Memory, DEFAULT_SEED, |_| ())?;
    let ladder = Table::run(DEFAULT_SEED, |_| ())?;
    let made = latchstring_book::artefacts(&cli.root, &matrix, &ladder)?;
    let changed = match cli.check {
        true => latchstring_book::drifted(&cli.root, &made)?,
        false => latchstring_book::write(&cli.root, &made)?,
    };
    for path in &changed {
        print::line(path.display())?;
    }
    if cli.check && !changed.is_empty() {
        anyhow::bail!("these files differ from their sources: run .ci/regenerate");
    }
    let broken = matrix.broken_promises();
    for run in &broken {
        print::note(format_args!(
            "latchstring-book: {} against {} is {}, and the registry promises something else",
            run.attack, run.against, run.verdict.outcome
        ));
    }
    Ok(match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
