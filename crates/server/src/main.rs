//! `latchstring-server`: the hardened server as a program.
//!
//! * `commands`: `init`, `serve`, `user`, `invite`, `messages`, `collect`, `backup`, `restore`;
//! * `password`: where a new user's password comes from;
//! * `courier` and `sink`: where messages go besides the store;
//! * `retention`: old messages, which are removed;
//! * `log`: the events, for the operator;
//! * `metrics`: the same events as numbers, for a monitoring system.
//!
//! The protocol and every decision of a login are in the library `latchstring_server_core`.

mod commands;
mod courier;
mod log;
mod metrics;
mod password;
mod retention;
mod sink;

use std::process::ExitCode;

use commands::Options;
use latchstring_net::{files, print, report};
use nix::sys::resource::{Resource, setrlimit};

#[tokio::main]
async fn main() -> ExitCode {
    let options: Options = latchstring_cli::parse(env!("CARGO_BIN_NAME"));
    if let Err(why) = files::outlive_size_limit() {
        print::note(format_args!(
            "Warning: a limit on the size of files may end this program: {why}"
        ));
    }
    // A core dump would hold the host key and passwords.
    if let Err(why) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        print::note(format_args!(
            "Warning: core dumps cannot be turned off: {why}"
        ));
    }
    match options.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, also where a library tells in several what is wrong.
            let line = report::line(error.as_ref());
            let words: Vec<_> = line.lines().map(str::trim).collect();
            print::note(format_args!("Error: {}", words.join(" ")));
            ExitCode::FAILURE
        }
    }
}
