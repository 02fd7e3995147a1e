//! What an instructor does after grading: looks at what is alike, asks up to three questions, and gives the grades to a platform.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use latchstring_tests::binary;
use serde_json::Value;

use crate::class::{Class, entries, one_line, run, solve, submit};

const FIRST: &str = "00-first-contact";
const SECOND: &str = "01-say-the-name";

/// A program that no lab has given.
const MINE: &str = r#"
def collect(path, wanted, limit):
    counts = {}
    for number, line in enumerate(open(path)):
        parts = line.strip().split(",")
        if len(parts) < 3 or parts[0] != wanted:
            continue
        total = counts.get(parts[1], 0) + int(parts[2]) * 7
        counts[parts[1]] = total % 251 if total > limit else total
    best = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    while best and best[-1][1] == 0:
        best.pop()
    return [name for name, value in best[:limit] if value ^ 0x55 != limit]
"#;

/// A class of three who have solved and handed in both labs.
fn class(change: impl Fn(&str, &Path)) -> Class {
    let class = Class::new(3, &[FIRST, SECOND]);
    fs::create_dir(class.path("in")).unwrap();
    for (student, folder) in class.hand_out() {
        for lab in [FIRST, SECOND] {
            let work = folder.join(lab);
            solve(&work, lab);
            change(&student, &work);
            let name = format!("in/{lab}.{student}.zip");
            fs::write(class.path(&name), submit(&work)).unwrap();
        }
    }
    class
}

#[test]
fn what_two_students_have_in_common_is_told_with_its_reason_and_nothing_else() {
    let renamed = MINE
        .replace("counts", "zaehler")
        .replace("number", "n")
        .replace("best", "b1");

    let class = class(|student, work| {
        if work.ends_with(SECOND) && student != "student3" {
            let mine = if student == "student1" {
                MINE
            } else {
                &renamed
            };
            fs::write(work.join("collect.py"), mine).unwrap();
        }
        if work.ends_with(SECOND) && student == "student1" {
            let attack = work.join("attack.py");
            let text = fs::read_to_string(&attack).unwrap();
            fs::write(attack, text.replace("login", "greeting_of_mine")).unwrap();
        }
        if work.ends_with(SECOND) && student == "student3" {
            let attack = work.join("attack.py");
            let text = fs::read_to_string(&attack).unwrap();
            fs::write(attack, text.replace("\n\n", "\n# mine\n\n")).unwrap();
        }
        if work.ends_with(FIRST) && student == "student2" {
            let other = work.to_str().unwrap().replace("student2", "student1");
            fs::copy(
                Path::new(&other).join("answers.toml"),
                work.join("answers.toml"),
            )
            .unwrap();
            fs::copy(
                Path::new(&other).join("faithful.pcap"),
                work.join("faithful.pcap"),
            )
            .unwrap();
        }
    });
    let output = class.run(&["course", "similar", "in"]);
    let said = one_line(&output);
    for sentence in [
        "second-message: student2 answers",
        "which is wrong for student2 and right for student1 (1 of 3 students have this answer)",
        "faithful.pcap: student2 handed in the file of student1",
        "collect.py of student1 and collect.py of student2: 100 % of the shorter one",
        "It is evidence and no verdict.",
    ] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    assert!(!said.contains("of student3 and"), "{said}");
    assert!(!said.contains("and attack.py of"), "{said}");
    // The program of student 3 is the solution. One more name makes it another program.
    let equals = "attack.py equals the lab's own solution, apart from spaces and comments; \
                  4 lines of it are not in the start code. So it is with student2, student3.";
    assert!(said.contains(equals), "{said}");
    let json = class.run(&["course", "similar", "in", "--json"]);
    let found: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    assert!(
        found
            .iter()
            .any(|one| one["kind"] == "code" && one["percent"] == 100)
    );
}

#[test]
fn three_questions_are_about_the_students_own_work_and_their_answers_were_run() {
    let class = class(|_, _| {});
    let ask = |student: &str, lab: &str| {
        one_line(&class.run(&["course", "viva", student, "in", "--lab", lab]))
    };
    let said = ask("student1", "01");
    for sentence in [
        "1. Your prediction",
        "2. Your program: These lines of ",
        "Answer:",
    ] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    assert!(
        said.contains("as it was at the start, the check says:"),
        "{said}"
    );
    assert_eq!(said, ask("student1", "01"));
    let (one, other) = (ask("student1", "00"), ask("student2", "00"));
    assert!(
        one.contains("Your capture: In ") && other.contains("Your capture: In "),
        "{one}"
    );
    assert_ne!(one, other.replace("student2", "student1"));
    let nothing = class.run(&["course", "viva", "student9", "in"]);
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("no student \"student9\""));
}

#[test]
fn the_grades_go_to_each_platform() {
    let class = class(|_, _| {});
    class.grade();
    let export = |arguments: &[&str]| -> String {
        let output = class.run(&[&["course", "export"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(export(&["canvas"]).contains("student1"));
    assert!(export(&["moodle"]).contains("student1@uni.example"));
    let (all, one) = (export(&["moodle"]), export(&["moodle", "--lab", "01"]));
    assert!(all.contains("First contact") && all.contains("Say the name"));
    assert!(
        !one.contains("First contact") && one.contains("Say the name"),
        "{one}"
    );
    let one = export(&["canvas", "--lab", "00"]);
    assert!(
        one.contains("First contact") && !one.contains("Say the name"),
        "{one}"
    );
    let other = class.run(&["course", "export", "canvas", "--lab", "04"]);
    assert!(
        String::from_utf8_lossy(&other.stderr).contains("the grades have no lab 04-two-time-pad")
    );
    // The instructor has named this file, and no other.
    let nowhere = class.run(&["course", "export", "moodle", "--out", "none/moodle.csv"]);
    let said = String::from_utf8_lossy(&nowhere.stderr);
    assert!(
        said.contains("cannot write none/moodle.csv: there is no folder none")
            && !said.contains(".tmp"),
        "{said}"
    );
    assert!(export(&["junit"]).contains("<testsuite"));
    assert!(export(&["autolab", "--student", "student1"]).starts_with("{\"scores\":"));
    let results = export(&["gradescope", "--student", "student1", "--lab", "00"]);
    let results: Value = serde_json::from_str(&results).unwrap();
    assert_eq!(results["score"], 13);
    let score = export(&["prairielearn", "--student", "student1"]);
    let score: Value = serde_json::from_str(&score).unwrap();
    assert_eq!(score["score"], 1.0);
    export(&["ctfd", "--out", "ctfd"]);
    assert!(class.path("ctfd/00-first-contact/challenge.yml").exists());
    assert!(class.path("ctfd/plugin/latchstring/__init__.py").exists());
    let flags = fs::read_to_string(class.path("ctfd/flags.csv")).unwrap();
    assert_eq!(
        flags.lines().count(),
        7,
        "three students, two labs: {flags}"
    );
    let key = fs::metadata(class.path("ctfd/ctfd.key")).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777,
        0o600
    );
    let missing = class.run(&["course", "export", "classroom50", "--student", "student1"]);
    assert!(
        String::from_utf8_lossy(&missing.stderr).contains("environment variable"),
        "{missing:?}"
    );
}

/// Runs the archive as Gradescope does, in a folder in place of `/autograder`.
#[test]
fn the_autograder_grades_a_submission_as_gradescope_runs_it() {
    let class = class(|_, _| {});
    class.runs(&[
        "course",
        "export",
        "autograder",
        "--lab",
        "00",
        "--out",
        "autograder.zip",
    ]);
    let top = tempfile::tempdir().unwrap();
    for (name, bytes) in entries(&fs::read(class.path("autograder.zip")).unwrap()) {
        let path = top.path().join("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::create_dir(top.path().join("submission")).unwrap();
    let hands_in = |student: &str, by: &str| -> Output {
        let name = format!("in/{FIRST}.{student}.zip");
        fs::copy(class.path(&name), top.path().join("submission/my work.zip")).unwrap();
        let metadata = serde_json::json!({
            "created_at": "2026-11-27T10:00:00.123456-08:00",
            "users": [{ "email": format!("{by}@uni.example"), "id": 7, "name": by }],
        });
        fs::write(
            top.path().join("submission_metadata.json"),
            metadata.to_string(),
        )
        .unwrap();
        let script = fs::read_to_string(top.path().join("source/run_autograder")).unwrap();
        let script = script.replace("/autograder", top.path().to_str().unwrap());
        let bin = binary("latchstring");
        let path = std::env::var("PATH").unwrap();
        Command::new("bash")
            .args(["-c", &script])
            .env(
                "PATH",
                format!("{}:{path}", bin.parent().unwrap().display()),
            )
            .output()
            .unwrap()
    };
    let results = || -> Value {
        let text = fs::read(top.path().join("results/results.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    let graded = hands_in("student1", "student1");
    assert!(graded.status.success(), "{graded:?}");
    assert_eq!(results()["score"], 13, "{graded:?}");
    assert_eq!(results()["tests"][0]["status"], "passed");
    let graded = hands_in("student1", "student2");
    assert!(graded.status.success(), "{graded:?}");
    assert_eq!(results()["score"], 0);
    let said = results()["output"].as_str().unwrap().to_owned();
    assert!(
        said.contains("ask your instructor") && !said.contains("student1"),
        "{said}"
    );
    assert!(
        one_line(&graded).contains("student2 has uploaded it"),
        "{graded:?}"
    );
    let stranger = hands_in("student1", "nobody");
    assert!(!stranger.status.success());
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("no student with the address"));
}

#[test]
fn every_command_works_from_another_folder() {
    let class = class(|_, _| {});
    let top = tempfile::tempdir().unwrap();
    let course = class.path(".");
    let handed_in = class.path("in");
    let listed = run(
        top.path(),
        &[
            "course",
            "roster",
            "list",
            "--course",
            course.to_str().unwrap(),
        ],
    );
    assert!(one_line(&listed).contains("3 students"), "{listed:?}");
    let arguments = [
        "course",
        "grade",
        handed_in.to_str().unwrap(),
        "--course",
        course.to_str().unwrap(),
    ];
    let graded = run(top.path(), &arguments);
    assert!(graded.status.success(), "{graded:?}");
    assert!(class.path("grades.json").exists());
    let nowhere = run(top.path(), &["course", "grade", "in"]);
    let said = String::from_utf8(nowhere.stderr).unwrap();
    assert!(said.contains("latchstring course new"), "{said}");
}
