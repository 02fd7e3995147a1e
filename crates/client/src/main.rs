//! `latchstring-client`: the hardened client as a program; a command a file in `commands`.
//!
//! The protocol, the outbox and the pins are in the library `latchstring_client_core`.

mod commands;
mod config;
mod usage;

use std::process::exit;

use commands::{Options, exit_code};
use latchstring_net::{files, print, report, terminal};
use nix::sys::resource::{Resource, setrlimit};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options: Options = latchstring_cli::parse(env!("CARGO_BIN_NAME"));
    if let Err(why) = files::outlive_size_limit() {
        print::note(format_args!(
            "Warning: a limit on the size of files may end this program: {why}"
        ));
    }
    // A core dump would hold the key and the password.
    if let Err(why) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        print::note(format_args!(
            "Warning: core dumps cannot be turned off: {why}"
        ));
    }
    let code = match options.run().await {
        Ok(()) => 0,
        Err(error) => {
            let line = report::line(error.as_ref());
            print::note(format_args!("Error: {}", terminal::visible_lines(&line)));
            exit_code(&error)
        }
    };
    // Not by returning: the thread that reads a terminal would keep the program waiting for one more line.
    exit(code.into());
}
