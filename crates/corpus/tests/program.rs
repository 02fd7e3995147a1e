//! The program as its user meets it, without the texts, which would have to be fetched.

use std::process::Command;

fn corpus(arguments: &[&str]) -> (String, Option<i32>) {
    let program = env!("CARGO_BIN_EXE_latchstring-corpus");
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

#[test]
fn a_language_that_there_is_no_model_of_is_refused_with_those_that_there_are() {
    let (text, code) = corpus(&["--language", "klingon", "--check"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("english") && text.contains("italian"),
        "{text}"
    );
}

#[test]
fn peers_are_measured_only_where_something_is_measured() {
    let (text, code) = corpus(&["--peers"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("--measure"), "{text}");
}
