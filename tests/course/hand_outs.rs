//! A hand-out is personal, can be made again to the byte, and tells no answer.

use std::{collections::BTreeMap, fs};

use latchstring_classroom::{
    catalogue::{Answer, Lab},
    commitment::commit,
    hand_out::Owner,
    instance::Instance,
    labs,
    seed::Seed,
};
use latchstring_instructor::key::CourseKey;

use crate::class::{Class, entries, run, solve};

/// Labs with captures, with blanked ones, with keys, with an envelope, with a store and with a weak server.
const LABS: [&str; 7] = [
    "00-first-contact",
    "02-say-it-again",
    "04-two-time-pad",
    "09-cycling-through-keys",
    "10-textbook-rsa",
    "11-the-oracle",
    "12-passwords-at-rest",
];

fn lab(id: &str) -> Lab {
    labs::find(labs::built_in().unwrap(), id).unwrap()
}

fn seed(class: &Class, student: &str, lab: &str) -> Seed {
    let owner = Owner {
        course: "Network security".to_owned(),
        term: "2026".to_owned(),
        student: student.to_owned(),
    };
    CourseKey::read(&class.path(".")).unwrap().seed(&owner, lab)
}

/// The answers of one student, by question. A prediction is no secret.
async fn answers(class: &Class, student: &str, lab: &Lab) -> BTreeMap<String, (Answer, String)> {
    let seed = seed(class, student, &lab.id);
    let facts = Instance::make(&lab.scene, &seed).await.unwrap().facts;
    let asked = lab
        .questions
        .iter()
        .filter(|question| question.kind != Answer::Predict);
    asked
        .map(|question| {
            let answer = facts.fill(&question.answer).unwrap();
            (question.id.clone(), (question.kind, answer))
        })
        .collect()
}

#[test]
fn an_archive_is_the_same_when_it_is_made_again_and_another_students_is_not() {
    let class = Class::new(2, &LABS);
    class.runs(&["course", "hand-out", "one"]);
    class.runs(&["course", "hand-out", "two", "--student", "student1"]);
    let read = |folder: &str, id: &str| fs::read(class.path(folder).join(format!("{id}.zip")));
    let first = read("one", "student1").unwrap();
    assert_eq!(first, read("two", "student1").unwrap());
    assert!(read("two", "student2").is_err(), "only one was asked for");
    let (first, second) = (entries(&first), entries(&read("one", "student2").unwrap()));
    let capture = "04-two-time-pad/chat.pcap";
    let capture = |id: &str| format!("network-security-{id}/{capture}");
    assert_ne!(first[&capture("student1")], second[&capture("student2")]);
    let unknown = class.run(&["course", "hand-out", "three", "--student", "student9"]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.contains("no student \"student9\""), "{said}");
}

/// Takes a hand-out apart, as a student with time would.
#[tokio::test]
async fn a_hand_out_holds_neither_the_seed_nor_an_answer_nor_a_hash_of_a_short_one() {
    let class = Class::new(1, &LABS);
    class.runs(&["course", "hand-out", "out"]);
    let archive = entries(&fs::read(class.path("out/student1.zip")).unwrap());
    let (mut short, mut long) = (0, 0);
    for id in LABS {
        let lab = lab(id);
        let seed = seed(&class, "student1", id);
        let state = &archive[&format!("network-security-student1/{id}/.latchstring.json")];
        let state = String::from_utf8(state.clone()).unwrap();
        // Every seed in it is for one purpose. None of them makes the instance.
        let digits: Vec<&str> = state.split('"').filter(|text| text.len() == 64).collect();
        let real = Instance::make(&lab.scene, &seed).await.unwrap();
        for digits in digits {
            assert_ne!(digits, seed.to_hex(), "{id} holds its seed");
            let Ok(guess) = Seed::from_hex(digits) else {
                continue;
            };
            let other = Instance::make(&lab.scene, &guess).await.unwrap();
            if let (Some(real), Some(other)) = (key_of(&lab, &real), key_of(&lab, &other)) {
                assert_ne!(
                    real, other,
                    "{id}: a seed in the hand-out makes the session"
                );
            }
        }
        let salt = state.split("\"salt\": \"").nth(1).unwrap();
        let salt = salt.split('"').next().unwrap();
        for (question, (kind, answer)) in answers(&class, "student1", &lab).await {
            let hash = commit(salt, &question, kind, &answer);
            let is_there = state.contains(&hash);
            let is_long = kind == Answer::Hex && answer.len() >= 16;
            assert_eq!(is_there, is_long, "{id}, {question}: {answer}");
            (short, long) = (short + usize::from(!is_long), long + usize::from(is_long));
            // A constant of the protocol is the same for everybody, and stands in handouts.
            let personal = lab
                .questions
                .iter()
                .any(|asked| asked.id == question && asked.answer.starts_with('{'));
            // The target's users are in alphabetical order, so that it does not tell which of them logged in.
            let users = state.split("\"users\": ").nth(1).unwrap();
            let users = users.split("\"envelope\"").next().unwrap();
            let names: Vec<&str> = users
                .split('"')
                .filter(|text| text.chars().all(char::is_alphabetic))
                .collect();
            assert!(names.is_sorted(), "{id}: {names:?}");
            let state = state.replace(users, "");
            if personal && answer.len() > 5 {
                assert!(
                    !state.contains(&answer),
                    "{id}, {question}: the state has {answer}"
                );
            }
        }
    }
    assert!(
        short > 10 && long >= 3,
        "{short} short answers, {long} long ones"
    );
}

/// The key of the first session, where a lab has one.
fn key_of<'a>(lab: &Lab, instance: &'a Instance) -> Option<&'a str> {
    let session = lab.scene.sessions.first()?;
    instance.facts.get(&format!("{}.key", session.id))
}

/// In the blanked captures of a student, messages and keys are nowhere in the archive.
#[tokio::test]
async fn a_message_that_must_be_decrypted_is_nowhere_in_the_archive() {
    let class = Class::new(1, &["04-two-time-pad", "05-many-time-pad"]);
    class.runs(&["course", "hand-out", "out"]);
    let archive = entries(&fs::read(class.path("out/student1.zip")).unwrap());
    for id in ["04-two-time-pad", "05-many-time-pad"] {
        let lab = lab(id);
        let answers = answers(&class, "student1", &lab).await;
        assert!(!answers.is_empty());
        for (question, (_, answer)) in answers {
            for (path, bytes) in &archive {
                let found = bytes
                    .windows(answer.len())
                    .any(|part| part == answer.as_bytes());
                assert!(!found, "{path} holds the answer of {question}");
            }
        }
    }
}

#[test]
fn a_student_works_in_a_hand_out_as_in_practice_and_short_answers_wait() {
    let class = Class::new(1, &["00-first-contact", "11-the-oracle"]);
    let folder = class.hand_out()["student1"].join("00-first-contact");
    solve(&folder, "00-first-contact");
    let checked = run(&folder, &["lab", "check"]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{said}");
    assert!(said.contains("wait  0/3  second message"), "{said}");
    assert!(said.contains("is compared when you hand it in"), "{said}");
    assert!(said.contains("pass  2/2  session key"), "{said}");
    // A form that cannot be right is told at once; an answer that is missing fails.
    let sheet = folder.join("answers.toml");
    let text = fs::read_to_string(&sheet).unwrap();
    // One login in 256 is shorter than the others.
    let many = text
        .lines()
        .map(|line| match line.starts_with("login-length = ") {
            true => "login-length = \"many\"",
            false => line,
        });
    fs::write(&sheet, many.collect::<Vec<_>>().join("\n")).unwrap();
    let checked = run(&folder, &["lab", "check"]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("the answer is a number"), "{said}");
    // Personal files come back from the hand-out, and the journal stays.
    fs::remove_file(folder.join("faithful.pcap")).unwrap();
    let reset = run(&folder, &["lab", "reset", "--yes"]);
    assert!(reset.status.success(), "{reset:?}");
    assert!(folder.join("faithful.pcap").exists());
    let journal = fs::read_to_string(folder.join(".latchstring.journal")).unwrap();
    assert!(
        journal.lines().count() >= 4 && journal.contains("reset"),
        "{journal}"
    );
}

#[test]
fn a_practice_folder_is_not_handed_in_and_a_lost_state_says_what_to_do() {
    let class = Class::new(1, &["00-first-contact"]);
    let practice = class.path("practice");
    let started = class.run(&["lab", "start", "00", "--dir", "practice"]);
    assert!(started.status.success());
    let refused = String::from_utf8(run(&practice, &["lab", "submit"]).stderr).unwrap();
    assert!(refused.contains("is for practice"), "{refused}");
    let folder = class.hand_out()["student1"].join("00-first-contact");
    for file in [".latchstring.json", ".latchstring.json.copy"] {
        fs::remove_file(folder.join(file)).unwrap();
    }
    let lost = String::from_utf8(run(&folder, &["lab", "reset", "--yes"]).stderr).unwrap();
    assert!(lost.contains("unpack your hand-out again"), "{lost}");
}

/// What a student reads first has all steps, in their order, and nothing that only a practice folder needs.
#[test]
fn a_student_finds_the_steps_the_deadlines_and_the_late_rule_in_the_hand_out() {
    let class = Class::new(1, &["00-first-contact", "04-two-time-pad"]);
    class.terms(
        "[due]",
        "[due]\n00-first-contact = 2026-11-27T18:00:00+01:00",
    );
    class.terms("percent-a-day = 0", "percent-a-day = 20\ndays = 4");
    let top = class.hand_out()["student1"].clone();
    let first = fs::read_to_string(top.join("READ-ME-FIRST.md")).unwrap();
    let mut rest = first.as_str();
    for step in [
        "## 1. Get the program",
        "cargo build --release",
        "export PATH=",
        "## 2. Do a lab",
        "the folder with this file (`network-security-student1`)",
        "cd 00-first-contact",
        "latchstring lab check",
        "## 3. Hand it in",
        "latchstring lab submit",
        "`00-first-contact.student1.latchstring.zip`",
        "The last file of a lab counts.",
        "## Deadlines",
        "| 00-first-contact | First contact | Fri 2026-11-27 18:00 (UTC+01:00) | 2026-11-27 17:00 |",
        "Late work loses 20 % of its points for each day after the deadline. A begun day counts in full",
    ] {
        let (_, after) = rest
            .split_once(step)
            .unwrap_or_else(|| panic!("{step}: {first}"));
        rest = after;
    }
    assert!(
        !first.contains("| 04-two-time-pad"),
        "it has no deadline: {first}"
    );
    // The instructor says in other words where the program is.
    class.terms(
        "# The labs, in any order",
        "program = \"It is in room 12.\"\n#",
    );
    class.runs(&["course", "hand-out", "again"]);
    let again = entries(&fs::read(class.path("again/student1.zip")).unwrap());
    let again = again["network-security-student1/READ-ME-FIRST.md"].clone();
    let again = String::from_utf8(again).unwrap();
    assert!(
        again.contains("It is in room 12.") && !again.contains("cargo build"),
        "{again}"
    );
    // The handout fits a folder that is there, also after it was laid out again.
    for lab in ["00-first-contact", "04-two-time-pad"] {
        let work = top.join(lab);
        for _ in 0..2 {
            let handout = fs::read_to_string(work.join("README.md")).unwrap();
            assert!(handout.contains(&format!("\n    cd {lab}\n")), "{handout}");
            assert!(
                !handout.contains("lab start") && !handout.contains("lab-work"),
                "{handout}"
            );
            assert!(run(&work, &["lab", "reset", "--yes"]).status.success());
        }
        let begun = run(&work, &["lab", "start", lab]);
        let said = String::from_utf8(begun.stderr).unwrap();
        assert!(
            said.contains("is started already: go on in this folder"),
            "{said}"
        );
    }
}

/// Where no lab is, each command of a student names itself, so that its line can be typed again.
#[test]
fn in_a_wrong_folder_each_command_names_itself() {
    let nowhere = tempfile::tempdir().unwrap();
    for command in [
        "predict", "serve", "visit", "hint", "check", "watch", "explain", "submit", "reset",
    ] {
        let refused = run(nowhere.path(), &["lab", command]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success(), "{command}");
        assert!(
            said.contains(&format!("`latchstring lab {command} 01`")),
            "{said}"
        );
    }
}
