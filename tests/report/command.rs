//! `latchstring course report`.

use std::{fs, path::Path, process::Command};

use latchstring_course::report::page;
use latchstring_tests::binary;

use crate::class;

/// Runs the command in a folder. Gives whether it went well, and all that it printed, in one line.
fn report(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(binary("latchstring"))
        .args([&["course", "report"], arguments].concat())
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    let words: Vec<&str> = said.split_whitespace().collect();
    (output.status.success(), words.join(" "))
}

#[test]
fn the_command_writes_the_page_and_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let grades = class::class(3, 2);
    fs::write(folder.path().join("grades.json"), grades.to_json()).unwrap();
    let (well, said) = report(folder.path(), &[]);
    assert!(
        well && said.starts_with("report.html shows 3 students and 2 labs."),
        "{said}"
    );
    let written = |name: &str| fs::read_to_string(folder.path().join(name));
    assert_eq!(written("report.html").unwrap(), page(&grades));
    assert!(written("students.csv").is_err());
    let (well, said) = report(folder.path(), &["--out", "two.html", "--csv", "new/tables"]);
    assert!(
        well && said.contains("students.csv, checks.csv, labs.csv"),
        "{said}"
    );
    assert_eq!(written("two.html").unwrap(), page(&grades));
    assert!(
        written("new/tables/labs.csv")
            .unwrap()
            .starts_with("\u{feff}lab,handed in")
    );
}

#[test]
fn what_cannot_be_read_or_would_be_lost_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (well, said) = report(folder.path(), &[]);
    assert!(
        !well && said.contains("cannot read the grades ./grades.json"),
        "{said}"
    );
    // What is damaged is made anew; what a newer program wrote is not.
    for (text, why) in [
        ("{}", "grades.json is damaged"),
        ("{\"format\": 2}", "grades.json cannot be used"),
    ] {
        fs::write(folder.path().join("grades.json"), text).unwrap();
        let (well, said) = report(folder.path(), &[]);
        assert!(!well && said.contains(why), "{said}");
    }
    let grades = class::class(1, 1).to_json();
    fs::write(folder.path().join("grades.json"), &grades).unwrap();
    let (well, said) = report(folder.path(), &["--out", "./grades.json"]);
    assert!(
        !well && said.contains("name another file with --out"),
        "{said}"
    );
    let kept = fs::read_to_string(folder.path().join("grades.json")).unwrap();
    assert_eq!(kept, grades);
}
