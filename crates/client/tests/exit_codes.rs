//! The exit codes have one table: the help and the operator's page say the same.

use std::{collections::BTreeMap, fs, process::Command};

/// The rows `| CODE | MEANING |` of a page.
fn rows(page: &str) -> BTreeMap<u8, String> {
    let cells = page.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        cells.split_once(" | ")
    });
    let codes = cells.filter_map(|(code, meaning)| Some((code.parse().ok()?, meaning.to_owned())));
    codes.collect()
}

/// The lines `  CODE  MEANING` of a help text.
fn in_help(help: &str) -> BTreeMap<u8, String> {
    let list = help
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1);
    let lines = list.take_while(|line| !line.is_empty());
    let codes = lines.filter_map(|line| {
        let (code, meaning) = line.trim_start().split_once("  ")?;
        Some((code.parse().ok()?, meaning.to_owned()))
    });
    codes.collect()
}

#[test]
fn the_help_and_the_page_have_the_same_table() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/operating.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("### Exit codes of the client\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_latchstring-client"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let said = in_help(&help);
    assert_eq!(said.len(), 8, "{help}");
    assert_eq!(said, rows(section));
}

#[test]
fn a_table_that_says_something_else_is_found() {
    let page = "| code | what |\n| --- | --- |\n| 0 | done |\n| 7 | gone |\n";
    let help = "Exit codes:\n  0  done\n  7  elsewhere\n\nExamples:\n  8  no\n";
    assert_eq!(rows(page).len(), 2);
    assert_eq!(in_help(help).len(), 2);
    assert_ne!(rows(page), in_help(help));
}
