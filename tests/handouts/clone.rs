//! A clone as a student has it, and the commands of a handout in its shell.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use latchstring_tests::{binary, workspace};
use tempfile::TempDir;

/// What a fresh clone looks like once `cargo build --release` has run: programs, and nothing of a student. Its name has a
/// space in it, as the name of a student's folder may have.
pub(crate) struct Clone {
    pub(crate) top: PathBuf,
    pub _folder: TempDir,
}

impl Clone {
    pub(crate) fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("my clone");
        let programs = top.join("target/release");
        fs::create_dir_all(&programs).unwrap();
        for program in [
            "latchstring",
            "latchstring-attack",
            "latchstring-server",
            "latchstring-client",
        ] {
            symlink(binary(program), programs.join(program)).unwrap();
        }
        Self {
            top,
            _folder: folder,
        }
    }

    /// A handout as it is in the repository.
    pub(crate) fn handout(id: &str) -> Vec<String> {
        let path = workspace().join("labs").join(id).join("README.md");
        commands(&fs::read_to_string(path).unwrap())
    }

    /// Runs lines in one shell, from the top folder, and gives what they print.
    pub(crate) fn shell(&self, lines: &[String]) -> Output {
        Command::new("bash")
            .args(["-e", "-c", &lines.join("\n")])
            .current_dir(&self.top)
            .env_remove("COLUMNS")
            .env("NO_COLOR", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

/// The commands of a handout, in their order: what is indented as code up to the end of the steps.
pub(crate) fn commands(handout: &str) -> Vec<String> {
    let steps = handout
        .split("\n## Steps\n")
        .nth(1)
        .expect("a handout has steps");
    let steps = steps.split("\n## ").next().unwrap();
    let programs = ["export", "latchstring", "cd", "python3", "ls"];
    let commands = steps.lines().filter_map(|line| {
        let command = line.trim_start();
        let indented = line.len() - command.len() >= 4;
        let first = command.split(' ').next().unwrap_or_default();
        (indented && programs.contains(&first)).then(|| command.to_owned())
    });
    commands.collect()
}

pub(crate) fn printed(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Writes an answer into the sheet of a student.
pub(crate) fn answer(folder: &Path, question: &str, answer: &str) {
    let path = folder.join("answers.toml");
    let sheet = fs::read_to_string(&path).unwrap();
    let empty = format!("{question} = \"\"");
    assert!(sheet.contains(&empty), "{question} is not asked in {sheet}");
    fs::write(
        path,
        sheet.replace(&empty, &format!("{question} = {answer:?}")),
    )
    .unwrap();
}

/// The line with which each terminal begins, the same in every handout and in the README.
pub(crate) fn clone_setup() -> String {
    let commands = Clone::handout("01-say-the-name");
    commands[at(&commands, "export")].clone()
}

/// The ids of all labs.
pub(crate) fn all_labs() -> Vec<String> {
    let folders = fs::read_dir(workspace().join("labs")).unwrap();
    let mut ids: Vec<String> = folders
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("lab.toml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    ids.sort();
    ids
}

/// The index of the first command that begins so.
pub(crate) fn at(commands: &[String], begins: &str) -> usize {
    let found = commands
        .iter()
        .position(|command| command.starts_with(begins));
    found.unwrap_or_else(|| panic!("no command begins with {begins}: {commands:#?}"))
}
