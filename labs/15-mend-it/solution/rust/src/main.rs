//! A peer of the ladder: the server and the client of rungs 0 to 8.
//!
//! Each idea has one place. Where the code asks `rung >= TAG`, that idea begins to work: src/rung.rs lists all of them.

mod accounts;
mod admission;
mod args;
mod channel;
mod client;
mod content;
mod error;
mod exchange;
mod files;
mod frame;
mod keys;
mod line;
mod login;
mod rung;
mod server;
mod signature;
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
