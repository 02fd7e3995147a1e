//! Every lab, both ways: what a student starts with fails, the solution passes, and nothing in between can cheat.
//!
//! The labs are discovered, so a new one is under test by being there.

use std::{
    fs,
    path::{Path, PathBuf},
};

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
    assert_eq!(shown, ["who-gets-in", "admitted", "serves", "holds"]);
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
    for number in ["00", "06", "09"] {
        let mut desk = Desk::solved(lab(number), 9).await;
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
        check(&mut desk.student, &Seed::chosen(1), &launcher())
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
        check(&mut desk.student, &Seed::chosen(1), &launcher())
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
    let error = Student::start(lab("01"), &desk.student.folder, &Seed::chosen(1), None)
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
        for before in &lab.prerequisites {
            let place = |id: &str| all.iter().position(|lab| lab.id == id);
            assert!(
                place(before).is_some_and(|p| Some(p) < place(&lab.id)),
                "{}: {before:?} must come first",
                lab.id
            );
        }
        let number = lab.id.split('-').next().unwrap();
        let handout = lab.files.text("README.md").unwrap();
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

/// Replaces a piece of a student's program, which must be there.
fn edit(desk: &Desk, file: &str, old: &str, new: &str) {
    let text = fs::read_to_string(desk.path(file)).unwrap();
    assert!(text.contains(old), "{file} does not contain {old:?}");
    fs::write(desk.path(file), text.replace(old, new)).unwrap();
}

fn next<'a>(report: &'a Report, id: &str) -> &'a str {
    item(report, id).next.as_deref().unwrap_or_default()
}

/// `make_login` as the solution has it.
const LOGIN: &str = "c = pow(int.from_bytes(user.encode(), 'big'), e, n)\n    return c.to_bytes((c.bit_length() + 7) // 8, 'big')";

#[tokio::test]
async fn with_make_login_alone_the_server_lets_the_student_in() {
    let mut desk = Desk::new(lab("01"), 21).await;
    desk.predict();
    edit(&desk, "attack.py", "return b\"please let me in\"", LOGIN);
    let report = desk.check(31).await;
    assert!(
        item(&report, "admitted").passed,
        "{:?}",
        item(&report, "admitted")
    );
    assert!(!item(&report, "words").passed);
    assert!(next(&report, "words").contains("say_words"), "{report:?}");
}

#[tokio::test]
async fn a_client_that_leaves_too_early_is_not_told_that_its_login_is_wrong() {
    let mut desk = Desk::new(lab("01"), 22).await;
    desk.predict();
    edit(&desk, "attack.py", "return b\"please let me in\"", LOGIN);
    edit(
        &desk,
        "attack.py",
        "    key, iv = receive_exactly(server, 32), receive_exactly(server, 8)\n",
        "",
    );
    let report = desk.check(32).await;
    let admitted = item(&report, "admitted");
    assert!(
        admitted.found.contains("knew your login for"),
        "{admitted:?}"
    );
    assert!(
        next(&report, "admitted").starts_with("your login is right"),
        "{admitted:?}"
    );
}

#[tokio::test]
async fn the_advice_goes_by_the_failure() {
    let mut desk = Desk::solved(lab("01"), 23).await;
    desk.student.lab.trials[0].timeout_seconds = 2;
    let program = fs::read_to_string(desk.path("attack.py")).unwrap();
    let with = |line: &str| program.replace("def main():\n", &format!("def main():\n    {line}\n"));
    let cases = [
        (
            program.replace("def make_login(", "def make_login(("),
            "SyntaxError",
            "mend line",
        ),
        (
            with("import numpy_of_nobody"),
            "No module named",
            "standard library",
        ),
        (with("[][1]"), "IndexError", "mend line"),
        (
            with("import time; time.sleep(60)"),
            "stopped after 2 seconds",
            "never ends",
        ),
        (
            with("sys.exit()"),
            "nobody connected",
            "the host and the port",
        ),
        (
            program.replace("server.sendall(make_login(user, n, e))", "pass"),
            "sent no login",
            "as soon as the connection is open",
        ),
        (
            program.replace("pow(m, e, n)", "pow(m, e, n) ^ 1"),
            "refused",
            "lab hint",
        ),
    ];
    let mut advice = Vec::new();
    for (program, found, advised) in &cases {
        fs::write(desk.path("attack.py"), program).unwrap();
        let report = desk.check(33).await;
        let admitted = item(&report, "admitted");
        assert!(admitted.found.contains(found), "{admitted:#?}");
        assert!(next(&report, "admitted").contains(advised), "{admitted:#?}");
        advice.push(next(&report, "admitted").to_owned());
    }
    fs::remove_file(desk.path("attack.py")).unwrap();
    let report = desk.check(33).await;
    assert!(
        item(&report, "admitted")
            .found
            .contains("attack.py is not in your folder")
    );
    advice.push(next(&report, "admitted").to_owned());
    advice.sort();
    advice.dedup();
    assert_eq!(advice.len(), cases.len() + 1, "each its own: {advice:#?}");
}

#[tokio::test]
async fn nobody_waits_for_a_program_whose_verdict_is_known() {
    let began = std::time::Instant::now();
    let mut desk = Desk::solved(lab("01"), 24).await;
    edit(
        &desk,
        "attack.py",
        "        say_words(server, words)",
        "        say_words(server, words)\n    import time; time.sleep(60)",
    );
    let report = desk.check_only(34, "attack").await;
    assert!(
        item(&report, "admitted").passed && item(&report, "words").passed,
        "all that is asked for has been seen: {report:?}"
    );
    edit(&desk, "attack.py", "pow(m, e, n)", "pow(m, e, n) ^ 1");
    edit(
        &desk,
        "attack.py",
        "        say_words(server, words)",
        "        import time; time.sleep(60)",
    );
    let report = desk.check_only(34, "attack").await;
    assert!(
        item(&report, "admitted").found.contains("refused"),
        "{report:?}"
    );
    assert!(
        began.elapsed().as_secs() < 15,
        "each of the two could take 40 seconds"
    );
}

/// Prints, whatever it is asked for, everything that could be wanted: what is right, and much more.
const PRINTS_EVERYTHING: &str = r#"
import sys, drag
from itertools import combinations
ciphertexts = drag.load(sys.argv[2])
if sys.argv[1] == "open":
    drag.main()
for (i, one), (j, other) in combinations(enumerate(ciphertexts, 1), 2):
    for crib in (b"the guard at", b"change()"):
        for offset, text in drag.drag(one, other, crib):
            print(f"{i}+{j} at {offset}: {text.decode('latin-1')}")
"#;

#[tokio::test]
async fn a_tool_that_prints_everything_passes_nothing_and_learns_nothing() {
    let mut desk = Desk::solved(lab("04"), 25).await;
    fs::write(desk.path("all.py"), PRINTS_EVERYTHING).unwrap();
    desk.run_instead(&["python3", "all.py"]);
    let report = desk.check(35).await;
    for id in ["drag-a-crib", "open-the-rest"] {
        let check = item(&report, id);
        assert!(
            !check.passed && check.found.contains("too many"),
            "{check:#?}"
        );
    }
    // One that prints nothing is not told what it should have printed.
    desk.answer("message-2", "x");
    let sheet = fs::read_to_string(desk.path("answers.toml")).unwrap();
    fs::write(
        desk.path("answers.toml"),
        sheet.replace("all.py", "nothing.py"),
    )
    .unwrap();
    fs::write(desk.path("nothing.py"), "").unwrap();
    let report = desk.check(35).await;
    for check in &report.items {
        for secret in ["please bring the", "the word for the guard", "come alone"] {
            assert!(!check.passed || check.kind != "run");
            let told = format!("{} {}", check.found, check.next.clone().unwrap_or_default());
            assert!(check.passed || !told.contains(secret), "{check:#?}");
        }
    }
}

#[tokio::test]
async fn a_check_of_instances_that_a_student_can_know_does_not_count() {
    let mut desk = Desk::solved(lab("01"), 26).await;
    let seed = Seed::chosen(36);
    let options = Options {
        seed: &seed,
        counts: false,
        steps: &Silent,
        launcher: &launcher(),
        only: None,
        peers: true,
    };
    let report = check_with(&mut desk.student, &options).await.unwrap();
    assert!(report.passed && !report.counts);
    assert!(desk.student.explanations().unwrap().is_empty());
    assert!(desk.check(36).await.passed);
    assert_eq!(desk.student.points(), desk.student.lab.points());
}

#[tokio::test]
async fn one_part_is_checked_alone_and_an_unknown_one_is_named() {
    let mut desk = Desk::solved(lab("06"), 28).await;
    edit(
        &desk,
        "turn.py",
        "changed + ciphertext",
        "ciphertext + changed",
    );
    let of = async |desk: &mut Desk, only: &str| {
        let options = Options {
            seed: &Seed::chosen(38),
            counts: true,
            steps: &Silent,
            launcher: &launcher(),
            only: Some(only),
            peers: true,
        };
        let report = check_with(&mut desk.student, &options).await;
        report
            .map(|report| passed(&report).join(" "))
            .map_err(|why| why.to_string())
    };
    assert_eq!(of(&mut desk, "answers").await.unwrap(), "order-length");
    assert_eq!(of(&mut desk, "flip").await.unwrap(), "");
    assert_eq!(of(&mut desk, "forge").await.unwrap(), "own-words");
    let error = of(&mut desk, "forged").await.unwrap_err();
    assert!(
        error.contains("did you mean forge?") && error.contains("answers, flip, forge"),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_reached_once_stays_reached() {
    let mut desk = Desk::solved(lab("01"), 27).await;
    assert!(desk.check(37).await.passed);
    edit(&desk, "attack.py", "words.encode()", "b'something else'");
    let report = desk.check(37).await;
    assert!(report.points < report.of && report.points_so_far == report.of);
    let again = Student::open(lab("01"), &desk.student.folder).unwrap();
    assert_eq!(again.points(), report.of);
}

#[tokio::test]
async fn predictions_may_be_written_as_people_write_them() {
    for (written, taken) in [
        ("B)", true),
        (" b ", true),
        ("(c).", true),
        ("e", false),
        ("ab", false),
    ] {
        let mut desk = Desk::new(lab("01"), 28).await;
        desk.answer("who-gets-in", written);
        let report = desk.check(38).await;
        let prediction = item(&report, "who-gets-in");
        assert_eq!(prediction.passed, taken, "{prediction:?}");
        if !taken {
            assert!(
                prediction.found.contains("is not one of a-c"),
                "{prediction:?}"
            );
        }
    }
}
