//! The programs in Rust that labs hand out.

use std::{env, process::Command};

use super::*;

/// The folders of all programs in Rust that a student begins with.
fn starts() -> Vec<PathBuf> {
    let labs = fs::read_dir(workspace().join("labs")).unwrap();
    let starts = labs.map(|lab| lab.unwrap().path().join("start/rust"));
    let mut starts: Vec<PathBuf> = starts.filter(|start| start.is_dir()).collect();
    starts.sort();
    assert!(starts.len() > 1, "{starts:?}");
    starts
}

/// Copies the files below a folder over those of another.
fn lay_over(from: &Path, to: &Path) {
    for (name, bytes) in contents(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// What the compiler says of a program that is laid out from these parts; nothing if it is content.
///
/// Programs that share a target folder share what they depend on. Cargo tells two programs with one name apart by the times
/// of their files alone, so only programs that are laid out one after the other may share one.
fn complaints(target: &Path, parts: &[&Path]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for part in parts {
        lay_over(part, folder.path());
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["check", "--quiet", "--offline", "--target-dir"]);
    let cargo = cargo.arg(target).current_dir(folder.path());
    let output = cargo.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() || !said.is_empty(), "cargo failed");
    said
}

#[test]
fn the_compiler_warns_of_no_program_before_and_after_it_is_finished() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("labs");
    // tests/climb.rs builds the peer of lab 15, which depends on much.
    let lab_15 = Path::new("15-mend-it/start/rust");
    for start in starts().iter().filter(|start| !start.ends_with(lab_15)) {
        let solution = start.ancestors().nth(2).unwrap().join("solution/rust");
        for parts in [&[&**start][..], &[start, &solution]] {
            let said = complaints(&target, parts);
            let program = parts.last().unwrap().display();
            assert!(said.is_empty(), "{program}:\n{said}");
        }
    }
}

#[test]
fn a_warning_of_the_compiler_is_found() {
    let start = starts().swap_remove(0);
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("src")).unwrap();
    let program = "fn main() { let unused = 1; }";
    fs::write(other.path().join("src/main.rs"), program).unwrap();
    let target = tempfile::tempdir().unwrap();
    let said = complaints(target.path(), &[&start, other.path()]);
    assert!(said.contains("unused variable"), "{said}");
}
