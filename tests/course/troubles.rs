//! What goes wrong with files that a class hands in: each trouble has its own message, and touches nobody else's grade.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use latchstring_course::{
    grades::{Grades, RemarkKind},
    points::Points,
};

use crate::class::{Class, archive, entries, one_line, remarks, result, run, solve, submit};

pub(crate) const LAB: &str = "00-first-contact";
/// All points of the lab.
pub(crate) const ALL: Points = Points::whole(13);

/// A class whose students have solved the lab.
pub(crate) struct Solved {
    pub(crate) class: Class,
    folders: BTreeMap<String, PathBuf>,
}

impl Solved {
    pub(crate) fn new(students: usize) -> Self {
        let class = Class::new(students, &[LAB]);
        let folders = class.hand_out();
        let folders: BTreeMap<String, PathBuf> = folders
            .into_iter()
            .map(|(student, folder)| (student, folder.join(LAB)))
            .collect();
        for folder in folders.values() {
            solve(folder, LAB);
        }
        fs::create_dir(class.path("in")).unwrap();
        Self { class, folders }
    }

    fn folder(&self, number: usize) -> &Path {
        &self.folders[&format!("student{number}")]
    }

    /// The file that this student would hand in.
    pub(crate) fn bundle(&self, number: usize) -> Vec<u8> {
        submit(self.folder(number))
    }

    /// Puts a file among those that were handed in.
    pub(crate) fn hands_in(&self, path: &str, bytes: &[u8]) {
        let path = self.class.path("in").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A bundle in which one file was changed after it was made.
fn edited(bundle: &[u8], name: &str, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let mut files = entries(bundle);
    let text = String::from_utf8(files[name].clone()).unwrap();
    files.insert(name.to_owned(), change(text).into_bytes());
    archive(&files)
}

/// Changes a file in a student's folder before it is handed in.
fn change(path: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, change(text)).unwrap();
}

#[test]
fn what_was_changed_is_told_apart_and_the_grade_comes_from_the_files() {
    let solved = Solved::new(9);
    for number in 1..=9 {
        run(solved.folder(number), &["lab", "check"]);
    }
    // 1: nothing. 2: an answer, after the bundle was made.
    solved.hands_in("1.zip", &solved.bundle(1));
    let wrong = |text: String| text.replace("second-message = \"", "second-message = \"x");
    solved.hands_in(
        "2.zip",
        &edited(&solved.bundle(2), "work/answers.toml", wrong),
    );
    // 3: a capture that is cut short.
    let capture = solved.folder(3).join("faithful.pcap");
    let bytes = fs::read(&capture).unwrap();
    fs::write(&capture, &bytes[..bytes.len() - 100]).unwrap();
    solved.hands_in("3.zip", &solved.bundle(3));
    // 4: a capture of somebody else. 5: none.
    fs::copy(
        solved.folder(1).join("faithful.pcap"),
        solved.folder(4).join("faithful.pcap"),
    )
    .unwrap();
    solved.hands_in("4.zip", &solved.bundle(4));
    fs::remove_file(solved.folder(5).join("hardened.pcap")).unwrap();
    solved.hands_in("5.zip", &solved.bundle(5));
    // 6: a transcript that was made up.
    change(&solved.folder(6).join(".latchstring.journal"), |text| {
        text.replacen("\"passed\":[", "\"passed\":[\"second-message\",", 1)
    });
    solved.hands_in("6.zip", &solved.bundle(6));
    // 7: a pass in the state file that no check has seen. 8: another hand-out in the state file.
    for copy in [".latchstring.json", ".latchstring.json.copy"] {
        change(&solved.folder(7).join(copy), |text| {
            text.replace("\"passed\": [", "\"passed\": [\n    \"second-message\",")
        });
        change(&solved.folder(8).join(copy), |text| {
            text.replace("How many characters", "How many")
                .replace("how many bytes", "how many")
                .replace("how many records", "how often")
        });
    }
    solved.hands_in("7.zip", &solved.bundle(7));
    solved.hands_in("8.zip", &solved.bundle(8));
    // 9: an old version of the program.
    for copy in [".latchstring.json", ".latchstring.json.copy"] {
        let old = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
        change(&solved.folder(9).join(copy), |text| {
            text.replace(&old, "\"version\": \"0.0.9\"")
        });
    }
    solved.hands_in("9.zip", &solved.bundle(9));

    let (grades, said) = solved.class.grade();
    let of = |number: usize| result(&grades, &format!("student{number}"), LAB);
    assert_eq!(remarks(of(1)), "", "{said}");
    for (number, kind, sentence) in [
        (
            2,
            RemarkKind::Altered,
            "answers.toml was changed after the bundle was made",
        ),
        (3, RemarkKind::Altered, "faithful.pcap is cut short"),
        (
            4,
            RemarkKind::Altered,
            "faithful.pcap is not the file that was handed out",
        ),
        (
            5,
            RemarkKind::Missing,
            "hardened.pcap, which was handed out, is missing",
        ),
        (
            6,
            RemarkKind::Altered,
            "the journal was not written by this student's hand-out from line",
        ),
        (
            7,
            RemarkKind::Altered,
            "second-message has passed, and no check in the journal saw that",
        ),
        (
            8,
            RemarkKind::Altered,
            "the state file of the lab is not the one that was handed out",
        ),
        (
            9,
            RemarkKind::Version,
            "the hand-out was made by version 0.0.9",
        ),
    ] {
        let result = of(number);
        assert_eq!(result.remarks.len(), 1, "{number}: {}", remarks(result));
        assert_eq!(result.remarks[0].kind, kind, "{number}");
        assert!(
            remarks(result).contains(sentence),
            "{number}: {}",
            remarks(result)
        );
        assert!(said.contains(sentence), "{said}");
        let points = if number == 2 { Points::whole(10) } else { ALL };
        assert_eq!(result.points(), points, "{number}");
    }
}

#[test]
fn whose_a_file_is_does_not_depend_on_its_name_and_the_last_one_counts() {
    let solved = Solved::new(5);
    // A name that says nothing, and one that a platform made up.
    solved.hands_in("final version (2).zip", &solved.bundle(1));
    solved.hands_in("2_assignsubmission_file_/x.zip", &solved.bundle(2));
    // Twice the same; and an older one of fewer points.
    let same = solved.bundle(3);
    solved.hands_in("a/3.zip", &same);
    solved.hands_in("b/3 (1).zip", &same);
    let sheet = solved.folder(4).join("answers.toml");
    let right = fs::read_to_string(&sheet).unwrap();
    fs::write(
        &sheet,
        right.replace("second-message = \"", "second-message = \"x"),
    )
    .unwrap();
    let older = solved.bundle(4);
    sleep(Duration::from_millis(1100));
    fs::write(&sheet, right).unwrap();
    solved.hands_in("0/4.zip", &solved.bundle(4));
    solved.hands_in("1/4.zip", &older);
    // Packed once more by a platform.
    let packed = [("upload/5.zip".to_owned(), solved.bundle(5))];
    let packed: BTreeMap<_, _> = packed.into();
    solved.hands_in("class.zip", &archive(&packed));

    let (grades, said) = solved.class.grade();
    for number in 1..=5 {
        let result = result(&grades, &format!("student{number}"), LAB);
        assert_eq!(result.points(), ALL, "{number}: {said}");
        let again = result
            .remarks
            .iter()
            .filter(|remark| remark.kind == RemarkKind::Again);
        assert_eq!(
            again.count(),
            usize::from(matches!(number, 3 | 4)),
            "{number}"
        );
    }
    assert!(
        remarks(result(&grades, "student3", LAB)).contains("the same file"),
        "{said}"
    );
    assert!(
        remarks(result(&grades, "student4", LAB)).contains("more than once"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_nobodys_work_is_named_and_takes_no_points_from_anybody() {
    let solved = Solved::new(3);
    solved.hands_in("student1/1.zip", &solved.bundle(1));
    // The work of student 1, which student 2 has uploaded; and with the name in it changed.
    solved.hands_in("student2/mine.zip", &solved.bundle(1));
    let renamed = edited(&solved.bundle(1), "bundle.json", |text| {
        text.replace("\"student1\"", "\"student2\"")
    });
    solved.hands_in("renamed.zip", &renamed);
    solved.hands_in("empty.zip", b"");
    solved.hands_in("report.pdf", b"%PDF-1.7 my report");
    solved.hands_in("page.html", b"<!doctype html><title>Log in</title>");
    solved.hands_in("work.rar", b"Rar!\x1a\x07\x01\0rest");
    let by_hand = BTreeMap::from([("00/answers.toml".to_owned(), b"[answers]".to_vec())]);
    solved.hands_in("work.zip", &archive(&by_hand));
    let newer = edited(&solved.bundle(3), "bundle.json", |text| {
        text.replace("\"format\": 1", "\"format\": 2")
    });
    solved.hands_in("newer.zip", &newer);
    let other = edited(&solved.bundle(3), "bundle.json", |text| {
        text.replace("Network security", "Databases")
    });
    solved.hands_in("other.zip", &other);

    let output = solved.class.run(&["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    for sentence in [
        "student2/mine.zip: student2 has uploaded it, and it was made from the hand-out of student1",
        "renamed.zip: it names the student \"student2\", and it was sealed with the hand-out of student1",
        "empty.zip: the file is empty",
        "report.pdf: it is a PDF file; wanted is the file that ends with .latchstring.zip, which `latchstring lab submit` makes",
        "page.html: it is an HTML page",
        "work.zip: it is a ZIP archive without bundle.json, as of a folder that was packed by hand; wanted is",
        "work.rar: it is a RAR archive; if the right file is in it, unpack it; wanted is",
        "newer.zip: it has the format 2",
        "other.zip: it is of the course \"Databases\"",
        "Nothing was handed in by: student2, student3.",
    ] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    let (grades, _) = solved.class.grade();
    assert_eq!(result(&grades, "student1", LAB).points(), ALL);

    // They stay in the grades, and are in the report, until a later look finds them in order.
    let kept = |grades: &Grades| -> Vec<String> {
        grades
            .files()
            .iter()
            .map(|file| file.path.clone())
            .collect()
    };
    let all = [
        "empty.zip",
        "newer.zip",
        "other.zip",
        "page.html",
        "renamed.zip",
        "report.pdf",
        "student2/mine.zip",
        "work.rar",
        "work.zip",
    ];
    assert_eq!(kept(&grades), all);
    solved.class.runs(&["course", "report", "--csv", "tables"]);
    let page = fs::read_to_string(solved.class.path("report.html")).unwrap();
    let table = fs::read_to_string(solved.class.path("tables/not-graded.csv")).unwrap();
    for text in [&page, &table] {
        assert!(
            text.contains("student2/mine.zip") && text.contains("it is a PDF file"),
            "{text}"
        );
    }
    solved.hands_in("newer.zip", &solved.bundle(3));
    let more = solved.class.path("more");
    fs::create_dir(&more).unwrap();
    fs::write(more.join("note.txt"), "see my mail").unwrap();
    let regraded = |folder: &str| {
        let output = solved.class.run(&["course", "regrade", folder]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let text = fs::read_to_string(solved.class.path("grades.json")).unwrap();
        Grades::from_json(&text).unwrap()
    };
    // Those of another folder are added, and a file that is mended is taken off.
    let grades = regraded("more");
    assert_eq!(kept(&grades).len(), all.len() + 1);
    let grades = regraded("in");
    let left: Vec<&str> = ["empty.zip", "note.txt"]
        .into_iter()
        .chain(all[2..].iter().copied())
        .collect();
    assert_eq!(kept(&grades), left);
    assert_eq!(result(&grades, "student3", LAB).points(), ALL);
}

#[test]
fn a_folder_of_another_student_takes_no_points_and_tells_students_no_names() {
    let solved = Solved::new(4);
    let moodle = |number: usize| format!("Name of student{number}_{number}_assignsubmission_file_");
    let sheet = solved.folder(1).join("answers.toml");
    let right = fs::read_to_string(&sheet).unwrap();
    solved.hands_in(&format!("{}/x.zip", moodle(1)), &solved.bundle(1));
    // A later and worse file of student 1, in the folder that Moodle has made for student 3.
    let wrong = right.replace("second-message = \"", "second-message = \"x");
    fs::write(&sheet, wrong).unwrap();
    sleep(Duration::from_millis(1100));
    solved.hands_in(&format!("{}/x.zip", moodle(3)), &solved.bundle(1));
    // The same one as Canvas names it, with a copy of the first.
    solved.hands_in("nameofstudent3_LATE_1003_556677_x.zip", &solved.bundle(1));
    // Nobody in the course has this name.
    let same = solved.bundle(2);
    solved.hands_in("Eve Fremd_9_assignsubmission_file_/2.zip", &same);
    solved.hands_in(&format!("{}/x.zip", moodle(2)), &same);

    let output = solved.class.run(&["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    for path in [
        format!("{}/x.zip", moodle(3)),
        "nameofstudent3_LATE_1003_556677_x.zip".to_owned(),
    ] {
        let wanted = format!(
            "{path}: student3 has uploaded it, and it was made from the hand-out of student1"
        );
        assert!(said.contains(&wanted), "{said}");
    }
    let (grades, _) = solved.class.grade();
    assert_eq!(result(&grades, "student1", LAB).points(), ALL, "{said}");
    assert_eq!(remarks(result(&grades, "student1", LAB)), "");
    let second = result(&grades, "student2", LAB);
    assert_eq!(second.points(), ALL, "{said}");
    assert!(
        remarks(second).contains(
            "Eve Fremd_9_assignsubmission_file_/2.zip: the platform names \"Eve Fremd\", and the course has nobody of this name"
        ),
        "{}",
        remarks(second)
    );
    let paths = format!(
        "the same file is in Eve Fremd_9_assignsubmission_file_/2.zip, {}/x.zip",
        moodle(2)
    );
    assert!(remarks(second).contains(&paths), "{}", remarks(second));
    // What the student reads names no file of others.
    for platform in ["moodle", "junit"] {
        solved
            .class
            .runs(&["course", "export", platform, "--out", "export"]);
        let text = fs::read_to_string(solved.class.path("export")).unwrap();
        assert!(text.contains("handed in"), "{text}");
        assert!(!text.contains("Eve Fremd"), "{text}");
    }
}

#[test]
fn a_bundle_that_was_unpacked_is_one_line_and_not_one_for_each_part() {
    let solved = Solved::new(2);
    solved.hands_in("1/whole.zip", &solved.bundle(1));
    for (name, bytes) in entries(&solved.bundle(2)) {
        solved.hands_in(&format!("2/{name}"), &bytes);
    }
    // The same names say nothing where there is no list of a bundle.
    solved.hands_in("3/journal", b"my diary");
    solved.hands_in("3/bundle.json", b"{}");
    let output = solved.class.run(&["course", "grade", "in"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let said = one_line(&output);
    let lines = said.matches("not graded: ").count();
    assert_eq!(lines, 3, "{said}");
    assert!(
        said.contains(
            "2/bundle.json: this is a bundle that was unpacked: hand in the .zip as it is"
        ),
        "{said}"
    );
    assert!(said.contains("not graded: 3/journal"), "{said}");
}

#[test]
fn one_students_answers_are_wrong_for_another_and_an_empty_sheet_earns_nothing() {
    let solved = Solved::new(3);
    fs::copy(
        solved.folder(1).join("answers.toml"),
        solved.folder(2).join("answers.toml"),
    )
    .unwrap();
    let sheet = solved.folder(3).join("answers.toml");
    let empty = fs::read_to_string(&sheet).unwrap();
    let empty = empty.lines().map(|line| match line.split_once(" = \"") {
        Some((key, _)) if !line.starts_with('#') => format!("{key} = \"\"\n"),
        _ => format!("{line}\n"),
    });
    fs::write(&sheet, empty.collect::<String>()).unwrap();
    for number in 1..=3 {
        solved.hands_in(&format!("{number}.zip"), &solved.bundle(number));
    }
    let (grades, said) = solved.class.grade();
    assert_eq!(result(&grades, "student1", LAB).points(), ALL, "{said}");
    let copied = result(&grades, "student2", LAB);
    let right = |id: &str| copied.items.iter().any(|item| item.id == id && item.passed);
    for personal in ["session-key", "iv", "second-message"] {
        assert!(!right(personal), "{personal} of another student is right");
    }
    assert!(right("readable-word"), "a constant of the protocol");
    assert_eq!(result(&grades, "student3", LAB).points(), Points::default());
}

#[test]
fn late_work_loses_what_the_terms_say_and_grading_again_tells_what_changed() {
    let solved = Solved::new(2);
    for number in 1..=2 {
        solved.hands_in(&format!("{number}.zip"), &solved.bundle(number));
    }
    let (grades, _) = solved.class.grade();
    assert_eq!(result(&grades, "student1", LAB).points(), ALL);
    solved
        .class
        .terms("[due]", "[due]\n00-first-contact = 2020-01-01T00:00:00Z");
    solved
        .class
        .terms("percent-a-day = 0", "percent-a-day = 0\ndays = 3");
    let said = solved
        .class
        .runs(&["course", "regrade", "in", "--student", "student2"]);
    assert!(
        said.contains("student2, 00-first-contact: 13 before, 0 now"),
        "{said}"
    );
    assert!(
        said.contains("1 result changed: 1 graded again, 1 kept."),
        "{said}"
    );
    solved.class.terms("days = 3", "");
    let said = solved.class.runs(&["course", "regrade", "in"]);
    assert!(
        said.contains("student2, 00-first-contact: 0 before, 13 now"),
        "{said}"
    );
    let text = fs::read_to_string(solved.class.path("grades.json")).unwrap();
    assert!(
        text.contains("after the deadline: 100 % of the points count"),
        "{text}"
    );
}

/// The first student hands in late work that is worth less than the work in time, and the second one late work that is worth more.
#[test]
fn late_work_counts_only_where_it_is_worth_more_than_work_in_time() {
    let solved = Solved::new(2);
    let worse: [&[(&str, &str)]; 2] = [
        &[("client-records = \"", "9")],
        &[
            ("session-key = \"", "00"),
            ("iv = \"", "00"),
            ("second-message = \"", "x"),
        ],
    ];
    for (number, changes) in [(1, worse[0]), (2, worse[1])] {
        let sheet = solved.folder(number).join("answers.toml");
        let right = fs::read_to_string(&sheet).unwrap();
        let wrong = changes.iter().fold(right.clone(), |text, (key, more)| {
            text.replace(key, &format!("{key}{more}"))
        });
        fs::write(&sheet, wrong).unwrap();
        let first = received("2026-11-27T12:00:00Z", number, &solved);
        fs::write(&sheet, right).unwrap();
        let last = received("2026-11-27T21:00:00Z", number, &solved);
        assert_ne!(first, last);
    }
    solved
        .class
        .terms("[due]", "[due]\n00-first-contact = 2026-11-27T18:00:00Z");
    solved
        .class
        .terms("percent-a-day = 0", "percent-a-day = 20");
    let (grades, said) = solved.class.grade();
    let of = |number: usize| result(&grades, &format!("student{number}"), LAB);
    // 2 of 13 points are lost in time, and 20 percent of 13 by lateness.
    assert_eq!(of(1).points(), Points::whole(11), "{said}");
    assert_eq!(of(1).late_minutes, 0);
    assert!(
        remarks(of(1)).contains(
            "the file of 2026-11-27T12:00:00Z counts, because it is worth more (11) than the last one, which came late (10.4)"
        ),
        "{said}"
    );
    assert_eq!(of(2).points(), Points::hundredths(1040), "{said}");
    assert_eq!(of(2).late_minutes, 180);
    assert!(
        remarks(of(2)).contains(
            "the file of 2026-11-27T21:00:00Z counts, because it is the last one, and no file"
        ),
        "{said}"
    );
}

/// Hands in the work of a student as it is now, as the course's own server has received it at this time.
fn received(at: &str, number: usize, solved: &Solved) -> Vec<u8> {
    let bundle = solved.bundle(number);
    let path = format!("student{number}/{}.zip", at.replace(':', "-"));
    solved.hands_in(&path, &bundle);
    solved.hands_in(&format!("{path}.received"), at.as_bytes());
    bundle
}

#[test]
fn parts_of_a_class_that_were_graded_apart_are_the_class_when_they_are_together() {
    let solved = Solved::new(3);
    for number in 1..=3 {
        solved.hands_in(&format!("{number}.zip"), &solved.bundle(number));
    }
    let at = ["--at", "2026-12-01T12:00:00Z"];
    let grade = |more: &[&str]| {
        let arguments = [&["course", "grade", "in"], &at[..], more].concat();
        solved.class.runs(&arguments)
    };
    let said = grade(&["--out", "whole.json"]);
    assert!(said.contains("student2 13 of 13 (00: 13 of 13)"), "{said}");
    let said = grade(&["--out", "whole.json", "--quiet"]);
    assert!(!said.contains("(00: 13 of 13)"), "{said}");
    grade(&["--part", "1/2", "--out", "part-1.json"]);
    grade(&["--part", "2/2", "--out", "part-2.json"]);
    solved.class.runs(&[
        "course",
        "merge",
        "part-2.json",
        "part-1.json",
        "--out",
        "merged.json",
    ]);
    let read = |name: &str| fs::read_to_string(solved.class.path(name)).unwrap();
    assert_eq!(read("whole.json"), read("merged.json"));
    assert_ne!(read("whole.json"), read("part-1.json"));
    let merge = |parts: &[&str]| {
        let arguments = [&["course", "merge", "--out", "again.json"], parts].concat();
        let output = solved.class.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let words: Vec<&str> = said.split_whitespace().collect();
        (output.status.success(), words.join(" "))
    };
    let (well, said) = merge(&["part-1.json"]);
    assert!(
        !well && said.contains("part 2 is missing") && said.contains("--part 2/2"),
        "{said}"
    );
    let (well, said) = merge(&["part-1.json", "part-2.json", "part-2.json"]);
    assert!(!well && said.contains("part 2/2 is there twice"), "{said}");
    let (well, said) = merge(&["part-1.json", "whole.json"]);
    assert!(!well && said.contains("merge the parts alone"), "{said}");
    // What is merged in spite of that remembers what is missing.
    let (well, said) = merge(&["part-1.json", "--partial"]);
    assert!(well, "{said}");
    fs::rename(
        solved.class.path("again.json"),
        solved.class.path("some.json"),
    )
    .unwrap();
    let (well, said) = merge(&["some.json"]);
    assert!(!well && said.contains("part 2 is missing"), "{said}");
    let (well, said) = merge(&["some.json", "part-2.json"]);
    assert!(well, "{said}");
    assert_eq!(read("whole.json"), read("again.json"));
    merging_loses_nothing_unseen(&solved, merge);
    // A file that came in between is in one part alone.
    solved.hands_in("3-again.zip", &solved.bundle(3));
    grade(&["--part", "2/2", "--out", "part-2.json", "--replace"]);
    let (well, said) = merge(&["part-1.json", "part-2.json"]);
    assert!(!well && said.contains("differ in the files"), "{said}");
    let wrong = solved
        .class
        .run(&["course", "grade", "in", "--part", "3/2"]);
    assert!(!wrong.status.success());
}

/// What `merge` would lose is named; `--replace` loses it, and the grades of before stay beside the new ones.
fn merging_loses_nothing_unseen(solved: &Solved, merge: impl Fn(&[&str]) -> (bool, String)) {
    let read = |name: &str| fs::read_to_string(solved.class.path(name)).unwrap();
    let whole = read("again.json");
    let (well, said) = merge(&["part-2.json", "--partial"]);
    assert!(
        !well && said.contains("again.json has 2 results that would be lost, such as student1"),
        "{said}"
    );
    assert!(said.contains("--replace"), "{said}");
    assert_eq!(read("again.json"), whole);
    let (well, said) = merge(&["part-2.json", "--partial", "--replace"]);
    assert!(well, "{said}");
    assert_eq!(read("again.json.before"), whole);
    // A result that was graded later, with other points, is one that would be lost; one that is equal is not.
    let later = whole.replace("2026-12-01T12:00:00Z", "2026-12-02T12:00:00Z");
    for (text, goes) in [
        (later.clone(), true),
        (later.replacen("\"hints\": 0", "\"hints\": 1", 1), false),
    ] {
        fs::write(solved.class.path("again.json"), &text).unwrap();
        let (well, said) = merge(&["part-1.json", "part-2.json"]);
        assert_eq!(well, goes, "{said}");
        assert_eq!(
            said.contains("1 result that would be lost"),
            !goes,
            "{said}"
        );
    }
}
