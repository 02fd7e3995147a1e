//! What the tests of several crates share.

pub mod peers;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The root of the repository.
///
/// # Panics
/// Never: this package is a folder in it.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package is a folder of the workspace")
}

/// What cargo prints for these arguments, in this workspace.
///
/// # Panics
/// When it fails; with what it says.
pub fn cargo(arguments: &[&str]) -> String {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// A program of this workspace, which lies beside the running test.
///
/// # Panics
/// When it has not been built.
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows where it is");
    let path = test.ancestors().nth(2).map(|dir| dir.join(name));
    path.filter(|path| path.exists()).unwrap_or_else(|| {
        panic!("{name} is not built: run `cargo build --workspace`, or test the whole workspace")
    })
}

/// A command that runs a Python peer from `tests/peers`: with `$LATCHSTRING_PEERS_PYTHON`, or the Python of
/// `target/peers-venv`, or `python3`.
///
/// # Panics
/// When that Python cannot import `module`. A package that is missing is a failure and not a reason to pass.
pub fn python(peer: &str, module: &str) -> Command {
    let venv = workspace().join("target/peers-venv/bin/python");
    let python = match env::var_os("LATCHSTRING_PEERS_PYTHON") {
        Some(python) => python,
        None if venv.exists() => venv.into(),
        None => "python3".into(),
    };
    let import = format!("import {module}");
    let check = Command::new(&python).args(["-c", &import]).output();
    assert!(
        check.is_ok_and(|output| output.status.success()),
        "{python:?} lacks `{module}`, which tests/peers/{peer} needs. Install it with\n  \
         python3 -m venv target/peers-venv && target/peers-venv/bin/pip install -r tests/peers/requirements.txt\n\
         or name another Python in LATCHSTRING_PEERS_PYTHON."
    );
    let mut command = Command::new(python);
    command.arg(workspace().join("tests/peers").join(peer));
    command
}

/// Presses Ctrl-C for a process, as soon as it listens for that: before, it would just die.
///
/// # Panics
/// When it does not listen within ten seconds.
pub fn interrupt(process: u32) {
    // What Linux says that a process catches, as a number whose second bit is SIGINT.
    let catches = |status: String| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))?;
        Some(u64::from_str_radix(line.trim(), 16).ok()? & 2 != 0)
    };
    for _ in 0..10_000 {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"));
        if status.ok().and_then(catches) == Some(true) {
            let process = Pid::from_raw(process.try_into().expect("Linux counts to 2^22"));
            return kill(process, Signal::SIGINT).expect("it runs");
        }
        sleep(Duration::from_millis(1));
    }
    panic!("process {process} never listened for Ctrl-C");
}

/// The words that the glossary of the book lists under "Not": private names of things that have a name.
///
/// # Panics
/// When the book has no glossary.
pub fn rejected_words() -> BTreeSet<String> {
    let glossary = fs::read_to_string(workspace().join("docs/src/glossary.md"));
    let glossary = glossary.expect("the book has a glossary");
    let lists = glossary.split("Not: ").skip(1);
    let lists = lists.filter_map(|rest| rest.split_once('.'));
    lists.flat_map(|(list, _)| words_of(list)).collect()
}

/// The words of a text, in lower case.
pub fn words_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Copies a folder with all that is in it.
///
/// # Panics
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}
