//! The workbench as a person uses it, over a pseudo-terminal: the screen is read, keys are typed, files are looked at.

use std::{fs, path::Path, process::Command};

use latchstring_tests::{binary, terminal::Terminal, workspace};

/// The first two end in what no language model can guess, and only they are that long.
const TEXTS: [&str; 6] = [
    "please meet me at the station, the code is xq7zvk",
    "i have lost the paper with my new password wj4pbn",
    "the train leaves at nine in the morning",
    "do not tell anybody about the money",
    "we will talk about it when you are here",
    "can you send me the address of the hotel",
];

const ENTER: &str = "\r";
const ESCAPE: &str = "\u{1b}";
const DOWN: &str = "\u{1b}[B";
const END: &str = "\u{1b}[F";
const CONTROL_C: &str = "\u{3}";

/// The texts under one keystream, one a line in hexadecimal.
fn intercepted(folder: &Path) -> String {
    let key = |at: usize| (at * at * 31 + at * 167 + 0x5c) as u8 ^ (at >> 3) as u8;
    let line = |text: &&str| {
        let bytes = text.bytes().enumerate();
        bytes
            .map(|(at, byte)| format!("{:02x}", byte ^ key(at)))
            .collect()
    };
    let lines: Vec<String> = TEXTS.iter().map(line).collect();
    let file = folder.join("intercepted.hex");
    fs::write(&file, lines.join("\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

fn workbench(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("latchstring"));
    command
        .args(["solve", "workbench"])
        .args(arguments)
        .current_dir(workspace())
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR");
    command
}

fn open(arguments: &[&str]) -> Terminal {
    let mut terminal = Terminal::start(workbench(arguments), 30, 100);
    terminal.see("[solved in");
    terminal
}

/// The text of a message as it is on the screen, counted from 1.
fn message(terminal: &Terminal, number: usize) -> String {
    let lines = terminal.lines();
    lines[1 + number].chars().skip(7).collect()
}

#[test]
fn a_crib_is_dragged_and_pinned_and_another_message_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = open(&["--language", "english", &intercepted(folder.path())]);
    terminal.see("the train leaves at nine in the morning");
    assert_ne!(message(&terminal, 2), TEXTS[1], "nobody can guess this");
    terminal.keys("c");
    terminal.see("type a word");
    terminal.keys("the code is xq7zvk");
    terminal.see("> ");
    terminal.see("message 1, byte 31:  2|ew password wj4pbn|");
    assert_eq!(message(&terminal, 2), TEXTS[1], "the preview");
    terminal.keys(ENTER);
    terminal.see("pinned \"the code is xq7zvk\" on message 1, byte 31");
    terminal.see("[solved in");
    assert_eq!(message(&terminal, 2), TEXTS[1]);
    println!("{}", terminal.lines().join("\n"));
    terminal.keys("qn");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn a_contradiction_is_refused_and_what_is_saved_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = intercepted(folder.path());
    let mut terminal = open(&[&file]);
    terminal.keys("?");
    terminal.see("drag a crib: type a word, see where it fits");
    terminal.keys(ESCAPE);
    terminal.wait("messages", |terminal| !terminal.shows("drag a crib"));

    terminal.keys("i");
    terminal.see("text: ");
    terminal.keys("please");
    terminal.keys(ENTER);
    terminal.see("pinned \"please\" on message 1, byte 0");
    terminal.keys(DOWN);
    terminal.see("message 2 of 6, byte 0 of 49");
    terminal.keys("i");
    terminal.see("text: ");
    terminal.keys("the");
    terminal.keys(ENTER);
    terminal.see("refused: keystream byte 0 is known as");
    terminal.keys(ESCAPE);
    terminal.see("message 2 of 6, byte 0 of 49");
    terminal.see("1 pins, not saved");

    terminal.keys("nthe password");
    terminal.keys(ENTER);
    terminal.see("note: the password");
    terminal.keys("u");
    terminal.see("undone");
    assert!(!terminal.shows("note: the password"));
    terminal.keys("r");
    terminal.see("note: the password");

    terminal.keys("q");
    terminal.see("changes that are not saved");
    terminal.keys("y");
    assert_eq!(terminal.end(), 0);
    let work = fs::read_to_string(format!("{file}.workbench.toml")).unwrap();
    println!("{work}");
    assert!(work.contains("text = \"please\"") && work.contains("text = \"the password\""));

    let mut again = open(&[&file]);
    again.see("loaded 1 pins and 1 notes");
    again.see("1 pins");
    again.see("    2* ");
    let pinned = again.screen().cell(2, 7).unwrap();
    assert!(pinned.bold() && pinned.underline(), "{:?}", pinned);
    again.keys(CONTROL_C);
    assert_eq!(again.end(), 0);
    assert!(
        !again.screen().alternate_screen(),
        "the terminal is given back"
    );
}
