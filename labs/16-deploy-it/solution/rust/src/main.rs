//! Operates the hardened server.
//!
//! Usage: cargo run --quiet -- deploy SERVER FOLDER PORT NAME...   set it up in FOLDER, invite people, serve on PORT
//!        cargo run --quiet -- alarm LOG                          who is to be blocked, and whose key is stolen

// Some of it is used by your part only.
#![allow(dead_code)]

mod log;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    error::Error,
    fs::{self, DirBuilder, OpenOptions},
    io::Write,
    os::unix::{
        fs::{DirBuilderExt, OpenOptionsExt},
        process::CommandExt,
    },
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
    let directory = folder.join("server");
    let listen = format!("127.0.0.1:{port}");
    run(Command::new(server)
        .args(["init", "--listen", &listen, "--dir"])
        .arg(&directory))?;
    let configuration = directory.join("server.toml");
    let text = fs::read_to_string(&configuration)?;
    let lines = text.lines().map(|line| match line.split_once(" = ") {
        Some(("max_unauthenticated_per_source", _)) => format!("max_unauthenticated_per_source = {ROOM}\n"),
        _ => format!("{line}\n"),
    });
    fs::write(&configuration, lines.collect::<String>())?;

    let invitations = folder.join("invitations");
    DirBuilder::new().mode(0o700).create(&invitations)?;
    for name in names {
        let invitation = run(Command::new(server).args(["invite", name, "--dir"]).arg(&directory))?;
        write_privately(&invitations.join(name), &invitation)?;
    }

    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(folder.join("log"))?;
    let mut serve = Command::new(server);
    serve
        .args(["serve", "--log-format", "json", "--dir"])
        .arg(&directory)
        .stderr(log);
    // The server takes the place of this program. It returns only if it cannot start.
    Err(serve.exec().into())
}

/// Writes a file that only this user can read.
fn write_privately(path: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// The lines to print for this log.
fn alarm(log: &str) -> Result<Vec<String>> {
    let events = read_log(log)?;
    let logins = events.iter().filter(|event| event.message == "logged in");
    let at_home: BTreeSet<_> = logins.map(|event| (&event.user, &event.address)).collect();
    let known: BTreeSet<_> = at_home.iter().map(|(_, address)| *address).collect();
    let (mut refused, mut guessed) = (BTreeMap::new(), BTreeMap::new());
    for event in &events {
        if event.message != "logged in" && !known.contains(&event.address) {
            *refused.entry(&event.address).or_insert(0) += 1;
        }
        if event.reason == "wrong password" && !at_home.contains(&(&event.user, &event.address)) {
            *guessed.entry(&event.user).or_insert(0) += 1;
        }
    }
    refused.retain(|_, times| *times >= MANY);
    guessed.retain(|_, times| *times >= WRONG);
    let block = refused.keys().map(|address| format!("block {address}"));
    let stolen = guessed.keys().map(|user| format!("stolen {user}"));
    Ok(block.chain(stolen).collect())
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
