//! `latchstring compare`, as a student calls it.

use std::process::Command;

fn compare(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_latchstring"))
        .arg("compare")
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text)
}

#[test]
fn the_missing_step_is_named_and_no_line_is_wider_than_the_terminal() {
    let (ended_well, text) = compare(&["record"]);
    assert!(ended_well);
    assert!(text.contains("missing in the faithful protocol"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn equal_lines_can_be_left_out_and_colours_asked_for() {
    let (_, all) = compare(&["handshake"]);
    let (ended_well, fewer) = compare(&["handshake", "--differences"]);
    assert!(ended_well);
    assert!(fewer.lines().count() < all.lines().count());
    let (_, coloured) = compare(&["message", "--color", "always"]);
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn a_part_that_does_not_exist_is_wrong_usage() {
    let (ended_well, text) = compare(&["handshakes"]);
    assert!(!ended_well && text.is_empty());
}
