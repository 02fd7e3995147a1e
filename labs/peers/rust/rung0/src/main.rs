//! Runs one end of the wire; `lib.rs` has the parts.

use std::{env, process::ExitCode};

use peer::{
    args::{Args, Side, USAGE},
    client, server,
};

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
