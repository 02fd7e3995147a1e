//! The handouts as texts, and the `lab` commands with the wrong turns that people take.

#[path = "handouts/clone.rs"]
mod clone;

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use clone::{Clone, all_labs, answer, clone_setup, printed};
use latchstring_tests::{binary, workspace};

#[test]
fn the_readme_and_every_handout_begin_with_the_same_line() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let setup = clone_setup();
    assert!(readme.contains(&setup), "README.md does not say {setup}");
    for id in all_labs() {
        let handout = workspace().join("labs").join(id).join("README.md");
        let handout = fs::read_to_string(handout).unwrap();
        assert!(handout.contains(&setup), "{handout}");
        assert!(!handout.contains("alias "), "one way is enough");
    }
}

/// Commands of the README's first steps that other tests run: the whole matrix and a search take minutes in a build for
/// debugging, and the workbench wants a terminal.
const ELSEWHERE: [&str; 4] = [
    "cargo build",
    "latchstring matrix",
    "latchstring solve workbench",
    "latchstring solve seed",
];

#[test]
fn the_first_steps_of_the_readme_run_as_they_are_printed() {
    let clone = Clone::fresh();
    symlink(workspace().join("captures"), clone.top.join("captures")).unwrap();
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let steps = readme.split("\n## First steps\n").nth(1).unwrap();
    let steps = steps.split("\n## ").next().unwrap();
    let blocks = steps.split("```").skip(1).step_by(2);
    let lines = blocks.flat_map(|block| block.lines().skip(1));
    let run: Vec<String> = lines
        .filter(|line| !ELSEWHERE.iter().any(|begins| line.starts_with(begins)))
        .map(|line| line.replace("~/.local", "home/.local"))
        .collect();
    assert!(run.len() >= 7, "{run:#?}");
    let printed = printed(&clone.shell(&run));
    assert!(printed.contains("lab-work/01-say-the-name"), "{printed}");
    assert!(
        clone
            .top
            .join("home/.local/share/man/man1/latchstring.1")
            .is_file()
    );
}

// ------------------------------------------------------------------------------------------------------ wrong turns

/// Runs `latchstring lab` in a folder; what it printed, what it complained of, and its exit code.
fn lab(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(binary("latchstring"))
        .arg("lab")
        .args(arguments)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env_remove("LATCHSTRING_LABS")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        text(output.stdout),
        text(output.stderr),
        output.status.code(),
    )
}

#[test]
fn a_lab_is_found_from_everywhere_and_never_nests() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let (out, err, code) = lab(top, &["start", "1"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("lab-work/01-say-the-name"), "{out}");
    let one = top.join("lab-work/01-say-the-name");
    assert_eq!(
        lab(&one.join("public"), &["start", "two-time-pad"]).2,
        Some(0)
    );
    assert!(top.join("lab-work/04-two-time-pad/answers.toml").exists());
    for at in [
        top.to_owned(),
        one.clone(),
        one.join("public"),
        top.join("lab-work"),
    ] {
        assert!(!at.join("lab-work/01-say-the-name/lab-work").exists());
        let (out, err, code) = lab(&at, &["hint", "04"]);
        assert_eq!(code, Some(0), "{}: {err}", at.display());
        assert!(out.starts_with("Hint "), "{out}");
    }
    let (out, _, _) = lab(&one, &["hint"]);
    assert!(
        out.starts_with("Hint 1 of "),
        "the lab of this folder: {out}"
    );
    let (_, err, code) = lab(&one, &["start", "01"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("is started already") && err.contains("lab reset 01"),
        "{err}"
    );
    let (_, err, _) = lab(top, &["start", "say-my-name"]);
    assert!(err.contains("did you mean 01-say-the-name?"), "{err}");
}

#[test]
fn the_list_says_what_is_started_and_done_and_why_numbers_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    let (out, _, _) = lab(top, &["list"]);
    assert_eq!(
        out.matches("not started").count(),
        all_labs().len(),
        "{out}"
    );
    let last = all_labs().last().unwrap()[..2].parse::<usize>().unwrap();
    let gaps = all_labs().len() <= last;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words.contains("not written yet"), gaps, "{out}");
    assert!(out.contains("Next: latchstring lab start 00"), "{out}");
    lab(top, &["start", "00"]);
    answer(
        &top.join("lab-work/00-first-contact"),
        "faithful-in-clear",
        "a",
    );
    lab(top, &["check", "00"]);
    let (out, _, _) = lab(top, &["list"]);
    assert!(out.contains("started, 1 of 13"), "{out}");
    assert!(out.contains("Go on in lab-work/00-first-contact"), "{out}");
    let (json, _, _) = lab(top, &["list", "--json"]);
    let labs: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&labs[0]["points"], &labs[0]["done"]),
        (&1.into(), &false.into())
    );
    assert_eq!(labs[1]["started"], false);
}

#[test]
fn labs_are_listed_by_what_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let about = |id: &str| lab(folder.path(), &["list", "--about", id]);
    let (out, _, code) = about("login-replay");
    assert_eq!(code, Some(0));
    assert!(
        out.contains("Say it again") && !out.contains("Two-time pad"),
        "{out}"
    );
    let (out, _, code) = about("downgrade");
    assert_eq!(
        (out.as_str(), code),
        ("No lab is about downgrade.\n", Some(0))
    );
    let (_, err, code) = about("login-reply");
    assert_eq!(code, Some(1));
    assert!(err.contains("did you mean login-replay?"), "{err}");
}

#[test]
fn a_prediction_is_written_into_the_sheet_where_the_student_looks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    lab(folder.path(), &["start", "06"]);
    let (_, err, code) = lab(
        folder.path(),
        &["predict", "06", "--answer", "changed-order=b"],
    );
    assert_eq!(code, Some(0), "{err}");
    let sheet = folder.path().join("lab-work/06-turn-the-bits/answers.toml");
    let sheet = fs::read_to_string(sheet).unwrap();
    assert!(sheet.contains("changed-order = \"b\""), "{sheet}");
}

#[test]
fn a_damaged_state_repairs_itself_and_a_lost_one_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lab(top, &["start", "01"]);
    let work = top.join("lab-work/01-say-the-name");
    lab(&work, &["hint"]);
    let files = [".latchstring.json", ".latchstring.json.copy"].map(|name| work.join(name));
    fs::write(&files[0], "{ damaged").unwrap();
    assert!(lab(&work, &["hint"]).0.starts_with("Hint 2 of "));
    fs::remove_file(&files[0]).unwrap();
    assert!(lab(&work, &["hint"]).0.starts_with("Hint 3 of "));

    for file in &files {
        fs::write(file, "").unwrap();
    }
    for file in &files {
        let (_, err, code) = lab(&work, &["check"]);
        assert_eq!(code, Some(1));
        assert!(
            err.contains("latchstring lab reset 01-say-the-name"),
            "{err}"
        );
        assert!(lab(top, &["list"]).0.contains("state lost"));
        fs::remove_file(file).unwrap();
    }
    let (out, err, code) = lab(&work, &["reset", "--yes"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("backup-1"), "{out}");
    assert!(work.join("backup-1/answers.toml").exists());
    assert!(lab(&work, &["hint"]).0.starts_with("Hint 1 of "));
}

#[test]
fn the_program_needs_nothing_of_the_machine_that_built_it_and_names_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let program = folder.path().join("latchstring");
    fs::copy(binary("latchstring"), &program).unwrap();
    let built = workspace().display().to_string();
    let run = |arguments: &[&str]| {
        let output = Command::new(&program)
            .args(arguments)
            .current_dir(&elsewhere)
            .env_remove("LATCHSTRING_LABS")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(&built), "{arguments:?}: {text}");
        (text, output.status.code())
    };
    assert_eq!(run(&["lab", "list"]).1, Some(0));
    assert_eq!(run(&["lab", "start", "04"]).1, Some(0));
    // After the last of its hints a lab offers its solution.
    let hints = (0..10).map(|_| run(&["lab", "hint", "04"]).0);
    let offered = { hints }.any(|text| text.contains("lab hint 04 --solution"));
    assert!(offered, "no solution is offered");
    assert_eq!(run(&["lab", "hint", "04", "--solution"]).1, Some(0));
    assert!(
        elsewhere
            .join("lab-work/04-two-time-pad/solution/drag.py")
            .exists()
    );
    let (text, code) = run(&["lab", "check", "04"]);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn a_check_says_what_it_is_doing_and_never_falls_silent() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lab(top, &["start", "01"]);
    let work = top.join("lab-work/01-say-the-name");
    answer(&work, "who-gets-in", "a");
    let sheet = fs::read_to_string(work.join("answers.toml")).unwrap();
    fs::write(work.join("slow.py"), "import time\ntime.sleep(2.8)\n").unwrap();
    fs::write(
        work.join("answers.toml"),
        format!("run = [\"python3\", \"slow.py\"]\n{sheet}"),
    )
    .unwrap();
    let (out, err, code) = lab(&work, &["check"]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("running python3 slow.py on target 1 of 2, for at most 20"),
        "{err}"
    );
    assert!(err.contains("(1 s)") && err.contains("(2 s)"), "{err}");
    assert!(err.lines().all(|line| line.chars().count() <= 80), "{err}");
    assert!(!out.contains("still"), "the report is for itself: {out}");
    assert!(out.contains("nobody connected"), "{out}");
}

#[test]
fn a_check_that_is_ended_from_outside_leaves_no_program_behind() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    lab(top, &["start", "01"]);
    let work = top.join("lab-work/01-say-the-name");
    answer(&work, "who-gets-in", "a");
    let endless = format!("endless-{}.py", std::process::id());
    fs::write(work.join(&endless), "while True: pass\n").unwrap();
    let sheet = fs::read_to_string(work.join("answers.toml")).unwrap();
    let run = format!("run = [\"python3\", \"{endless}\"]\n{sheet}");
    fs::write(work.join("answers.toml"), run).unwrap();
    for signal in ["-TERM", "-HUP", "-INT"] {
        let mut check = Command::new(binary("latchstring"))
            .args(["lab", "check"])
            .current_dir(&work)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = soon(|| process_of(&["python3", &endless]));
        let to = check.id().to_string();
        let sent = Command::new("kill").args([signal, &to]).status().unwrap();
        assert!(sent.success());
        assert_eq!(check.wait().unwrap().code(), Some(1), "{signal}");
        soon(|| gone(&pid).then_some(()));
    }
}

/// Waits for something that comes soon, also on a busy machine.
fn soon<T>(what: impl Fn() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(there) = what() {
            return there;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it has not come for 20 seconds");
}

/// The number of the process that has these words in its command line.
fn process_of(words: &[&str]) -> Option<String> {
    let words = words.join("\0");
    let mut processes = fs::read_dir("/proc").unwrap().flatten();
    let process = processes.find(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.windows(words.len())
            .any(|part| part == words.as_bytes())
    });
    process.map(|process| process.file_name().to_string_lossy().into_owned())
}

/// Whether a process has ended, even if nobody has asked how.
fn gone(pid: &str) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(ps.unwrap().stdout).unwrap();
    state.trim().is_empty() || state.starts_with('Z')
}
