//! A class hands in over its own server, with the real programs: invitations, hand-out, enrolment, sending, collecting and
//! grading; also when the server is killed in the middle, and when somebody cheats.

#[path = "course/class.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod class;
#[path = "support/pair.rs"]
mod pair;
#[path = "course_server/town.rs"]
mod town;
#[path = "course_server/troubles.rs"]
mod troubles;

use std::{
    fs, os::unix::fs::PermissionsExt, path::Path, process::Command, thread::sleep, time::Duration,
};

use class::{one_line, remarks, result};
use latchstring_course::{grades::RemarkKind, points::Points};
use latchstring_tests::binary;
use pair::{code, succeeds};
use serde_json::Value;
use town::{LAB, Town};

/// All points of the lab.
const ALL: Points = Points::whole(13);

#[test]
fn a_class_is_invited_hands_in_and_gets_its_points() {
    let town = Town::new(5);
    let first_four = &town.class.students[..4];
    for student in first_four {
        let (said, _) = succeeds(town.submit(student).output().unwrap());
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "You have an account now",
            "The server holds 00-first-contact",
            "by the clock of this machine",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let receipt = town.bundle(student).with_extension("zip.receipt.json");
        let receipt: Value = serde_json::from_slice(&fs::read(receipt).unwrap()).unwrap();
        let sha256 = receipt["sha256"].as_str().unwrap();
        assert!(said.contains(sha256), "{said}");
        assert!(!town.journal(student).exists());
    }
    let said = town.collect();
    for part in [
        "4 new files in in, 0 as before.",
        "00-first-contact: from 4 students; not from student5.",
        "No file at all from: student5.",
        "Next: latchstring course grade in",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for student in first_four {
        let files = town.collected(student);
        assert_eq!(files.len(), 2, "{files:?}");
        let sent = fs::read(town.bundle(student)).unwrap();
        assert!(files[0].1 == sent, "{student}");
        assert!(files[1].0.ends_with(".zip.received"));
    }
    let (grades, said) = town.class.grade();
    for student in first_four {
        let result = result(&grades, student, LAB);
        assert_eq!(result.points(), ALL, "{said}");
        assert_eq!(remarks(result), "");
    }
    assert!(town.collect().contains("0 new files in in, 4 as before."));

    // Once more: nothing is asked and nothing new comes, since the work is the same.
    let (said, _) = succeeds(town.submit("student1").output().unwrap());
    assert!(said.contains("the invitation was used before"), "{said}");
    assert!(town.collect().contains("0 new files in in, 4 as before."));
    assert_eq!(town.collected("student1").len(), 2);
}

#[test]
fn invitations_are_private_and_only_for_those_without_an_account() {
    let town = Town::new(3);
    let folder = town.class.path("invitations");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let line = |student: &str| fs::read_to_string(folder.join(student)).unwrap();
    for student in &town.class.students {
        assert_eq!(mode(&folder.join(student)), 0o600);
        let token = line(student).trim().rsplit(':').next().unwrap().to_owned();
        assert!(token.len() > 20 && !town.invited.contains(&token));
        let archived = town.folders[student].join("invitation");
        assert_eq!(fs::read_to_string(archived).unwrap(), line(student));
    }
    succeeds(town.submit("student1").output().unwrap());
    let second = line("student2");
    fs::remove_file(folder.join("student3")).unwrap();
    let said = town.invite(&[]);
    for part in [
        "0 new invitations in invitations",
        "Left out, with an account: student1.",
        "Kept, with an invitation that can still be used: student2 (until",
        "that is not in this folder: student3 (until",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!folder.join("student1").exists());
    assert_eq!(
        line("student2"),
        second,
        "a new one would end the one that was handed out"
    );
    let said = town.invite(&["--renew", "--student", "student3"]);
    assert!(said.contains("1 new invitation in"), "{said}");

    // The hand-out made again: no invitation for an account, and the others' as before.
    town.class.runs(&[
        "course",
        "hand-out",
        "again",
        "--invitations",
        "invitations",
    ]);
    for (student, invited) in [("student1", false), ("student2", true), ("student3", true)] {
        let archive = fs::read(town.class.path("again").join(format!("{student}.zip"))).unwrap();
        let files = class::entries(&archive);
        let top = format!("network-security-{student}");
        assert_eq!(
            files.contains_key(&format!("{top}/invitation")),
            invited,
            "{student}"
        );
        let text = String::from_utf8(files[&format!("{top}/READ-ME-FIRST.md")].clone()).unwrap();
        assert!(
            text.contains(&format!("lab submit --to {student}@HOST")),
            "{text}"
        );
        assert_eq!(
            text.contains("--invitation ../invitation"),
            invited,
            "{text}"
        );
    }
    // Neither an account nor an invitation.
    fs::remove_file(folder.join("student2")).unwrap();
    let output = town
        .class
        .run(&["course", "hand-out", "no", "--invitations", "invitations"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("student2 has no invitation"),
        "{said}"
    );
}

/// Hands in a large bundle, and kills the server with SIGKILL when it has stored 30 parts and half of another is on its way.
fn killed_in_the_middle(town: &mut Town, student: &str) {
    town.enlarge(student);
    town.proxy.hold();
    let client = town.submit(student).spawn().unwrap();
    town.wait_until_held(student);
    town.server.signal("KILL");
    let output = client.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(code(&output), 5, "{said}");
    assert!(said.contains("30 of"), "{said}");
    let said = one_line(&output);
    assert!(
        said.contains("is not handed in yet. Run the same command again."),
        "{said}"
    );
    town.server.restart();
    assert_eq!(town.stored(student), 30);
    town.proxy.let_go();
}

#[test]
fn a_server_that_is_killed_in_the_middle_gets_the_same_file_with_every_part_once() {
    let mut town = Town::new(2);
    killed_in_the_middle(&mut town, "student1");
    let before = fs::read(town.bundle("student1")).unwrap();
    let said = town.collect();
    assert!(said.contains("0 new files in in"), "{said}");
    // Time passes, and the student looks at the lab again: the work is the same.
    sleep(Duration::from_millis(1100));
    succeeds(
        town.latchstring("student1", &["lab", "explain"])
            .output()
            .unwrap(),
    );

    let output = town.submit("student1").output().unwrap();
    let said = one_line(&output);
    assert!(
        said.contains("Your work has not changed since a transfer"),
        "{said}"
    );
    let (_, notes) = succeeds(output);
    assert!(notes.contains("the server holds 30 already"), "{notes}");
    let sent = fs::read(town.bundle("student1")).unwrap();
    assert!(sent == before, "the same file goes on");
    assert_eq!(
        town.stored("student1"),
        sent.len().div_ceil(12_000),
        "nothing is doubled"
    );
    assert!(town.collect().contains("1 new file in in"));
    let files = town.collected("student1");
    assert!(files.len() == 2 && files[0].1 == sent);
    let (grades, said) = town.class.grade();
    assert_eq!(result(&grades, "student1", LAB).points(), ALL, "{said}");
    assert_eq!(remarks(result(&grades, "student1", LAB)), "");
}

/// The twin: without the client's notes the parts are stored twice. So the test above can fail.
#[test]
fn without_the_journal_parts_are_stored_twice_and_the_file_is_still_one() {
    let mut town = Town::new(2);
    killed_in_the_middle(&mut town, "student1");
    fs::remove_file(town.journal("student1")).unwrap();
    fs::remove_dir_all(town.home_of("student1").join(".latchstring/outbox")).unwrap();
    succeeds(town.submit("student1").output().unwrap());
    let sent = fs::read(town.bundle("student1")).unwrap();
    let parts = sent.len().div_ceil(12_000);
    assert!(
        town.stored("student1") >= parts + 30,
        "{}",
        town.stored("student1")
    );
    assert!(town.collect().contains("1 new file in in"));
    let files = town.collected("student1");
    assert!(files.len() == 2 && files[0].1 == sent);
    let (grades, said) = town.class.grade();
    assert_eq!(result(&grades, "student1", LAB).points(), ALL, "{said}");
}

#[test]
fn changed_work_is_a_new_file_and_the_old_journal_is_set_aside() {
    let mut town = Town::new(2);
    killed_in_the_middle(&mut town, "student1");
    fs::write(town.lab("student1").join("notes.txt"), "one more thought").unwrap();
    let before = fs::read(town.bundle("student1")).unwrap();
    let output = town.submit("student1").output().unwrap();
    let said = one_line(&output);
    assert!(
        said.contains("Your work has changed since a transfer"),
        "{said}"
    );
    succeeds(output);
    let aside = town.journal("student1").with_extension("sending.old");
    assert!(aside.exists() && !town.journal("student1").exists());
    let sent = fs::read(town.bundle("student1")).unwrap();
    assert!(sent != before);
    let output = town
        .class
        .run(&["course", "collect", "in", "--server", town.server_path()]);
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(
        notes.contains("student1.latchstring.zip is incomplete"),
        "{notes}"
    );
    let files = town.collected("student1");
    assert!(files.len() == 2 && files[0].1 == sent);

    // Handed in, changed, handed in again: two files of one name, and the last one counts.
    fs::write(town.lab("student1").join("notes.txt"), "and another").unwrap();
    sleep(Duration::from_millis(1100));
    succeeds(town.submit("student1").output().unwrap());
    assert!(town.collect().contains("1 new file in in, 1 as before."));
    assert_eq!(town.collected("student1").len(), 4);
    let (grades, _) = town.class.grade();
    let result = result(&grades, "student1", LAB);
    assert_eq!(result.points(), ALL);
    assert!(
        remarks(result).contains("handed in more than once"),
        "{}",
        remarks(result)
    );
    // Nothing of the sending is handed in.
    let entries = class::entries(&fs::read(town.bundle("student1")).unwrap());
    assert!(
        !entries
            .keys()
            .any(|name| name.contains("sending") || name.contains("receipt")),
        "{:?}",
        entries.keys()
    );
}

#[test]
fn a_file_that_comes_late_is_late_by_the_clock_of_the_server() {
    let town = Town::new(2);
    for student in &town.class.students {
        succeeds(
            town.latchstring(student, &["lab", "submit"])
                .output()
                .unwrap(),
        );
    }
    succeeds(town.submit("student2").output().unwrap());
    // The deadline: the first whole second after both files were made and one was sent.
    sleep(Duration::from_millis(1100));
    let due = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output();
    let due = succeeds(due.unwrap()).0;
    sleep(Duration::from_millis(1100));
    succeeds(town.submit("student1").output().unwrap());
    town.collect();
    town.class.terms("[due]", &format!("[due]\n{LAB} = {due}"));
    let late = || {
        let (grades, said) = town.class.grade();
        assert_eq!(result(&grades, "student2", LAB).late_minutes, 0, "{said}");
        result(&grades, "student1", LAB).late_minutes
    };
    assert_eq!(late(), 1);
    // By the clock of the student's machine, it was made in time.
    for (name, _) in town.collected("student1") {
        if name.ends_with(".received") {
            fs::remove_file(town.class.path("in/student1").join(name)).unwrap();
        }
    }
    assert_eq!(late(), 0);
}

#[test]
fn a_student_who_hands_in_the_work_of_another_is_named() {
    let town = Town::new(3);
    for student in ["student1", "student2"] {
        succeeds(town.submit(student).output().unwrap());
    }
    // From the folder of student 1, with the account of student 2.
    let output = town
        .submit_as("student2", &town.lab("student1"))
        .output()
        .unwrap();
    let said = one_line(&output);
    assert!(
        said.contains("The hand-out is that of student1, and you send it as student2"),
        "{said}"
    );
    succeeds(output);
    // And under a name that could pass for a folder of student 1.
    let mut sneaky = Command::new(binary("latchstring-client"));
    sneaky
        .env("HOME", town.home_of("student2"))
        .args(["send-file", "--name", "student1"]);
    sneaky.arg("--password-file").arg(town.password("student2"));
    sneaky
        .arg(town.address("student2"))
        .arg(town.bundle("student1"));
    succeeds(sneaky.output().unwrap());

    assert!(town.collect().contains("4 new files"));
    let output = town.class.run(&["course", "grade", "in"]);
    assert_eq!(code(&output), 3, "{output:?}");
    let said = one_line(&output);
    for path in [
        "in/student2/00-first-contact.student1.latchstring.zip",
        "in/student2/student1",
    ] {
        let path = path.strip_prefix("in/").unwrap();
        let named = format!(
            "{path}: student2 has uploaded it, and it was made from the hand-out of student1"
        );
        assert!(said.contains(&named), "{named}: {said}");
    }
    let (grades, _) = town.class.grade();
    for student in ["student1", "student2"] {
        let result = result(&grades, student, LAB);
        assert_eq!(result.points(), ALL);
        let again = result
            .remarks
            .iter()
            .any(|remark| remark.kind == RemarkKind::Again);
        assert!(!again, "{}", remarks(result));
    }
}
