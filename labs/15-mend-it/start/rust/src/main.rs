//! A peer of the ladder: the server and the client of rung 0, the faithful protocol with all its flaws.
//!
//! Climb rung by rung: each page of the ladder adds one idea. src/rung.rs says how far this peer is.

mod accounts;
mod args;
mod client;
mod error;
mod files;
mod keys;
mod line;
mod rung;
mod server;
mod textbook;

use std::{env, process::ExitCode};

use args::{Args, Side, USAGE};

fn main() -> ExitCode {
    let args = match Args::parse(env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("peer: {why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let ended = args.check_rung().and_then(|()| match args.side {
        Side::Server => server::run(&args),
        Side::Client => client::run(&args),
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("peer: {why}");
            ExitCode::FAILURE
        }
    }
}
