//! The halves of labs in which a peer is mended: the solution is the ladder's peer in Python, and the commands of the handout
//! run as they are printed.

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use latchstring_classroom::{catalogue::Mend, labs};
use latchstring_tests::{binary, peers::listening, workspace};
use tempfile::TempDir;

/// The labs in which a peer is half of the work; in lab 15 it is all of it.
fn halves() -> Vec<(String, Mend)> {
    let labs = labs::built_in().unwrap();
    let labs = labs.iter().filter(|lab| {
        let half = workspace().join("labs").join(&lab.id).join("start/mend");
        half.is_dir()
    });
    let halves = labs.flat_map(|lab| {
        let mends = lab.trials.iter().filter_map(|trial| trial.mend);
        mends.map(|mend| (lab.id.clone(), mend))
    });
    halves.collect()
}

/// The folder of a student who has mended the peer.
fn mended(lab: &str) -> TempDir {
    let lab = labs::find(labs::built_in().unwrap(), lab).unwrap();
    let language = lab.language(None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for part in ["start", "solution"] {
        lab.lay_out(part, language, folder.path()).unwrap();
    }
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

#[test]
fn the_solution_of_each_half_is_the_peer_of_its_rung() {
    let halves = halves();
    assert!(halves.len() >= 3, "{halves:?}");
    for (lab, mend) in halves {
        let peer = format!("tests/peers/ladder/rung{}", mend.rung);
        let folder = mended(&lab);
        for ours in files(&folder.path().join("mend")) {
            let name = ours.file_name().unwrap();
            if name == "requirements.txt" {
                continue;
            }
            let theirs = workspace().join(&peer).join(name);
            let wanted = fs::read_to_string(&theirs).unwrap_or_default();
            assert!(
                fs::read_to_string(&ours).unwrap() == wanted,
                "{lab}, mend/{}: the solution differs from {}: copy it",
                name.display(),
                theirs.display()
            );
        }
    }
}

/// The commands of the section, in their order.
fn commands(lab: &str) -> Vec<String> {
    let path = workspace().join("labs").join(lab).join("README.md");
    let handout = fs::read_to_string(path).unwrap();
    let section = handout.split("\n## Mend it\n").nth(1);
    let section = section.unwrap_or_else(|| panic!("{lab}: no section `Mend it`"));
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("        "));
    lines.map(|line| line.trim().to_owned()).collect()
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

fn shell(folder: &Path, line: &str) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-e", "-o", "pipefail", "-c", line])
        .current_dir(folder)
        .env("PATH", search_path())
        .env("NO_COLOR", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

/// Asks the system for a port in place of the handout's, which may be taken.
fn free_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[test]
fn the_commands_of_each_handout_let_the_mended_peer_talk_to_ours() {
    for (lab, _) in halves() {
        let folder = mended(&lab);
        let port = free_port();
        let commands: Vec<String> = commands(&lab)
            .into_iter()
            .map(|line| line.replace("7000", &port))
            .collect();
        let find = |words: &str| {
            let mut lines = commands.iter();
            let line = lines.find(|line| line.contains(words));
            line.unwrap_or_else(|| panic!("{lab}: no command with {words}: {commands:#?}"))
        };
        let made = shell(folder.path(), find("ladder files")).output().unwrap();
        assert!(made.status.success(), "{lab}: {made:?}");
        let client = find("echo hello | ");
        let served = commands
            .iter()
            .find(|line| line.contains("--port") && *line != client)
            .unwrap_or_else(|| panic!("{lab}: no command starts a server: {commands:#?}"));
        // The shell becomes the server, so that ending one ends the other.
        let (server, at) = listening(&mut shell(folder.path(), &format!("exec {served}")));
        assert_eq!(at.to_string(), port, "{lab}");
        let said = shell(folder.path(), client).output().unwrap();
        let _ = std::io::stderr().write_all(&said.stderr);
        assert!(said.status.success(), "{lab}: {said:?}");
        assert!(server.prints("hello"), "{lab}: the text did not arrive");
    }
}
