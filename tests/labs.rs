//! Every lab, both ways: what a student starts with fails, the solution passes, and nothing in between can cheat.
//!
//! The labs are discovered, so a new one is under test by being there.

#[path = "labs/advice.rs"]
mod advice;
#[path = "labs/folders.rs"]
mod folders;
#[path = "labs/predictions.rs"]
mod predictions;

use std::{
    fs,
    path::{Path, PathBuf},
};

use folders::{contents, files_below};
use latchstring_classroom::{
    catalogue::{Answer, Lab},
    check::{Item, Report, check, check_with},
    labs,
    progress::Silent,
    seed::Seed,
    selftest::Plan,
    solve::solve,
    student::Student,
    trial::Options,
};
use latchstring_confine::run::Launcher;
use latchstring_tests::{binary, workspace};
use tempfile::TempDir;

fn all_labs() -> Vec<Lab> {
    labs::built_in().unwrap()
}

fn lab(number: &str) -> Lab {
    labs::find(all_labs(), number).unwrap()
}

/// Starts programs as `latchstring lab check` does.
fn launcher() -> Launcher {
    Launcher::at(&binary("latchstring"), &["lab", "run-program"])
}

/// A lab in a folder of its own.
struct Desk {
    student: Student,
    _folder: TempDir,
}

impl Desk {
    async fn new(lab: Lab, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let student = Student::start(lab, &folder.path().join("work"), &Seed::chosen(seed), None)
            .await
            .unwrap();
        Self {
            student,
            _folder: folder,
        }
    }

    /// As [`Desk::new`], with the solution copied over and its answers filled in.
    async fn solved(lab: Lab, seed: u64) -> Self {
        let desk = Self::new(lab, seed).await;
        solve(&desk.student, &launcher()).await.unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.student.folder.join(name)
    }

    /// Puts an answer where there was another or none.
    fn answer(&self, question: &str, answer: &str) {
        let sheet = fs::read_to_string(self.path("answers.toml")).unwrap();
        let fill = |line: &str| match line.strip_prefix(&format!("{question} = ")) {
            Some(_) => format!("{question} = {answer:?}"),
            None => line.to_owned(),
        };
        let filled: Vec<String> = sheet.lines().map(fill).collect();
        assert_ne!(
            filled.join("\n"),
            sheet.trim_end(),
            "there is no question {question}"
        );
        fs::write(self.path("answers.toml"), filled.join("\n")).unwrap();
    }

    fn predict(&self) {
        for question in self
            .student
            .lab
            .questions
            .iter()
            .filter(|question| question.kind == Answer::Predict)
        {
            self.answer(&question.id, "b");
        }
    }

    /// Runs another program instead of the lab's.
    /// Runs this in place of the lab's program, and of each program that a trial has for itself.
    fn run_instead(&self, command: &[&str]) {
        let sheet = fs::read_to_string(self.path("answers.toml")).unwrap();
        let trials = self.student.lab.trials.iter();
        let others = trials.filter(|trial| !trial.runs_the_labs_program());
        let others = others.map(|trial| format!("run-{} = {command:?}\n", trial.id));
        let runs = format!("run = {command:?}\n{}", others.collect::<String>());
        fs::write(self.path("answers.toml"), runs + &sheet).unwrap();
    }

    /// Checks one part alone.
    async fn check_only(&mut self, seed: u64, part: &str) -> Report {
        let options = Options {
            seed: &Seed::chosen(seed),
            counts: true,
            steps: &Silent,
            launcher: &launcher(),
            only: Some(part),
            peers: true,
            lacking: None,
        };
        check_with(&mut self.student, &options).await.unwrap()
    }

    async fn check(&mut self, seed: u64) -> Report {
        check(&mut self.student, &Seed::chosen(seed), &launcher())
            .await
            .unwrap()
    }
}

fn item<'a>(report: &'a Report, id: &str) -> &'a Item {
    report.items.iter().find(|item| item.id == id).unwrap()
}

fn passed(report: &Report) -> Vec<&str> {
    report
        .items
        .iter()
        .filter(|item| item.passed)
        .map(|item| item.id.as_str())
        .collect()
}

#[test]
fn every_lab_names_what_must_not_pass_and_tells_of_a_real_system() {
    for lab in all_labs() {
        assert!(lab.wrong.len() >= 3, "{}: name what must not pass", lab.id);
        let case = lab.case().unwrap_or_default();
        assert!(
            case.starts_with("## It has happened"),
            "{}: tell of a real system",
            lab.id
        );
    }
}

/// The two quickest labs, with and without a program; `latchstring lab self-test` takes them all.
#[test]
fn every_solution_passes_and_every_start_and_known_wrong_solution_fails_for_its_reason() {
    let plan = Plan {
        labs: &[lab("00"), lab("06")],
        students: 1,
        seed: 1,
        launcher: &launcher(),
        progress: &|_, _, _| {},
    };
    for line in plan.run().unwrap() {
        assert_eq!(line.failures, [""; 0], "{}: {}", line.lab, line.what);
    }
}

#[test]
fn a_self_test_finds_a_lab_that_passes_what_it_must_not() {
    let mut lab = lab("00");
    // The right answer as a wrong one, a wrong reason, and a start that is the solution's.
    lab.wrong[0].answers.clear();
    lab.wrong[1].says = "the moon".to_owned();
    lab.solve = vec!["false".to_owned()];
    let plan = |lab: &Lab| {
        let labs = [lab.clone()];
        let plan = Plan {
            labs: &labs,
            students: 1,
            seed: 1,
            launcher: &launcher(),
            progress: &|_, _, _| {},
        };
        let lines = plan.run().unwrap();
        let lines = lines.into_iter().map(|line| line.failures.concat());
        lines.collect::<Vec<_>>()
    };
    let failures = plan(&lab);
    assert!(
        failures[0].is_empty() && failures[1].contains("failed"),
        "{failures:?}"
    );
    lab.solve = self::lab("00").solve;
    let failures = plan(&lab);
    assert_eq!(failures[1], "");
    assert!(failures[2].contains("it passes"), "{failures:?}");
    assert!(
        failures[3].contains("for another reason than \"the moon\""),
        "{failures:?}"
    );
}

#[tokio::test]
async fn a_program_that_does_nothing_passes_nothing() {
    for number in ["01", "04", "06", "09"] {
        let mut desk = Desk::solved(lab(number), 4).await;
        desk.run_instead(&["true"]);
        let report = desk.check(14).await;
        assert!(!report.passed);
        for item in report.items.iter().filter(|item| item.kind == "run") {
            assert!(!item.passed, "{item:?}");
        }
    }
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_finding_and_not_an_error() {
    let mut desk = Desk::solved(lab("01"), 4).await;
    desk.run_instead(&["no-such-program-anywhere"]);
    let report = desk.check(14).await;
    assert!(
        item(&report, "admitted")
            .found
            .contains("no-such-program-anywhere")
    );
}

/// Looks for a private key wherever the faithful programs keep one, near all that it was given, and logs in with it alone.
const KEY_THIEF: &str = r#"
import os, sys
sys.path.insert(0, ".")
import attack
host, port, user, public_key_file, words = sys.argv[1:]
for near in (".", "..", os.path.dirname(public_key_file), os.path.dirname(os.path.dirname(public_key_file)) + "/work"):
    for place in (f"{near}/client.keys/{user}", f"{near}/{user}", f"{near}/{user}.pem", f"{near}/victim"):
        if os.path.isfile(place) and "PRIVATE KEY" in open(place).read():
            attack.main()
            sys.exit()
sys.exit("there is no private key to be had")
"#;

#[tokio::test]
async fn a_program_that_wants_the_private_key_finds_none() {
    let mut desk = Desk::solved(lab("01"), 5).await;
    fs::write(desk.path("thief.py"), KEY_THIEF).unwrap();
    desk.run_instead(&["python3", "thief.py"]);
    let report = desk.check(15).await;
    assert!(!item(&report, "admitted").passed && !item(&report, "words").passed);
    let found = &item(&report, "admitted").found;
    assert!(found.contains("no private key to be had"), "{found}");
    for file in files_below(&desk.student.folder) {
        assert!(
            !String::from_utf8_lossy(&fs::read(&file).unwrap()).contains("PRIVATE KEY-----"),
            "{}",
            file.display()
        );
    }
    // The thief is able enough: with a file that looks like a key beside it, it gets in.
    fs::write(desk.path("victim"), "PRIVATE KEY").unwrap();
    let report = desk.check(15).await;
    assert!(item(&report, "admitted").passed && item(&report, "words").passed);
}

/// Writes wherever the grader's verdict could come from: result files, its own copy of the state, the student's folder and
/// the lab's files. Then it does nothing that the lab asks for.
const FORGER: &str = r#"
import glob, os, shutil, sys
student, repository = sys.argv[1:3]
everything = '{"passed": true, "points": 8, "score": 8}'
for name in ("result.json", "results.json", "results/results.json", ".latchstring.json", "answers.toml"):
    try:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        open(name, "w").write(everything)
    except OSError: pass
for name in (".latchstring.json", ".latchstring.json.copy", "answers.toml", "forged"):
    try: open(os.path.join(student, name), "w").write(everything)
    except OSError: pass
for name in glob.glob(repository + "/labs/*/solution/*") + [repository + "/labs/01-say-the-name/solution/attack.py"]:
    try: print("read", open(name).read())
    except OSError: pass
print(everything)
"#;

#[tokio::test]
async fn a_program_that_forges_results_and_state_changes_nothing() {
    let mut desk = Desk::solved(lab("01"), 5).await;
    fs::write(desk.path("forger.py"), FORGER).unwrap();
    let folder = desk.student.folder.display().to_string();
    let repository = workspace().display().to_string();
    desk.run_instead(&["python3", "forger.py", &folder, &repository]);
    let before = contents(&desk.student.folder);
    let report = desk.check(15).await;
    assert_eq!(passed(&report), ["who-gets-in"], "{report:#?}");
    let found = &item(&report, "admitted").found;
    assert!(!found.contains("read "), "it has read a solution: {found}");
    assert!(
        report
            .limits
            .is_some_and(|limits| limits.missing().is_empty())
    );
    let mut after = contents(&desk.student.folder);
    // The prediction was made, and the check itself has written that down.
    let state = |(path, _): &(String, Vec<u8>)| path.starts_with(".latchstring.json");
    after.retain(|file| !state(file));
    assert!(after.iter().eq(before.iter().filter(|file| !state(file))));
    let again = Student::open(lab("01"), &desk.student.folder).unwrap();
    assert_eq!(again.points(), 1);
}

#[tokio::test]
async fn the_two_runs_have_two_victims_and_what_was_said_for_one_is_no_good_for_the_other() {
    let mut desk = Desk::solved(lab("01"), 6).await;
    let attack = fs::read_to_string(desk.path("attack.py")).unwrap();
    // A program that gives up is run once, and its last words are shown.
    let told = attack.replace(
        "    n, e = read",
        "    sys.exit(f'victim {user}')\n    n, e = read",
    );
    fs::write(desk.path("attack.py"), &told).unwrap();
    let report = desk.check(16).await;
    let found = &item(&report, "admitted").found;
    let victim = found.split("victim ").nth(1).unwrap().trim();

    let fixed = attack.replace(
        "sendall(make_login(user,",
        &format!("sendall(make_login({victim:?},"),
    );
    fs::write(desk.path("attack.py"), fixed).unwrap();
    let report = desk.check(16).await;
    assert!(
        !item(&report, "admitted").passed,
        "a name that is written into the program fits one run only"
    );
    assert!(item(&report, "admitted").found.contains("refused"));
}
