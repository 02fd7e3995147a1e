//! The section "Mend it" of a handout: its commands, and the two peers that they let talk.

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use latchstring_classroom::{catalogue::Mend, labs};
use latchstring_net::port::ReservedPort;
use latchstring_tests::{binary, peers::listening, workspace};
use tempfile::TempDir;

/// The labs in which a peer is half of the work; in lab 15 it is all of it.
pub(crate) fn halves() -> Vec<(String, Mend)> {
    let labs = labs::built_in().unwrap();
    let labs = labs.iter().filter(|lab| {
        let half = workspace().join("labs").join(&lab.id);
        half.join("start/python/mend").is_dir()
    });
    let halves = labs.flat_map(|lab| {
        let mends = lab.trials.iter().filter_map(|trial| trial.mend);
        mends.map(|mend| (lab.id.clone(), mend))
    });
    halves.collect()
}

/// The folder of a student who has mended the peer.
pub(crate) fn mended(lab: &str, language: &str) -> TempDir {
    let lab = labs::find(labs::built_in().unwrap(), lab).unwrap();
    let language = lab.language(Some(language)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for part in ["start", "solution"] {
        lab.lay_out(part, language, folder.path()).unwrap();
    }
    folder
}

/// Its text.
fn section(lab: &str) -> String {
    let path = workspace().join("labs").join(lab).join("README.md");
    let handout = fs::read_to_string(path).unwrap();
    let section = handout.split("\n## Mend it\n").nth(1);
    let section = section.unwrap_or_else(|| panic!("{lab}: no section `Mend it`"));
    section.split("\n## ").next().unwrap().to_owned()
}

/// Its commands in Python, in their order.
pub(crate) fn commands(lab: &str) -> Vec<String> {
    let section = section(lab);
    let lines = section.lines().filter(|line| line.starts_with("        "));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// What the section says to write in Rust in place of something in Python: both of them.
pub(crate) fn in_place_of(lab: &str) -> Vec<(String, String)> {
    let section = section(lab);
    let words: Vec<&str> = section.split_whitespace().collect();
    let text = words.join(" ");
    let parts: Vec<&str> = text.split('`').collect();
    let pairs = parts.windows(3).filter(|three| three[1] == " in place of ");
    pairs
        .map(|three| (three[0].to_owned(), three[2].to_owned()))
        .collect()
}

/// The search path of a student: this build's programs, and a Python with the packages of the peers.
fn search_path() -> OsString {
    let programs = binary("latchstring").parent().unwrap().to_owned();
    let python = workspace().join("target/peers-venv/bin");
    let inherited = env::var_os("PATH").unwrap_or_default();
    let folders = [programs, python]
        .into_iter()
        .chain(env::split_paths(&inherited));
    env::join_paths(folders).unwrap()
}

fn shell(folder: &Path, target: &Path, line: &str) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-e", "-o", "pipefail", "-c", line])
        .current_dir(folder)
        .env("PATH", search_path())
        .env("CARGO_TARGET_DIR", target)
        .env("NO_COLOR", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

/// Runs the commands in a student's folder: one writes keys, one starts a server, and one lets a client say hello. What
/// cargo builds goes into the folder `target`.
pub(crate) fn talk(lab: &str, folder: &Path, target: &Path, commands: Vec<String>) {
    // In place of the handout's port, which may be taken.
    let reserved = ReservedPort::take().unwrap();
    let port = reserved.number().to_string();
    let commands = commands.into_iter().map(|line| line.replace("7000", &port));
    let commands: Vec<String> = commands.collect();
    let find = |words: &str| {
        let mut lines = commands.iter();
        let line = lines.find(|line| line.contains(words));
        line.unwrap_or_else(|| panic!("{lab}: no command with {words}: {commands:#?}"))
    };
    let made = shell(folder, target, find("ladder files"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{lab}: {made:?}");
    let client = find("echo hello | ");
    let served = commands
        .iter()
        .find(|line| line.contains("--port") && *line != client)
        .unwrap_or_else(|| panic!("{lab}: no command starts a server: {commands:#?}"));
    // The shell becomes the server, so that ending one ends the other.
    let (server, at) = listening(&mut shell(folder, target, &format!("exec {served}")));
    assert_eq!(at.to_string(), port, "{lab}");
    let said = shell(folder, target, client).output().unwrap();
    let _ = std::io::stderr().write_all(&said.stderr);
    assert!(said.status.success(), "{lab}: {said:?}");
    assert!(server.prints("hello"), "{lab}: the text did not arrive");
}
