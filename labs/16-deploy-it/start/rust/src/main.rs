//! Operates the hardened server.
//!
//! Usage: cargo run --quiet -- deploy SERVER FOLDER PORT NAME...   set it up in FOLDER, invite people, serve on PORT
//!        cargo run --quiet -- alarm LOG                          who is to be blocked, and whose key is stolen

// Some of it is used by your part only.
#![allow(dead_code)]

mod log;

use std::{
    env,
    error::Error,
    path::Path,
    process::{Command, Stdio},
};

use log::read_log;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Connections of one address that are not logged in.
const ROOM: u32 = 20;
/// An address from which nobody has logged in is blocked after so many refusals.
const MANY: usize = 5;
/// A key is held for stolen after so many wrong passwords from addresses at which its user has never logged in.
const WRONG: usize = 3;

/// Runs a command and returns what it prints. A command that fails ends the program.
fn run(command: &mut Command) -> Result<String> {
    let ran = command.stderr(Stdio::inherit()).output()?;
    if !ran.status.success() {
        return Err(format!("{command:?} failed: {}", ran.status).into());
    }
    Ok(String::from_utf8(ran.stdout)?)
}

/// Makes a server in folder/server, an invitation for each name in folder/invitations/NAME, and serves.
///
/// The log goes to folder/log, as JSON. One address gets at most 20 connections that are not logged in.
fn deploy(server: &str, folder: &Path, port: &str, names: &[&str]) -> Result<()> {
    // Your part. `run(Command::new(server).args(["init", ...]))?` runs a command of the server.
    let _ = (server, folder, port, names, run, ROOM);
    Ok(())
}

/// The lines to print for this log.
fn alarm(log: &str) -> Result<Vec<String>> {
    let events = read_log(log)?;
    // Your part: an event has a message, an address, a user and a reason.
    let _ = (events, MANY, WRONG);
    Ok(Vec::new())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["deploy", server, folder, port, names @ ..] if !names.is_empty() => {
            deploy(server, Path::new(folder), port, names)?;
        }
        ["alarm", log] => println!("{}", alarm(log)?.join("\n")),
        _ => return Err("usage: deploy SERVER FOLDER PORT NAME... | alarm LOG".into()),
    }
    Ok(())
}
