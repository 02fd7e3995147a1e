//! The programs in Rust that labs hand out: the compiler has nothing to say about them, as they are begun and as they are
//! finished.
//!
//! Each of them is compiled, which takes a minute. So the everyday run leaves it out:
//!
//! ```sh
//! cargo test --workspace --test lab_programs
//! ```

use std::{env, fs, path::Path, process::Command};

use latchstring_classroom::{catalogue::Lab, labs};

/// The labs whose programs are begun in Rust.
fn labs_in_rust() -> Vec<Lab> {
    let has_rust = |lab: &Lab| lab.languages.iter().any(|language| language.id == "rust");
    let labs = labs::built_in().unwrap().into_iter();
    // tests/climb.rs builds the peer of lab 15, which depends on much.
    let labs = labs.filter(|lab| has_rust(lab) && lab.number() != "15");
    let labs: Vec<Lab> = labs.collect();
    assert!(labs.len() > 1, "{labs:?}");
    labs
}

/// Lays out a part of a lab, as a student has it who begins in Rust.
fn lay_out(lab: &Lab, part: &str, folder: &Path) {
    let rust = lab.language(Some("rust")).unwrap();
    lab.lay_out(part, rust, folder).unwrap();
}

/// What the compiler says of a program; nothing if it is content.
///
/// Programs that share a target folder share what they depend on. Cargo tells two programs with one name apart by the times
/// of their files alone, so only programs that are laid out one after the other may share one.
fn complaints(target: &Path, folder: &Path) -> String {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["check", "--quiet", "--offline", "--target-dir"]);
    let cargo = cargo.arg(target).current_dir(folder);
    let output = cargo.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() || !said.is_empty(), "cargo failed");
    said
}

#[test]
fn the_compiler_warns_of_no_peer_before_and_after_it_is_mended() {
    // All peers have the same dependencies.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    let mut peers = 0;
    for lab in labs_in_rust() {
        let rust = lab.language(Some("rust")).unwrap().unwrap();
        let Some(peer) = &rust.peer else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        for part in ["start", "solution"] {
            lay_out(&lab, part, folder.path());
            let said = complaints(&target, &folder.path().join(&peer.folder));
            assert!(said.is_empty(), "{}, {part}:\n{said}", lab.id);
        }
        peers += 1;
    }
    assert!(peers >= 12, "{peers}");
}

#[test]
fn the_compiler_warns_of_no_program_before_and_after_it_is_finished() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("labs");
    for lab in labs_in_rust() {
        for parts in [&["start"][..], &["start", "solution"]] {
            let folder = tempfile::tempdir().unwrap();
            for part in parts {
                lay_out(&lab, part, folder.path());
            }
            let said = complaints(&target, folder.path());
            assert!(said.is_empty(), "{}, {parts:?}:\n{said}", lab.id);
        }
    }
}

#[test]
fn a_warning_of_the_compiler_is_found() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lay_out(&labs_in_rust()[0], "start", folder.path());
    let program = "fn main() { let unused = 1; }";
    fs::write(folder.path().join("src/main.rs"), program).unwrap();
    let said = complaints(target.path(), folder.path());
    assert!(said.contains("unused variable"), "{said}");
}
