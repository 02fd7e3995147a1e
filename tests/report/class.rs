//! Classes that are made up, with the real labs. A class of the same number is the same class.

use std::collections::BTreeMap;

use latchstring_classroom::{catalogue, labs::built_in};
use latchstring_course::{
    grades::{Grades, Header, Item, Lab, LabResult, Remark, RemarkKind, Student},
    points::Points,
    roster::{Id, Person},
};

/// Numbers that look like chance: a generator of Lehmer's kind, with the factor of MINSTD.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 % most
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// Names as they are: long and short, in other scripts, with marks.
const NAMES: [&str; 12] = [
    "Muster, Anna",
    "Li, Na",
    "Nguyễn Thị Minh Khai",
    "O'Neil-Featherstonehaugh, Maximilian Alexander",
    "سارا رضایی",
    "Žofie Nováková",
    "田中 さくら",
    "Ng, Ken",
    "Ólafsdóttir, Þórunn",
    "Garcia-Lopez, María José",
    "כהן, נועה",
    "Okafor, Chidi",
];

pub(crate) fn header() -> Header {
    Header {
        course: "Network security".to_owned(),
        term: "autumn 2026".to_owned(),
        graded: "2026-11-27T18:00:00Z".try_into().unwrap(),
        versions: BTreeMap::from([("latchstring".to_owned(), "0.1.0".to_owned())]),
    }
}

/// A class of so many students with the first labs.
pub(crate) fn class(students: usize, labs: usize) -> Grades {
    let known: Vec<catalogue::Lab> = built_in().unwrap().into_iter().take(labs).collect();
    let mut dice = Dice(20_261_127 + students as u64);
    let students = (0..students)
        .map(|n| Student {
            person: person(n, students),
            results: results(&known, &mut dice),
        })
        .collect();
    Grades::new(header(), known.iter().map(lab).collect(), students).unwrap()
}

fn person(n: usize, students: usize) -> Person {
    let name = match n / NAMES.len() {
        0 => NAMES[n].to_owned(),
        round => format!("{} {}", NAMES[n % NAMES.len()], round + 1),
    };
    Person {
        id: Id::try_from(format!("student-{n:03}")).unwrap(),
        name,
        email: format!("s{n:03}@uni.example"),
        login: String::new(),
        sis: String::new(),
        number: String::new(),
        section: match students > 20 {
            true => ["Monday", "Wednesday"][n % 2].to_owned(),
            false => String::new(),
        },
    }
}

fn lab(known: &catalogue::Lab) -> Lab {
    Lab {
        id: known.id.clone(),
        title: known.title.clone(),
        of: titles(known).map(|(_, _, of)| Points::whole(of)).sum(),
    }
}

/// The id, the title and the points of each question and check.
fn titles(known: &catalogue::Lab) -> impl Iterator<Item = (String, String, u32)> {
    let questions = known.questions.iter();
    let questions = questions.map(|one| (one.id.clone(), one.id.replace('-', " "), one.points));
    let checks = known.checks.iter();
    questions.chain(checks.map(|one| (one.id.clone(), one.title.clone(), one.points)))
}

/// A student is diligent to some degree, and stops handing in at some lab.
fn results(known: &[catalogue::Lab], dice: &mut Dice) -> Vec<LabResult> {
    let diligence = 30 + dice.below(75);
    let end = match dice.below(10) {
        0 => 0,
        1..4 => 1 + dice.below(known.len() as u64),
        _ => known.len() as u64,
    };
    let mut results = Vec::new();
    for lab in &known[..end as usize] {
        if dice.percent(92) {
            results.push(result(lab, diligence, dice));
        }
    }
    results
}

fn result(known: &catalogue::Lab, diligence: u64, dice: &mut Dice) -> LabResult {
    let readable = dice.percent(97);
    let late = dice.percent(8);
    let left = if late && dice.percent(50) { 75 } else { 100 };
    let items = titles(known).map(|(id, title, of)| {
        let passed = readable && dice.percent(diligence);
        let of = Points::whole(of);
        Item {
            id,
            title,
            points: if passed {
                Points::hundredths(of.as_hundredths() * left / 100)
            } else {
                Points::default()
            },
            of,
            passed,
            not_graded: false,
            message: String::new(),
        }
    });
    let items = items.collect();
    let worked = u64::from(known.minutes) * (40 + dice.below(120)) / 100;
    LabResult {
        lab: known.id.clone(),
        submitted: None,
        late_minutes: if late { 1 + dice.below(4000) as u32 } else { 0 },
        hints: if readable { dice.below(4) as u32 } else { 0 },
        minutes: readable.then_some(worked as u32),
        items,
        remarks: remarks(readable, late, dice),
    }
}

fn remarks(readable: bool, late: bool, dice: &mut Dice) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let mut add = |written: bool, kind, sentence: &str| {
        if written {
            let sentence = sentence.to_owned();
            remarks.push(Remark { kind, sentence });
        }
    };
    add(
        !readable,
        RemarkKind::Unreadable,
        "it could not be checked: answers.toml, line 3: the text does not end",
    );
    add(
        late,
        RemarkKind::Late,
        "it came 2 d 4 h after the deadline: 75 % of the points count",
    );
    let number = dice.below(400);
    add(
        number == 0,
        RemarkKind::AnotherStudent,
        "it names the student \"student-007\", and it was sealed with the hand-out of student-011: talk to both",
    );
    add(
        number == 1,
        RemarkKind::Altered,
        "the answer to \"second-message\" is right, and the journal has no session in which it could be read",
    );
    add(
        number < 4,
        RemarkKind::Again,
        "handed in more than once: the file of 2026-11-20T08:30:00Z counts, and that of 2026-11-19T17:00:00Z does not",
    );
    add(
        number > 380,
        RemarkKind::Limits,
        "the kernel of this machine has no Landlock, so the program could read files of the machine",
    );
    remarks
}

/// Three students with two small labs that no change of the real labs changes.
pub(crate) fn small() -> Grades {
    let item = |id: &str, title: &str, points: u32, of: u32| Item {
        id: id.to_owned(),
        title: title.to_owned(),
        points: Points::hundredths(points),
        of: Points::whole(of),
        passed: points > 0,
        not_graded: false,
        message: String::new(),
    };
    let result = |number: u32, minutes: Option<u32>, earned: [u32; 2]| LabResult {
        lab: format!("{number:02}-lab"),
        submitted: None,
        late_minutes: 0,
        hints: number,
        minutes,
        items: vec![
            item("predict", "predict", earned[0], 1),
            item("log-in", "the program logs in", earned[1], 4),
        ],
        remarks: vec![],
    };
    let remark = |kind, sentence: &str| Remark {
        kind,
        sentence: sentence.to_owned(),
    };
    let mut late = result(1, Some(95), [75, 0]);
    late.late_minutes = 3000;
    late.remarks = vec![
        remark(
            RemarkKind::Late,
            "it came 2 d 2 h after the deadline: 75 % of the points count",
        ),
        remark(
            RemarkKind::AnotherStudent,
            "it was sealed with the hand-out of student-000: talk to both",
        ),
    ];
    let results = [
        vec![result(1, Some(40), [100, 400]), result(2, Some(61), [0, 0])],
        vec![late],
        vec![],
    ];
    let lab = |number: u32| Lab {
        id: format!("{number:02}-lab"),
        title: format!("Lab {number}"),
        of: Points::whole(5),
    };
    let students = results.into_iter().enumerate().map(|(n, results)| Student {
        person: person(n, 3),
        results,
    });
    Grades::new(header(), vec![lab(1), lab(2)], students.collect()).unwrap()
}
