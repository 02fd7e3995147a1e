//! The ladder as it is published and as its programs play it: table, pages and vectors are those of this run, and every rung
//! is spoken on loopback.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::LazyLock,
};

use latchstring_arena::DEFAULT_SEED;
use latchstring_ladder::{Rung, folder, table::Table, text};
use latchstring_tests::{
    binary,
    peers::{Running, listening, rung_in_python, with_input},
    python, workspace,
};
use regex::Regex;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::run(DEFAULT_SEED, |_| ()).unwrap());

/// Without the colours of a terminal.
fn plain(text: &str) -> String {
    let colours = Regex::new("\x1b\\[[0-9;]*m").unwrap();
    colours.replace_all(text, "").into_owned()
}

#[test]
fn the_table_and_each_rung_are_the_published_ones_and_fit_80_columns() {
    let rungs = Rung::ALL.map(|rung| text::rung(&TABLE, rung)).join("\n");
    let text = plain(&format!("{}\n{rungs}", text::table(&TABLE)));
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "too wide for a terminal");
    insta::assert_snapshot!("ladder", text);
}

#[test]
fn pages_picture_and_vectors_are_those_of_this_run() {
    for made in latchstring_book::ladder::artefacts(workspace(), &TABLE).unwrap() {
        let there = fs::read(workspace().join(&made.path)).unwrap_or_default();
        assert!(
            there == made.bytes,
            "{}: run .ci/regenerate",
            made.path.display()
        );
    }
}

fn ladder() -> Command {
    let mut command = Command::new(binary("latchstring"));
    command
        .arg("ladder")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// Our server of a rung on a free port, and that port.
fn served(rung: Rung, keys: &Path) -> (Running, u16) {
    let mut command = ladder();
    command.args(["serve", "--port", "0", "--rung", &rung.to_string(), "--dir"]);
    listening(command.arg(keys))
}

/// Our client, with these lines as its input.
fn connected(rung: Rung, keys: &Path, port: u16, user: &str, input: &str) -> Output {
    let mut command = ladder();
    command.args(["connect", "--rung", &rung.to_string()]);
    command.args(["--port", &port.to_string(), "--user", user, "--dir"]);
    with_input(command.arg(keys), input)
}

#[test]
fn both_programs_speak_every_rung_on_loopback() {
    for rung in Rung::spoken() {
        let keys = tempfile::tempdir().unwrap();
        folder::write(rung, keys.path()).unwrap();
        let (_server, port) = served(rung, keys.path());
        for user in ["alice", "Zo\u{eb}"] {
            let output = connected(rung, keys.path(), port, user, "hello\nagain\n");
            let printed = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "rung {rung}: {printed}");
            assert!(printed.contains("2 texts sent"), "rung {rung}: {printed}");
        }
    }
}

#[test]
fn rung_0_talks_to_the_reports_programs_in_both_directions() {
    let keys = tempfile::tempdir().unwrap();
    folder::write(Rung::FAITHFUL, keys.path()).unwrap();
    let mut server = Command::new(binary("faithful-server"));
    server.args(["--port", "0", "--dir"]).arg(keys.path());
    let (server, port) = listening(&mut server);
    let output = connected(Rung::FAITHFUL, keys.path(), port, "bob", "hello\n");
    assert!(output.status.success(), "{output:?}");
    assert!(server.prints("Decrypted Message: hello"));

    let (server, port) = served(Rung::FAITHFUL, keys.path());
    let mut client = Command::new(binary("faithful-client"));
    client
        .args(["--port", &port.to_string(), "--dir"])
        .arg(keys.path());
    with_input(&mut client, "1\nalice\nhello\n");
    assert!(server.prints("alice is logged in") && server.prints("text: hello"));
}

#[test]
fn a_line_that_cannot_be_sent_is_named_and_the_others_go_out() {
    let rung = Rung::new(2).unwrap();
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    let (_server, port) = served(rung, keys.path());
    let long = "x".repeat(20_000);
    let output = connected(
        rung,
        keys.path(),
        port,
        "alice",
        &format!("one\n\n{long}\ntwo\n"),
    );
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("2 of the lines were not sent"), "{error}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("2 texts sent")
    );
}

#[test]
fn a_client_of_another_rung_a_wrong_host_and_a_wrong_user_fail_with_a_reason() {
    let rung = Rung::new(6).unwrap();
    let keys = tempfile::tempdir().unwrap();
    folder::write(rung, keys.path()).unwrap();
    let (_server, port) = served(rung, keys.path());
    let failed = |rung: Rung, user: &str| {
        let output = connected(rung, keys.path(), port, user, "hello\n");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let lower = rung.below().unwrap();
    assert!(
        failed(lower, "alice").contains("client.keys/alice"),
        "no textbook key"
    );
    assert!(failed(rung, "nobody").contains("ladder files"));
    // The client pins another key than the server's.
    let other = fs::read(keys.path().join("server.keys/alice.pub")).unwrap();
    fs::write(keys.path().join("host.pub"), other).unwrap();
    let error = failed(rung, "alice");
    assert!(
        error.contains("the host's key is not the pinned one"),
        "{error}"
    );
}

#[test]
fn what_is_no_spoken_rung_is_refused_with_the_way_out() {
    for (arguments, says) in [
        (&["show", "10"][..], "choose a number from 0 to 9"),
        (
            &["serve", "--rung", "9", "--port", "0"],
            "latchstring-server",
        ),
        (
            &["connect", "--rung", "1", "--port", "1"],
            "latchstring ladder serve",
        ),
    ] {
        let output = ladder().args(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(says), "{error}");
    }
}

#[test]
fn our_client_speaks_every_rung_with_the_server_in_python() {
    for rung in Rung::spoken() {
        let keys = tempfile::tempdir().unwrap();
        folder::write(rung, keys.path()).unwrap();
        let mut command = rung_in_python("server.py", rung, keys.path());
        let (_server, port) = listening(command.args(["--port", "0"]));
        for user in ["alice", "Zo\u{eb}"] {
            let output = connected(rung, keys.path(), port, user, "hello\nagain\n");
            let error = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "rung {rung}, {user}: {error}");
        }
    }
}

#[test]
fn the_client_in_python_speaks_every_rung_with_our_server() {
    for rung in Rung::spoken() {
        let keys = tempfile::tempdir().unwrap();
        folder::write(rung, keys.path()).unwrap();
        let (_server, port) = served(rung, keys.path());
        let mut command = rung_in_python("client.py", rung, keys.path());
        command.args(["--user", "alice", "--port", &port.to_string()]);
        let output = with_input(&mut command, "hello\nagain\n");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "rung {rung}: {error}");
    }
}

/// A vector with one changed digit is found, so the check is one.
#[test]
fn the_vectors_follow_from_the_pages_as_python_reads_them() {
    for rung in Rung::spoken() {
        let keys = tempfile::tempdir().unwrap();
        folder::write(rung, keys.path()).unwrap();
        let right =
            fs::read_to_string(workspace().join(format!("tests/vectors/ladder/{rung}.json")));
        let right = right.unwrap();
        let at = right.rfind("\"frame\": \"").unwrap() + "\"frame\": \"".len();
        let digit = if right.as_bytes()[at] == b'0' {
            "1"
        } else {
            "0"
        };
        let wrong = format!("{}{digit}{}", &right[..at], &right[at + 1..]);
        for (vector, agrees) in [(right, true), (wrong, false)] {
            let file = keys.path().join("vector.json");
            fs::write(&file, vector).unwrap();
            let mut command = python("ladder/vectors.py", "cryptography");
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
                .args(["--rung", &rung.to_string(), "--dir"])
                .arg(keys.path());
            let output = command.arg(&file).output().unwrap();
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.success(), agrees, "rung {rung}: {error}");
        }
    }
}
