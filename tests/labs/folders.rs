//! What a student has and keeps: the folder, the sheet of answers, hints, predictions and explanations.

use std::collections::BTreeSet;

use super::*;

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
        let backup = desk.student.reset(None).await.unwrap();
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

pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
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
pub(super) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
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

/// A student who knows a file from one lab knows it in the next. Each lab has a copy, so that its folder is all of it.
#[test]
fn a_tool_that_several_labs_hand_out_is_one_tool() {
    for tool in [
        "aes.py",
        "capture.py",
        "latch.py",
        "aes.rs",
        "capture.rs",
        "latch.rs",
        "number.rs",
    ] {
        let mut copies = Vec::new();
        for lab in all_labs() {
            let start = workspace().join("labs").join(&lab.id).join("start");
            let found = files_below(&start).into_iter();
            copies.extend(found.filter(|path| path.ends_with(tool)));
        }
        assert!(copies.len() > 1, "{tool}: {copies:?}");
        let first = fs::read(&copies[0]).unwrap();
        for copy in &copies[1..] {
            let same = fs::read(copy).unwrap() == first;
            assert!(
                same,
                "{} differs from {}",
                copy.display(),
                copies[0].display()
            );
        }
    }
}

/// The packages of a lock file that come from a registry: their names and versions.
fn packages(lock: &Path) -> BTreeSet<(String, String)> {
    let lock: toml::Table = fs::read_to_string(lock).unwrap().parse().unwrap();
    let text = |package: &toml::Value, key| package[key].as_str().unwrap().to_owned();
    let all = lock["package"].as_array().unwrap().iter();
    all.filter(|package| package.get("source").is_some())
        .map(|package| (text(package, "name"), text(package, "version")))
        .collect()
}

/// So a machine that has built the project builds a student's program without the network.
#[test]
fn the_packages_of_a_program_in_rust_are_those_that_the_project_is_built_with() {
    let ours = packages(&workspace().join("Cargo.lock"));
    let mut with_packages = 0;
    let labs = workspace().join("labs");
    let starts = all_labs().into_iter();
    let starts = starts.map(|lab| labs.join(&lab.id).join("start/rust"));
    for start in starts.chain([labs.join("peers/rust/rung0")]) {
        let Ok(manifest) = fs::read_to_string(start.join("Cargo.toml")) else {
            continue;
        };
        let manifest: toml::Table = manifest.parse().unwrap();
        if manifest["dependencies"].as_table().unwrap().is_empty() {
            continue;
        }
        let foreign: Vec<_> = packages(&start.join("Cargo.lock"))
            .difference(&ours)
            .cloned()
            .collect();
        assert!(foreign.is_empty(), "{}: {foreign:?}", start.display());
        with_packages += 1;
    }
    assert!(with_packages >= 3);
}

#[tokio::test]
async fn a_peer_that_cannot_be_built_keeps_no_other_program_from_being_run() {
    let mut desk = Desk::new(lab("06"), 12).await;
    desk.student.reset(Some("rust")).await.unwrap();
    solve(&desk.student, &launcher()).await.unwrap();
    fs::write(desk.path("mend/Cargo.toml"), "no manifest").unwrap();
    let report = desk.check(13).await;
    assert!(item(&report, "other-order").passed && item(&report, "own-words").passed);
    let (found, next) = (
        &item(&report, "serves").found,
        &item(&report, "serves").next,
    );
    assert!(found.contains("could not be built"), "{found}");
    let next = next.as_deref().unwrap_or_default();
    assert!(next.contains("--manifest-path mend/Cargo.toml"), "{next}");
    // With a command of the student's own, nothing is built for this part.
    desk.run_instead(&["false"]);
    let report = desk.check_only(13, "mend").await;
    let found = &item(&report, "serves").found;
    assert!(!found.contains("could not be built"), "{found}");
}

#[tokio::test]
async fn a_reset_can_begin_in_another_language() {
    let mut desk = Desk::new(lab("05"), 12).await;
    assert!(desk.path("read.py").exists() && !desk.path("Cargo.toml").exists());
    let error = desk.student.reset(Some("pearl")).await.unwrap_err();
    assert!(error.to_string().contains("pearl"), "{error}");
    assert!(
        !desk.path("backup-1").exists(),
        "nothing is moved before that"
    );
    desk.student.reset(Some("rust")).await.unwrap();
    assert!(desk.path("Cargo.toml").exists() && !desk.path("read.py").exists());
    let sheet = fs::read_to_string(desk.path("answers.toml")).unwrap();
    assert!(sheet.contains("target/debug"), "{sheet}");
    // It stays so.
    desk.student.reset(None).await.unwrap();
    assert!(desk.path("Cargo.toml").exists());
}
