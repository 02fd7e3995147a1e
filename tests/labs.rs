//! Every lab, both ways: what a student starts with fails, the solution passes, and nothing in between can cheat.
//!
//! The labs are discovered, so a new one is under test by being there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use latchstring_lab::exercise::{
    catalogue::{self, Answer, Lab},
    check::{Item, Report, check},
    seed::Seed,
    student::{Student, copy_folder},
};
use tempfile::TempDir;

fn all_labs() -> Vec<Lab> {
    catalogue::all(&catalogue::locate(None).unwrap()).unwrap()
}

fn lab(number: &str) -> Lab {
    catalogue::find(&catalogue::locate(None).unwrap(), number).unwrap()
}

/// A lab in a folder of its own.
struct Desk {
    student: Student,
    _folder: TempDir,
}

impl Desk {
    async fn new(lab: Lab, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let student = Student::start(lab, &folder.path().join("work"), &Seed::chosen(seed))
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
        let (lab, folder) = (&desk.student.lab, &desk.student.folder);
        copy_folder(&lab.folder.join("solution"), folder).unwrap();
        let (program, args) = lab
            .solve
            .split_first()
            .expect("every lab says how it is solved");
        let solved = Command::new(program)
            .args(args)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder)
            .output();
        let solved = solved.unwrap();
        assert!(
            solved.status.success(),
            "{}: {}",
            lab.id,
            String::from_utf8_lossy(&solved.stderr)
        );
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
    fn run_instead(&self, command: &[&str]) {
        let sheet = fs::read_to_string(self.path("answers.toml")).unwrap();
        fs::write(
            self.path("answers.toml"),
            format!("run = {command:?}\n{sheet}"),
        )
        .unwrap();
    }

    async fn check(&mut self, seed: u64) -> Report {
        check(&mut self.student, &Seed::chosen(seed)).await.unwrap()
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

#[tokio::test]
async fn every_start_fails_every_check() {
    for lab in all_labs() {
        for seed in [1, 2] {
            let mut desk = Desk::new(lab.clone(), seed).await;
            let report = desk.check(seed + 10).await;
            assert_eq!(passed(&report), [""; 0], "{}: nothing was done yet", lab.id);
            assert_eq!((report.points, report.passed), (0, false));

            desk.predict();
            let report = desk.check(seed + 20).await;
            assert!(desk.student.explanations().unwrap().is_empty());
            for item in &report.items {
                assert_eq!(item.passed, item.kind == "predict", "{}: {item:?}", lab.id);
                if item.kind == "predict" {
                    assert!(
                        item.found.contains("you will see"),
                        "{item:?} is told before it has happened"
                    );
                }
                assert_eq!(
                    item.next.is_some(),
                    !item.passed,
                    "{}: {item:?} must say what to do",
                    lab.id
                );
            }
        }
    }
}

#[tokio::test]
async fn every_solution_passes_every_check() {
    for lab in all_labs() {
        for seed in [1, 2, 3] {
            let mut desk = Desk::solved(lab.clone(), seed).await;
            let report = desk.check(seed + 10).await;
            assert!(
                report.passed,
                "{} with seed {seed}: {:#?}",
                lab.id, report.items
            );
            assert_eq!(report.points, report.of);
            assert_eq!(
                desk.student.explanations().unwrap().len(),
                report.items.len()
            );
        }
    }
}

#[tokio::test]
async fn a_program_that_does_nothing_passes_nothing() {
    for lab in all_labs().into_iter().filter(|lab| !lab.trials.is_empty()) {
        let mut desk = Desk::solved(lab, 4).await;
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
    assert!(desk.check(15).await.passed);
}

#[tokio::test]
async fn the_two_runs_have_two_victims_and_what_was_said_for_one_is_no_good_for_the_other() {
    let mut desk = Desk::solved(lab("01"), 6).await;
    let attack = fs::read_to_string(desk.path("attack.py")).unwrap();
    let noted = attack.replace(
        "    n, e = read",
        "    open('victims', 'a').write(user + '\\n')\n    n, e = read",
    );
    fs::write(desk.path("attack.py"), &noted).unwrap();
    assert!(desk.check(16).await.passed);
    let victims = fs::read_to_string(desk.path("victims")).unwrap();
    let victims: Vec<&str> = victims.lines().collect();
    assert_eq!(victims.len(), 2);
    assert_ne!(victims[0], victims[1]);

    let fixed = attack.replace(
        "sendall(make_login(user,",
        &format!("sendall(make_login({:?},", victims[0]),
    );
    fs::write(desk.path("attack.py"), fixed).unwrap();
    let report = desk.check(16).await;
    assert!(
        !item(&report, "admitted").passed,
        "a name that is written into the program fits one run only"
    );
    assert!(item(&report, "admitted").found.contains("refused"));
}

#[tokio::test]
async fn explanations_stay_hidden_until_their_check_passes() {
    let mut desk = Desk::solved(lab("01"), 7).await;
    assert!(desk.student.explanations().unwrap().is_empty());
    let attack = fs::read_to_string(desk.path("attack.py")).unwrap();
    fs::write(
        desk.path("attack.py"),
        attack.replace("words.encode()", "b'something else'"),
    )
    .unwrap();
    let report = desk.check(17).await;
    assert!(item(&report, "admitted").passed && !item(&report, "words").passed);
    let shown: Vec<&str> = desk
        .student
        .explanations()
        .unwrap()
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(shown, ["who-gets-in", "admitted"]);
}

#[tokio::test]
async fn hints_come_one_by_one_and_are_counted() {
    for lab in all_labs() {
        let hints = lab.hints.clone();
        assert!(hints.len() >= 2, "{}: hints come in stages", lab.id);
        let mut desk = Desk::new(lab.clone(), 8).await;
        for (i, hint) in hints.iter().enumerate() {
            assert_eq!(desk.student.take_hint().unwrap(), Some(hint.as_str()));
            // Another command reads the count from the folder.
            desk.student = Student::open(lab.clone(), &desk.student.folder).unwrap();
            assert_eq!(desk.student.state.hints, i + 1);
        }
        assert_eq!(desk.student.take_hint().unwrap(), None);
        assert_eq!(desk.check(18).await.hints_taken, hints.len());
    }
}

#[tokio::test]
async fn the_first_prediction_counts_and_is_held_against_the_run() {
    for lab in all_labs() {
        let mut desk = Desk::solved(lab, 9).await;
        let report = desk.check(19).await;
        let predictions: Vec<&Item> = report
            .items
            .iter()
            .filter(|item| item.kind == "predict")
            .collect();
        assert!(!predictions.is_empty());
        desk.predict();
        let again = desk.check(29).await;
        for prediction in predictions {
            let held = prediction.found.contains("so it is")
                || prediction.found.contains("what happened is");
            assert!(
                held && prediction.found.starts_with("you said a)"),
                "{prediction:?}"
            );
            assert_eq!(item(&again, &prediction.id).found, prediction.found);
        }
    }
}

#[tokio::test]
async fn a_wrong_answer_fails_alone_and_a_broken_sheet_is_named_with_its_line() {
    let mut desk = Desk::solved(lab("00"), 10).await;
    desk.answer("second-message", "meet me nowhere");
    let report = desk.check(20).await;
    let failed: Vec<&str> = report
        .items
        .iter()
        .filter(|item| !item.passed)
        .map(|item| item.id.as_str())
        .collect();
    assert_eq!(failed, ["second-message"]);
    assert_eq!(report.of - report.points, 3);

    fs::write(desk.path("answers.toml"), "[answers]\niv = \n").unwrap();
    let error = format!(
        "{:#}",
        check(&mut desk.student, &Seed::chosen(1))
            .await
            .unwrap_err()
    );
    assert!(
        error.contains("answers.toml") && error.contains("line 2"),
        "{error}"
    );
    fs::write(desk.path("answers.toml"), "[answers]\nvi = \"00\"\n").unwrap();
    let error = format!(
        "{:#}",
        check(&mut desk.student, &Seed::chosen(1))
            .await
            .unwrap_err()
    );
    assert!(
        error.contains("answers.toml") && error.contains("\"vi\""),
        "{error}"
    );
}

#[tokio::test]
async fn reset_restores_the_start_and_loses_nothing() {
    let mut desk = Desk::new(lab("01"), 11).await;
    let before = contents(&desk.student.folder);
    desk.student.take_hint().unwrap();
    fs::write(desk.path("attack.py"), "mine").unwrap();
    fs::write(desk.path("notes.txt"), "also mine").unwrap();
    for n in [1, 2] {
        let backup = desk.student.reset().await.unwrap();
        assert_eq!(backup, desk.path(&format!("backup-{n}")));
        let after = contents(&desk.student.folder);
        let fresh = after.iter().filter(|(path, _)| {
            !path.starts_with("backup-") && !path.starts_with(".latchstring.json")
        });
        let at_start = before
            .iter()
            .filter(|(path, _)| !path.starts_with(".latchstring.json"));
        assert!(fresh.eq(at_start), "everything is as it was at the start");
    }
    assert_eq!(
        fs::read_to_string(desk.path("backup-1/attack.py")).unwrap(),
        "mine"
    );
    assert_eq!(
        fs::read_to_string(desk.path("backup-1/notes.txt")).unwrap(),
        "also mine"
    );
    assert_eq!(
        desk.student.state.hints, 1,
        "hints that were taken stay taken"
    );
}

#[tokio::test]
async fn folders_are_personal_repeatable_and_hold_no_answer() {
    for lab in all_labs() {
        let [one, same, other] = [
            Desk::new(lab.clone(), 12).await,
            Desk::new(lab.clone(), 12).await,
            Desk::new(lab.clone(), 13).await,
        ];
        // A capture is of a real session, so its times (and what is salted in it) are never the same twice.
        let contents_of = |desk: &Desk| {
            let mut contents = contents(&desk.student.folder);
            contents.retain(|(path, _)| !path.ends_with(".pcap"));
            contents
        };
        assert_eq!(
            contents_of(&one),
            contents_of(&same),
            "{}: a seed repeats",
            lab.id
        );
        assert_ne!(
            contents_of(&one),
            contents_of(&other),
            "{}: seeds differ",
            lab.id
        );

        let solved = Desk::solved(lab.clone(), 12).await;
        let sheet = fs::read_to_string(solved.path("answers.toml")).unwrap();
        let again = Desk::solved(lab.clone(), 12).await;
        assert_eq!(
            sheet,
            fs::read_to_string(again.path("answers.toml")).unwrap(),
            "{}: so do the answers",
            lab.id
        );
        let answers = sheet
            .lines()
            .filter_map(|line| line.split_once(" = \"")?.1.strip_suffix('"'));
        let state = fs::read_to_string(one.path(".latchstring.json")).unwrap();
        for answer in answers.filter(|answer| answer.len() > 8) {
            assert!(
                !state.contains(answer),
                "{}: {answer:?} stands in the state file",
                lab.id
            );
        }
        assert!(
            !one.path("solution").exists()
                && !one.path("EXPLANATION.md").exists()
                && !one.path("lab.toml").exists()
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_not_empty_or_holds_another_lab_is_left_alone() {
    let desk = Desk::new(lab("00"), 14).await;
    let before = contents(&desk.student.folder);
    let error = Student::start(lab("01"), &desk.student.folder, &Seed::chosen(1))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("not empty"), "{error}");
    let error = Student::open(lab("01"), &desk.student.folder)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("00-first-contact"), "{error}");
    assert_eq!(contents(&desk.student.folder), before);
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every file below a folder: its path from there, and its bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    files_below(folder)
        .iter()
        .map(|path| (name(path), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn what_a_lab_refers_to_exists() {
    let all = all_labs();
    for lab in &all {
        for attack in &lab.attacks {
            let known = latchstring_attacker::attacks::find(attack).is_some();
            assert!(known, "{}: there is no attack {attack:?}", lab.id);
        }
        for before in &lab.prerequisites {
            let place = |id: &str| all.iter().position(|lab| lab.id == id);
            assert!(
                place(before).is_some_and(|p| Some(p) < place(&lab.id)),
                "{}: {before:?} must come first",
                lab.id
            );
        }
        let number = lab.id.split('-').next().unwrap();
        let handout = fs::read_to_string(lab.folder.join("README.md")).unwrap();
        for command in ["start", "check", "hint", "explain"] {
            let command = format!("latchstring lab {command} {number}");
            assert!(
                handout.contains(&command),
                "{}: the handout does not say `{command}`",
                lab.id
            );
        }
        for heading in [
            "## The story",
            "## Before you",
            "## Steps",
            "## It has happened",
        ] {
            assert!(
                handout.contains(heading),
                "{}: the handout has no {heading:?}",
                lab.id
            );
        }
    }
}
