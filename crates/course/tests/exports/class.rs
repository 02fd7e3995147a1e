//! A small class with hostile names.

use std::collections::BTreeMap;

use latchstring_course::{
    grades::{Grades, Header, Item, Lab, LabResult, Remark, RemarkKind, Student},
    points::Points,
    roster::{Id, Person},
};

/// The sentence that only an instructor may read.
pub(crate) const EVIDENCE: &str = "The second answer is the one of another student.";

pub(crate) fn header() -> Header {
    Header {
        course: "Network <security> & \"more\"".to_owned(),
        term: "autumn 2026".to_owned(),
        graded: "2026-11-27T18:00:00Z".try_into().unwrap(),
        versions: BTreeMap::from([("latchstring".to_owned(), "0.1.0".to_owned())]),
    }
}

pub(crate) fn person(texts: [&str; 6]) -> Person {
    let [id, name, email, login, sis, number] = texts.map(str::to_owned);
    Person {
        id: Id::try_from(id).unwrap(),
        name,
        email,
        login,
        sis,
        number,
        section: "+1".to_owned(),
    }
}

pub(crate) fn item(id: &str, title: &str, hundredths: u32, of: u32, message: &str) -> Item {
    Item {
        id: id.to_owned(),
        title: title.to_owned(),
        points: Points::hundredths(hundredths),
        of: Points::whole(of),
        passed: hundredths == of * 100,
        not_graded: false,
        message: message.to_owned(),
    }
}

pub(crate) fn result(lab: &str, items: Vec<Item>) -> LabResult {
    LabResult {
        lab: lab.to_owned(),
        submitted: Some("2026-11-20T08:30:00Z".try_into().unwrap()),
        late_minutes: 0,
        hints: 0,
        minutes: Some(40),
        items,
        remarks: Vec::new(),
    }
}

pub(crate) fn labs() -> Vec<Lab> {
    let lab = |id: &str, title: &str, of| Lab {
        id: id.to_owned(),
        title: title.to_owned(),
        of: Points::whole(of),
    };
    vec![
        lab("01-say-the-name", "Say the name", 5),
        lab("02-turn-the-bits", "=Lab 2: <turn>; the \"bits\" & more", 3),
    ]
}

fn hostile() -> LabResult {
    let message = "-1 < 2 && \"x\" ]]> \u{1b}[31mred\u{0}\u{fffe}\nsecond: line; </script>";
    LabResult {
        late_minutes: 1,
        hints: 2,
        remarks: vec![
            Remark {
                kind: RemarkKind::AnotherStudent,
                sentence: EVIDENCE.to_owned(),
            },
            Remark {
                kind: RemarkKind::Unreadable,
                sentence: "answers.toml <line 3> cannot be read.".to_owned(),
            },
        ],
        ..result(
            "01-say-the-name",
            vec![
                item("in", "the server lets\nyou in", 0, 4, message),
                item("predict", "@SUM(A1:A9) & <b>", 50, 1, ""),
            ],
        )
    }
}

/// Three students: one with everything, one with a hostile name and a hostile submission, one without any submission.
pub(crate) fn grades() -> Grades {
    let full = vec![
        result(
            "01-say-the-name",
            vec![
                item("in", "the server lets you in", 400, 4, "as \"amalia\""),
                item("predict", "you predict it", 100, 1, ""),
            ],
        ),
        result(
            "02-turn-the-bits",
            vec![item("flip", "one bit", 300, 3, "")],
        ),
    ];
    let students = vec![
        Student {
            person: person([
                "anna",
                "Muster, Anna",
                "Anna.Muster@uni.example",
                "anna",
                "0012345",
                "11",
            ]),
            results: full,
        },
        Student {
            person: person([
                "bob",
                "=HYPERLINK(\"http://x\";\"Bob <script>\")",
                "bob@uni.example",
                "bob",
                "0012346",
                "12",
            ]),
            results: vec![hostile()],
        },
        Student {
            person: person(["zoe", "Žofie 小明 🦀, \"Zed\"", "", "zoe", "", ""]),
            results: vec![],
        },
    ];
    Grades::new(header(), labs(), students).unwrap()
}

/// A class of one student with one lab.
pub(crate) fn one(items: Vec<Item>) -> Grades {
    let of = items.iter().map(|item| item.of).sum();
    let lab = Lab {
        id: "01-lab".to_owned(),
        title: "Lab 1".to_owned(),
        of,
    };
    let student = Student {
        person: person(["anna", "Anna", "anna@uni.example", "anna", "1", "2"]),
        results: vec![result("01-lab", items)],
    };
    Grades::new(header(), vec![lab], vec![student]).unwrap()
}
