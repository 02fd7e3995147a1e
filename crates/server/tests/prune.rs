//! Removing old messages, by command and by the configuration, with the real program.

mod support;

use std::{
    fs,
    process::{Command, Stdio},
};

use latchstring_store::Accounts;
use latchstring_store_sqlite::Sqlite;
use nix::sys::signal::Signal;
use support::{Chat, Home, Serving, alice_kid, failure, name, success};
use tokio::{net::TcpStream, time::sleep};

async fn open(home: &Home, serving: &Serving) -> Chat<TcpStream> {
    home.login().open(serving.connect().await).await
}

async fn say(chat: &mut Chat<TcpStream>, count: u64) {
    for n in 1..=count {
        chat.say_and_hear_back(&format!("text {n}")).await;
    }
}

async fn ends(serving: Serving) -> String {
    serving.signal(Signal::SIGTERM);
    let (code, log) = serving.ended().await;
    assert_eq!(code, Some(0), "{log}");
    log
}

fn write_rules(home: &Home, rules: &str) {
    let config = home.path("server/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let (before, rest) = toml.split_once("[retention]\n").unwrap();
    let (_, after) = rest.split_once("\n[sink]").unwrap();
    fs::write(
        &config,
        format!("{before}[retention]\n{rules}\n\n[sink]{after}"),
    )
    .unwrap();
}

#[tokio::test]
async fn the_command_shows_asks_and_removes_while_the_server_runs() {
    let home = Home::new();
    home.add_alice();
    let serving = home.serve().await;
    let mut chat = open(&home, &serving).await;
    say(&mut chat, 5).await;

    let none = failure(&home.run(&["messages", "prune"]));
    assert!(
        none.contains("--older-than TIME or --keep-last N"),
        "{none}"
    );
    let prune = ["messages", "prune", "--keep-last", "2"];
    let shown = success(&home.run(&[&prune[..], &["--dry-run"]].concat()));
    assert!(
        shown.contains("alice\tSHA256:") && shown.contains("\t1 to 3\t18 bytes"),
        "{shown}"
    );
    assert!(
        shown.contains("3 messages with 18 bytes would be removed."),
        "{shown}"
    );
    let unsure = failure(&home.run(&prune));
    assert!(unsure.contains("add --yes"), "{unsure}");
    let listed = success(&home.run(&["messages", "alice"]));
    assert_eq!(listed.lines().count(), 5, "neither removed anything");

    let removed = success(&home.run(&[&prune[..], &["--yes"]].concat()));
    assert!(
        removed.contains("Removed 3 messages with 18 bytes."),
        "{removed}"
    );
    let output = home.run(&["messages", "alice"]);
    let note = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(success(&output), "4\ttext 4\n5\ttext 5\n");
    assert!(
        note.contains("Messages 1 to 3") && note.contains("begins with 4"),
        "{note}"
    );

    // The session goes on, and so does the next one.
    chat.say_and_hear_back("text 6").await;
    chat.close().await;
    let chat = open(&home, &serving).await;
    assert_eq!(chat.last_message, 6);
    chat.close().await;
    let again = success(&home.run(&["messages", "prune", "--older-than", "1d", "--yes"]));
    assert_eq!(again, "No messages to remove.\n");
    ends(serving).await;
}

#[tokio::test]
async fn the_question_is_asked_at_a_terminal_and_only_yes_removes() {
    let home = Home::new();
    home.add_alice();
    let serving = home.serve().await;
    let mut chat = open(&home, &serving).await;
    say(&mut chat, 3).await;
    chat.close().await;
    ends(serving).await;
    for (answer, says, left) in [
        ("no", "nothing was removed", 3),
        ("yes", "Removed 2 messages", 1),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchstring-server"));
        command
            .args(["messages", "prune", "--keep-last", "1", "--dir", "server"])
            .current_dir(home.keep.path());
        let mut terminal = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
        terminal.exp_string("Remove 2 messages for ever?").unwrap();
        terminal.send_line(answer).unwrap();
        terminal.exp_string(says).unwrap();
        terminal.exp_eof().unwrap();
        let listed = success(&home.run(&["messages", "alice"]));
        assert_eq!(listed.lines().count(), left, "{answer}");
    }
}

#[tokio::test]
async fn the_server_removes_at_its_start_and_after_a_reload() {
    let home = Home::new();
    home.add_alice();
    let log = home.path("log");
    let serving = home.serve().await;
    let mut chat = open(&home, &serving).await;
    say(&mut chat, 6).await;
    chat.close().await;
    let log_of_first = ends(serving).await;
    assert!(
        !log_of_first.contains("old messages removed"),
        "without a rule all stay"
    );

    write_rules(&home, "max_messages = 4");
    let serving = home
        .serve_with(Stdio::from(fs::File::create(&log).unwrap()))
        .await;
    logged(&log, "\"messages\":2").await;
    let mut chat = open(&home, &serving).await;
    assert_eq!(chat.last_message, 6);
    chat.say_and_hear_back("text 7").await;
    write_rules(&home, "max_messages = 1\nkeep = \"1h\"");
    success(&home.run(&["reload"]));
    logged(&log, "max_messages 4 -> 1").await;
    logged(&log, "\"messages\":4").await;
    assert_eq!(success(&home.run(&["messages", "alice"])), "7\ttext 7\n");
    chat.say_and_hear_back("text 8").await;
    chat.close().await;
    // The rules of the file hold for the command, too.
    let removed = success(&home.run(&["messages", "prune", "--yes"]));
    assert!(removed.contains("Removed 1 messages"), "{removed}");
    serving.signal(Signal::SIGTERM);
    assert_eq!(serving.ended().await.0, Some(0));
    let store = Sqlite::open(&home.path("server/accounts.db"))
        .await
        .unwrap();
    let last = store.last_message_id(&name("alice"), &alice_kid()).await;
    assert_eq!(last.unwrap(), 8);
}

/// Makes the store one of an earlier version, whose file never gets shorter.
const OLD: &str = "
import sqlite3
store = sqlite3.connect('server/accounts.db')
for change in ['journal_mode = DELETE', 'auto_vacuum = NONE']:
    store.execute('PRAGMA ' + change).fetchall()
store.execute('VACUUM')
";

#[tokio::test]
async fn a_store_of_an_earlier_version_is_written_again_once_while_no_server_runs() {
    let home = Home::new();
    home.add_alice();
    let serving = home.serve().await;
    let mut chat = open(&home, &serving).await;
    for _ in 0..40 {
        chat.say_and_hear_back(&"x".repeat(16_000)).await;
    }
    chat.close().await;
    ends(serving).await;
    let mut python = Command::new("python3");
    let made = python.args(["-c", OLD]).current_dir(home.keep.path());
    assert!(made.status().unwrap().success());
    let store = home.path("server/accounts.db");
    let length = || fs::metadata(&store).unwrap().len();
    let full = length();

    let serving = home.serve().await;
    let prune = ["messages", "prune", "--keep-last", "1", "--yes"];
    let output = home.run(&prune);
    let note = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(success(&output).contains("Removed 39 messages"), "{note}");
    assert!(note.contains("stop the server once"), "{note}");
    assert!(length() >= full, "{} of {full}", length());
    ends(serving).await;
    let again = home.run(&prune);
    assert!(again.stderr.is_empty(), "{again:?}");
    assert_eq!(success(&again), "No messages to remove.\n");
    assert!(length() < full / 4, "{} of {full}", length());
    success(&home.run(&["check"]));
}

async fn logged(log: &std::path::Path, word: &str) {
    for _ in 0..1000 {
        if fs::read_to_string(log).unwrap().contains(word) {
            return;
        }
        sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no {word} in {}", fs::read_to_string(log).unwrap());
}
