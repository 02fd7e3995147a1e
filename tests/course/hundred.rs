//! A class of a hundred: handed out, solved, handed in with every kind of trouble, graded, compared and exported.
//!
//! Each trouble gets its own message, and nothing crosses from one student to another.

use std::{collections::BTreeMap, fs, io::Write, path::PathBuf};

use latchstring_course::{
    grades::{Grades, LabResult, RemarkKind},
    points::Points,
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::class::{Class, archive, entries, one_line, remarks, result, solve, submit};

const LAB: &str = "00-first-contact";
const PROGRAM: &str = "01-say-the-name";
const ALL: Points = Points::whole(13);

/// What a student does with the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    WrongName,
    Twice,
    Stranger,
    EditedAnswer,
    CutCapture,
    MadeUpTranscript,
    OldVersion,
    Late,
    Empty,
    Nothing,
    Bomb,
    Link,
    Unsafe,
}

/// Who does what; everybody else hands in as it should be.
const TROUBLES: [(std::ops::RangeInclusive<usize>, Kind); 13] = [
    (41..=56, Kind::WrongName),
    (57..=60, Kind::Twice),
    (61..=64, Kind::Stranger),
    (65..=68, Kind::EditedAnswer),
    (69..=72, Kind::CutCapture),
    (73..=76, Kind::MadeUpTranscript),
    (77..=80, Kind::OldVersion),
    (81..=84, Kind::Late),
    (85..=88, Kind::Empty),
    (89..=91, Kind::Nothing),
    (92..=92, Kind::Bomb),
    (93..=93, Kind::Link),
    (94..=94, Kind::Unsafe),
];
/// Two students with one solution.
const PAIR: [usize; 2] = [97, 98];
/// A student whose program attacks the grader.
const ATTACKER: usize = 99;

/// A program that no lab has given, in two students' folders.
const SHARED: &str = include_str!("shared_solution.py");
/// Attacks the grader instead of the server.
const ATTACK: &str = include_str!("attack_on_the_grader.py");

fn kind(number: usize) -> Kind {
    let found = TROUBLES
        .iter()
        .find(|(numbers, _)| numbers.contains(&number));
    found.map_or(Kind::Plain, |(_, kind)| *kind)
}

fn id(number: usize) -> String {
    format!("student{number}")
}

#[test]
fn a_class_of_a_hundred_is_graded_and_each_trouble_is_its_own() {
    let class = Class::new(100, &[LAB, PROGRAM]);
    class.terms("[due]", "[due]\n00-first-contact = 2099-01-01T00:00:00Z");
    class.terms("percent-a-day = 0", "percent-a-day = 50");
    let folders = class.hand_out();
    for number in 1..=100 {
        hand_in(&class, &folders, number);
    }
    hand_in_programs(&class, &folders);
    let before = fs::read(class.path("course.key")).unwrap();

    let (grades, said) = class.grade();
    assert_eq!(grades.students().len(), 100);
    for number in 1..=100 {
        check(&grades, &said, number);
    }
    programs_are_graded(&grades);
    assert_eq!(
        fs::read(class.path("course.key")).unwrap(),
        before,
        "the grader's files stay"
    );
    assert!(said.contains("Nothing was handed in by:"), "{said}");

    let similar = one_line(&class.run(&["course", "similar", "in"]));
    assert!(
        similar.contains("collect.py of student97 and collect.py of student98"),
        "{similar}"
    );
    assert!(!similar.contains("student1 "), "{similar}");
    let canvas = class.runs(&["course", "export", "canvas"]);
    assert!(canvas.contains("student100"));
}

/// Puts what a student hands in for the first lab among the files.
fn hand_in(class: &Class, folders: &BTreeMap<String, PathBuf>, number: usize) {
    let work = folders[&id(number)].join(LAB);
    let write = |path: String, bytes: &[u8]| {
        let path = class.path("in").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let kind = kind(number);
    if kind == Kind::Nothing {
        return;
    }
    solve(&work, LAB);
    let change = |path: &str, from: &str, to: &str| {
        let text = fs::read_to_string(work.join(path)).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        fs::write(work.join(path), text.replace(from, to)).unwrap();
    };
    match kind {
        Kind::CutCapture => {
            let bytes = fs::read(work.join("hardened.pcap")).unwrap();
            fs::write(work.join("hardened.pcap"), &bytes[..bytes.len() / 2]).unwrap();
        }
        Kind::MadeUpTranscript => {
            let line =
                "{\"entry\":{\"at\":\"2026-11-27T18:00:00Z\",\"did\":\"reset\"},\"mark\":\"00\"}\n";
            fs::write(work.join(".latchstring.journal"), line).unwrap();
        }
        Kind::OldVersion => {
            let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
            for copy in [".latchstring.json", ".latchstring.json.copy"] {
                change(copy, &version, "\"version\": \"0.0.9\"");
            }
        }
        _ => {}
    }
    let bundle = submit(&work);
    match kind {
        Kind::WrongName => write(format!("Abgabe final ({number}).ZIP"), &bundle),
        Kind::Twice => {
            write(format!("first/{number}.zip"), &bundle);
            write(format!("second/{number} (1).zip"), &bundle);
        }
        // The file of another student, in this student's folder.
        Kind::Stranger => {
            let other = folders[&id(number - 60)].join(LAB);
            write(format!("{}/mine.zip", id(number)), &submit(&other));
        }
        Kind::EditedAnswer => {
            let mut files = entries(&bundle);
            let sheet = String::from_utf8(files["work/answers.toml"].clone()).unwrap();
            let sheet = sheet.replace("client-records = \"", "client-records = \"1");
            files.insert("work/answers.toml".to_owned(), sheet.into_bytes());
            write(format!("{number}.zip"), &archive(&files));
        }
        Kind::Late => {
            write(format!("{}/{number}.zip", id(number)), &bundle);
            let received = format!("{}/{number}.zip.received", id(number));
            write(received, b"2099-01-01T03:00:00Z\n");
        }
        Kind::Empty => write(format!("{}/empty.zip", id(number)), b""),
        Kind::Bomb => write(format!("{}/bomb.zip", id(number)), &bomb()),
        Kind::Link => write(format!("{}/link.zip", id(number)), &link()),
        Kind::Unsafe => {
            let files = [("../../grades.json".to_owned(), b"{}".to_vec())];
            let files: BTreeMap<_, _> = files.into();
            write(format!("{}/unsafe.zip", id(number)), &archive(&files));
        }
        _ => write(format!("{number}.zip"), &bundle),
    }
}

/// A gigabyte of zeros in a megabyte.
fn bomb() -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("work/answers.toml", options).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..1024 {
        zip.write_all(&zeros).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn link() -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.add_symlink(
        "work/answers.toml",
        "/etc/passwd",
        SimpleFileOptions::default(),
    )
    .unwrap();
    zip.finish().unwrap().into_inner()
}

/// Three students also hand in a program.
fn hand_in_programs(class: &Class, folders: &BTreeMap<String, PathBuf>) {
    for number in PAIR.into_iter().chain([ATTACKER]) {
        let work = folders[&id(number)].join(PROGRAM);
        solve(&work, PROGRAM);
        match number {
            ATTACKER => fs::write(work.join("attack.py"), ATTACK).unwrap(),
            _ => fs::write(
                work.join("collect.py"),
                SHARED.replace("counts", &format!("c{number}")),
            )
            .unwrap(),
        }
        fs::write(
            class.path(&format!("in/program {number}.zip")),
            submit(&work),
        )
        .unwrap();
    }
}

/// The result of one student is what this student's kind of trouble makes of it.
fn check(grades: &Grades, said: &str, number: usize) {
    let id = id(number);
    let kind = kind(number);
    let none = |why: &str| {
        let mut students = grades.students().iter();
        let student = students
            .find(|known| known.person.id.as_str() == id)
            .unwrap();
        assert!(student.result(LAB).is_none(), "{id}");
        assert!(said.contains(why), "{id}: {why}");
    };
    let one = |points: Points, remark: Option<(RemarkKind, &str)>| {
        let result = result(grades, &id, LAB);
        assert_eq!(result.points(), points, "{id}: {}", remarks(result));
        has(result, remark, &id);
    };
    match kind {
        Kind::Plain | Kind::WrongName => one(ALL, None),
        Kind::Twice => one(
            ALL,
            Some((RemarkKind::Again, "the same file was handed in twice")),
        ),
        Kind::Stranger => none(&format!(
            "{id}/mine.zip: {id} has uploaded it, and it was made from the hand-out of student{}",
            number - 60
        )),
        Kind::EditedAnswer => one(
            Points::whole(11),
            Some((
                RemarkKind::Altered,
                "answers.toml was changed after the bundle was made",
            )),
        ),
        Kind::CutCapture => one(
            ALL,
            Some((RemarkKind::Altered, "hardened.pcap is cut short")),
        ),
        Kind::MadeUpTranscript => one(
            ALL,
            Some((
                RemarkKind::Altered,
                "the journal was not written by this student's hand-out",
            )),
        ),
        Kind::OldVersion => one(
            ALL,
            Some((
                RemarkKind::Version,
                "the hand-out was made by version 0.0.9",
            )),
        ),
        Kind::Late => one(
            Points::hundredths(650),
            Some((
                RemarkKind::Late,
                "3 h 0 min after the deadline: 50 % of the points count",
            )),
        ),
        Kind::Empty => none(&format!("{id}/empty.zip: the file is empty")),
        Kind::Nothing => none(&id),
        Kind::Bomb => none(&format!("{id}/bomb.zip: it unpacks to more than")),
        Kind::Link => none(&format!(
            "{id}/link.zip: its entry \"work/answers.toml\" is a link"
        )),
        Kind::Unsafe => none(&format!(
            "{id}/unsafe.zip: it has an entry with the unsafe name"
        )),
    }
}

/// Exactly this remark, or none.
fn has(result: &LabResult, remark: Option<(RemarkKind, &str)>, id: &str) {
    // A kernel without some limit says so with every program.
    let found: Vec<_> = (result.remarks.iter())
        .filter(|remark| !matches!(remark.kind, RemarkKind::Limits | RemarkKind::Paths))
        .collect();
    match remark {
        None => assert!(found.is_empty(), "{id}: {found:?}"),
        Some((kind, sentence)) => {
            assert_eq!(found.len(), 1, "{id}: {found:?}");
            assert_eq!(found[0].kind, kind, "{id}");
            assert!(found[0].sentence.contains(sentence), "{id}: {found:?}");
        }
    }
}

/// The pair has all points, and the attack on the grader has none of those that a program earns.
fn programs_are_graded(grades: &Grades) {
    for number in PAIR {
        let result = result(grades, &id(number), PROGRAM);
        assert_eq!(
            result.points(),
            result.of(),
            "{}: {}",
            number,
            remarks(result)
        );
    }
    let attack = result(grades, &id(ATTACKER), PROGRAM);
    let admitted = attack
        .items
        .iter()
        .find(|item| item.id == "admitted")
        .unwrap();
    assert!(!admitted.passed, "{admitted:?}");
}
