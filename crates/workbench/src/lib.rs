//! `latchstring solve`: the mathematical attacks on files, without a session.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use anyhow::Result;
use clap::Subcommand;

pub mod factor;
pub mod input;
pub mod job;
pub mod keystream;
pub mod screen;
pub mod seed;

/// The problem to solve. Each ends with 0 when it found something, and with 1 when it found nothing or failed; 2 is
/// wrong usage alone.
#[derive(Subcommand)]
pub enum SolveCommand {
    /// Read messages that were encrypted under one keystream, without the key
    Keystream(keystream::Arguments),
    /// Read messages of one keystream by hand, with the solver's help, in a terminal
    Workbench(screen::Arguments),
    /// Find the session key of a server that seeds a weak generator, by trying every seed
    Seed(seed::Arguments),
    /// Find the primes of RSA keys that are short or badly made
    Factor(factor::Arguments),
}

/// The exit code of a search that found nothing.
const NOTHING_FOUND: u8 = 1;

/// Runs the command and prints to `out`.
///
/// # Errors
/// If a file cannot be read or does not hold what it should, or if `out` fails.
pub fn run(command: SolveCommand, out: &mut impl Write) -> Result<ExitCode> {
    match command {
        SolveCommand::Keystream(arguments) => {
            keystream::run(arguments, out, std::io::stdout().is_terminal())
        }
        SolveCommand::Workbench(arguments) => screen::run(&arguments).map(|()| ExitCode::SUCCESS),
        SolveCommand::Seed(arguments) => seed::run(&arguments, out),
        SolveCommand::Factor(arguments) => factor::run(&arguments, out),
    }
}
