//! A grading machine that lacks something takes no points: what needs it is not graded, and a complete machine fills it in.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use latchstring_course::{
    grades::{Grades, LabResult},
    points::Points,
};
use latchstring_tests::{binary, workspace};

use crate::class::{Class, one_line, remarks, result, run, solve, submit};

/// Its attack needs Python, and its server a package, too.
const MEND: &str = "01-say-the-name";
/// It needs the server's programs.
const DEPLOY: &str = "16-deploy-it";
/// Its programs in Rust need no package.
const RUST: &str = "09-cycling-through-keys";

/// A machine: the program, and where its tools are.
struct Machine {
    program: PathBuf,
    path: String,
}

impl Machine {
    /// With these tools alone.
    fn with(path: &Path) -> Self {
        Self {
            program: binary("latchstring"),
            path: path.display().to_string(),
        }
    }

    fn run(&self, class: &Class, arguments: &[&str]) -> Output {
        Command::new(&self.program)
            .args(arguments)
            .current_dir(class.path("."))
            .env("PATH", &self.path)
            .output()
            .unwrap()
    }
}

/// One student who has solved this lab, checked it, and handed it in.
fn handed_in(lab: &str) -> Class {
    let class = Class::new(1, &[lab]);
    let folder = class.hand_out()["student1"].join(lab);
    solve(&folder, lab);
    // The journal says that all has passed.
    run(&folder, &["lab", "check"]);
    fs::create_dir(class.path("in")).unwrap();
    fs::write(class.path("in/1.zip"), submit(&folder)).unwrap();
    class
}

/// A folder whose `python3` finds no packages.
fn bare_python(class: &Class) -> PathBuf {
    let found = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    let python = String::from_utf8(found.stdout).unwrap();
    let folder = class.path("bare");
    fs::create_dir_all(&folder).unwrap();
    let script = folder.join("python3");
    let text = format!("#!/bin/sh\nexec {} -S \"$@\"\n", python.trim());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Takes the first option of each prediction: without them nothing is run.
fn predict(folder: &Path) {
    let sheet = fs::read_to_string(folder.join("answers.toml")).unwrap();
    let mut inside = false;
    let lines = sheet.lines().map(|line| {
        if line.starts_with('[') {
            inside = line == "[predict]";
        }
        match inside {
            true => line.replace("= \"\"", "= \"a\""),
            false => line.to_owned(),
        }
    });
    let sheet: Vec<String> = lines.collect();
    fs::write(folder.join("answers.toml"), sheet.join("\n")).unwrap();
}

fn grades(class: &Class) -> Grades {
    let text = fs::read_to_string(class.path("grades.json")).unwrap();
    Grades::from_json(&text).unwrap()
}

/// The ids of the parts that were not graded. They have no points and no verdict.
fn open(result: &LabResult) -> Vec<&str> {
    let open = result.not_graded().inspect(|item| {
        assert!(!item.passed && item.points == Points::default(), "{item:?}");
    });
    open.map(|item| item.id.as_str()).collect()
}

fn errors(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_package_that_is_missing_takes_no_points_and_a_complete_machine_fills_them_in() {
    let class = handed_in(MEND);
    let bare = Machine::with(&bare_python(&class));
    let output = bare.run(&class, &["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    for sentence in [
        "This machine lacks something.",
        "python3 lacks cryptography==",
        "No module named 'cryptography'. Needed by 1 submission of 01-say-the-name.",
        "python3 -m pip install cryptography==",
        "2 parts were not graded, in 1 result.",
    ] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    let graded = grades(&class);
    let without = result(&graded, "student1", MEND);
    assert_eq!(open(without), ["serves", "holds"]);
    // The attack needs no package.
    let attack = without.items.iter().find(|item| item.id == "admitted");
    assert!(attack.unwrap().passed, "{without:?}");
    assert_eq!(remarks(without), "", "no word about the student");
    nothing_is_exported_as_a_zero(&class);
    gradescope_gets_no_file(&class, &bare);

    let output = class.run(&["course", "regrade", "in"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let graded = grades(&class);
    let whole = result(&graded, "student1", MEND);
    assert!(whole.is_complete() && whole.passed(), "{whole:?}");
    assert_eq!(whole.points(), whole.of());

    // And back on the bare machine nothing is lost.
    let output = bare.run(&class, &["course", "regrade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    assert!(said.contains("the result of before stays"), "{said}");
    assert_eq!(grades(&class).students(), graded.students());
    let output = bare.run(&class, &["course", "grade", "in"]);
    assert!(!output.status.success());
    assert!(errors(&output).contains("would be lost"), "{output:?}");
}

/// Each format leaves the result out, and says so.
fn nothing_is_exported_as_a_zero(class: &Class) {
    for format in ["moodle", "canvas"] {
        let output = class.run(&["course", "export", format]);
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        let row = table.lines().find(|line| line.contains("student1"));
        let row = row.unwrap();
        let cells: Vec<&str> = row.split(',').collect();
        let cell = match format {
            "moodle" => cells[2],
            _ => cells[cells.len() - 1],
        };
        let empty = if format == "moodle" { "-" } else { "" };
        assert_eq!(cell, empty, "{table}");
        let note = "student1 has no grade in 01-say-the-name: 2 of its parts were not graded";
        assert!(errors(&output).contains(note), "{output:?}");
    }
    for format in ["gradescope", "autolab", "prairielearn"] {
        let output = class.run(&["course", "export", format, "--student", "student1"]);
        assert!(!output.status.success() && output.stdout.is_empty());
        let said = errors(&output);
        assert!(said.contains("So there is no grade to write"), "{said}");
    }
    let junit = class.run(&["course", "export", "junit"]);
    let junit = String::from_utf8_lossy(&junit.stdout).into_owned();
    assert!(
        junit.contains("failures=\"0\" errors=\"0\" skipped=\"2\""),
        "{junit}"
    );
    class.runs(&["course", "report", "--csv", "tables"]);
    let page = fs::read_to_string(class.path("report.html")).unwrap();
    assert!(page.contains("Parts that were not tried (2)"), "{page}");
    let tables = |name: &str| fs::read_to_string(class.path("tables").join(name)).unwrap();
    assert!(tables("not-graded.csv").contains("student1,01-say-the-name,serves,"));
    // Neither the lab nor the total is known: both cells are empty.
    assert!(
        tables("students.csv").contains("student1,,,,12") || tables("students.csv").contains(",,,"),
        "{}",
        tables("students.csv")
    );
}

/// Gradescope takes a missing file for a broken grader, and gives no points: not even 0.
fn gradescope_gets_no_file(class: &Class, bare: &Machine) {
    let metadata = r#"{"created_at": "2026-11-20T10:00:00.000000-08:00", "users": [{"email": "student1@uni.example"}]}"#;
    fs::write(class.path("metadata.json"), metadata).unwrap();
    let arguments = [
        "course",
        "grade",
        "in",
        "--gradescope",
        "metadata.json",
        "--out",
        "results.json",
    ];
    let output = bare.run(class, &arguments);
    assert!(!output.status.success() && !class.path("results.json").exists());
    assert!(errors(&output).contains("was not graded"), "{output:?}");
    class.runs(&arguments);
    assert!(class.path("results.json").exists());
}

#[test]
fn without_python_only_what_needs_no_program_is_graded() {
    let class = handed_in(MEND);
    fs::create_dir(class.path("empty")).unwrap();
    let empty = Machine::with(&class.path("empty"));
    let output = empty.run(&class, &["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    assert!(said.contains("python3 is not installed"), "{said}");
    assert!(
        !said.contains("lacks cryptography"),
        "once is enough: {said}"
    );
    let graded = grades(&class);
    let without = result(&graded, "student1", MEND);
    assert_eq!(open(without), ["admitted", "words", "serves", "holds"]);
    assert!(
        without.items.iter().any(|item| item.passed),
        "the prediction"
    );
}

#[test]
fn a_wrong_program_loses_its_points_on_the_bare_machine_too() {
    let class = Class::new(1, &[MEND]);
    let folder = class.hand_out()["student1"].join(MEND);
    fs::create_dir(class.path("in")).unwrap();
    predict(&folder);
    let sheet = fs::read_to_string(folder.join("answers.toml")).unwrap();
    // A name that is a slip is no program that a machine could have.
    fs::write(
        folder.join("answers.toml"),
        format!("run = [\"phyton3\", \"attack.py\"]\n{sheet}"),
    )
    .unwrap();
    fs::write(class.path("in/1.zip"), submit(&folder)).unwrap();
    let bare = Machine::with(&bare_python(&class));
    let output = bare.run(&class, &["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let graded = grades(&class);
    let without = result(&graded, "student1", MEND);
    assert_eq!(open(without), ["serves", "holds"]);
    let said = one_line(&output);
    assert!(!said.contains("phyton3 is not installed"), "{said}");
    let failed = without
        .items
        .iter()
        .find(|item| item.id == "admitted")
        .unwrap();
    assert!(
        failed.message.contains("phyton3 is not installed"),
        "{failed:?}"
    );
}

#[test]
fn the_servers_programs_are_looked_for_beside_the_program() {
    let class = handed_in(DEPLOY);
    let alone = class.path("alone");
    fs::create_dir(&alone).unwrap();
    fs::copy(binary("latchstring"), alone.join("latchstring")).unwrap();
    let machine = Machine {
        program: alone.join("latchstring"),
        path: env::var("PATH").unwrap(),
    };
    let output = machine.run(&class, &["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    assert!(said.contains("latchstring-server is not there"), "{said}");
    let graded = grades(&class);
    let without = result(&graded, "student1", DEPLOY);
    assert!(
        !open(without).is_empty()
            && without
                .items
                .iter()
                .all(|item| item.passed || item.not_graded)
    );
    let output = class.run(&["course", "regrade", "in"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(result(&grades(&class), "student1", DEPLOY).passed());
}

#[test]
fn a_program_in_rust_needs_cargo() {
    let class = Class::new(1, &[RUST]);
    class.terms("# language = \"rust\"", "language = \"rust\"");
    let folder = class.hand_out()["student1"].join(RUST);
    let solution = workspace()
        .join("labs")
        .join(RUST)
        .join("solution/rust/src/main.rs");
    fs::copy(solution, folder.join("src/main.rs")).unwrap();
    fs::create_dir(class.path("in")).unwrap();
    let python = class.path("python");
    fs::create_dir(&python).unwrap();
    let found = env::split_paths(&env::var_os("PATH").unwrap())
        .map(|folder| folder.join("python3"))
        .find(|path| path.is_file());
    let text = format!("#!/bin/sh\nexec {} \"$@\"\n", found.unwrap().display());
    fs::write(python.join("python3"), text).unwrap();
    fs::set_permissions(python.join("python3"), fs::Permissions::from_mode(0o755)).unwrap();
    predict(&folder);
    fs::write(class.path("in/1.zip"), submit(&folder)).unwrap();
    let output = Machine::with(&python).run(&class, &["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    assert!(said.contains("cargo is not installed"), "{said}");
    let graded = grades(&class);
    let without = open(result(&graded, "student1", RUST)).len();
    assert!(without > 0, "{graded:?}");
    let output = class.run(&["course", "regrade", "in"]);
    let said = one_line(&output);
    assert!(!said.contains("not graded"), "{said}");
    let graded = grades(&class);
    let whole = result(&graded, "student1", RUST);
    let run = whole
        .items
        .iter()
        .filter(|item| item.message == "so it was in every run");
    assert!(run.count() > 0, "{whole:?}");
}

#[test]
fn a_program_that_a_busy_machine_has_stopped_runs_once_more_when_it_is_quiet() {
    const LAB: &str = "08-in-the-middle";
    let class = Class::new(1, &[LAB]);
    let folder = class.hand_out()["student1"].join(LAB);
    solve(&folder, LAB);
    fs::create_dir(class.path("in")).unwrap();
    let program = folder.join("rogue.py");
    let text = fs::read_to_string(&program).unwrap();
    // For a few seconds it is as slow as on a busy machine.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let until = now.unwrap().as_secs() + 6;
    let busy = format!("import time\nif time.time() < {until}:\n    time.sleep(60)\n");
    fs::write(&program, busy + &text).unwrap();
    fs::write(class.path("in/1.zip"), submit(&folder)).unwrap();
    let (graded, said) = class.grade();
    let whole = result(&graded, "student1", LAB);
    assert!(whole.passed(), "{said} {whole:?}");
}
