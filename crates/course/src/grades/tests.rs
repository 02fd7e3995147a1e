//! Grades hold together, read back equal, and merge exactly.

use proptest::prelude::*;

use super::*;
use crate::roster::{Id, read};

fn header() -> Header {
    Header {
        course: "Network security".to_owned(),
        term: "autumn 2026".to_owned(),
        graded: "2026-11-27T18:00:00Z".try_into().unwrap(),
        versions: BTreeMap::from([("latchstring".to_owned(), "0.1.0".to_owned())]),
    }
}

fn lab(number: u32, of: u32) -> Lab {
    Lab {
        id: format!("{number:02}-lab"),
        title: format!("Lab {number}"),
        of: Points::whole(of),
    }
}

fn item(id: &str, hundredths: u32, of: u32) -> Item {
    Item {
        id: id.to_owned(),
        title: format!("the item {id}"),
        points: Points::hundredths(hundredths),
        of: Points::whole(of),
        passed: hundredths == of * 100,
        not_graded: false,
        message: String::new(),
    }
}

fn result(lab: &str, items: Vec<Item>) -> LabResult {
    LabResult {
        lab: lab.to_owned(),
        submitted: Some("2026-11-20T08:30:00Z".try_into().unwrap()),
        late_minutes: 0,
        hints: 1,
        minutes: Some(40),
        items,
        remarks: vec![Remark {
            kind: RemarkKind::AnotherStudent,
            sentence: "The answer is the one of another student.".to_owned(),
        }],
    }
}

fn student(login: &str, results: Vec<LabResult>) -> Student {
    let text = format!("name,login\nStudent {login},{login}\n");
    let reading = read("x", text.as_bytes()).unwrap();
    Student {
        person: reading.roster.people()[0].clone(),
        results,
    }
}

fn grades(labs: Vec<Lab>, students: Vec<Student>) -> Result<Grades, GradesError> {
    Grades::new(header(), labs, students)
}

fn one() -> Grades {
    let results = vec![result("01-lab", vec![item("a", 250, 3), item("b", 0, 1)])];
    grades(
        vec![lab(2, 5), lab(1, 4)],
        vec![student("zoe", vec![]), student("anna", results)],
    )
    .unwrap()
}

#[test]
fn grades_are_in_order_and_read_back_equal_to_the_byte() {
    let grades = one();
    let ids: Vec<&str> = grades
        .students()
        .iter()
        .map(|one| one.person.id.as_str())
        .collect();
    assert_eq!(ids, ["anna", "zoe"]);
    let text = grades.to_json();
    assert!(
        text.contains("\"format\": 1") && text.contains("\"points\": 250"),
        "{text}"
    );
    let back = Grades::from_json(&text).unwrap();
    assert_eq!(back, grades);
    assert_eq!(back.to_json(), text);
}

#[test]
fn a_sheet_has_each_lab_with_or_without_a_result() {
    let grades = one();
    let sheet = grades.sheet("anna", &[]).unwrap();
    assert_eq!(
        (sheet.points(), sheet.of()),
        (Points::hundredths(250), Points::whole(9))
    );
    assert!(sheet.labs[0].1.is_some() && sheet.labs[1].1.is_none());
    assert_eq!(
        grades.sheet("anna", &["01-lab"]).unwrap().of(),
        Points::whole(4)
    );
    let error = grades.sheet("berta", &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the grades have no student \"berta\"; take an id from roster.csv"
    );
    let error = grades.sheet("anna", &["1"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the grades have no lab \"1\"; the labs are 01-lab, 02-lab"
    );
}

#[test]
fn a_newer_format_is_called_newer_and_not_damaged() {
    let error = Grades::from_json("{\"format\": 2, \"new\": {}}").unwrap_err();
    assert_eq!(error, GradesError::Format { found: 2, known: 1 });
    for text in ["", "[]", "{}", "{\"format\": 1}", &one().to_json()[1..]] {
        let error = Grades::from_json(text).unwrap_err();
        assert!(matches!(error, GradesError::NotGrades(_)), "{text}");
    }
}

#[test]
fn grades_that_do_not_add_up_are_refused() {
    let refused = |labs, students| grades(labs, students).unwrap_err().to_string();
    let of = |items| vec![student("anna", vec![result("01-lab", items)])];
    for (labs, students, error) in [
        (
            vec![lab(1, 1), lab(1, 2)],
            vec![],
            "the lab \"01-lab\" is in the grades twice",
        ),
        (
            vec![],
            vec![student("a", vec![]), student("a", vec![])],
            "the student \"a\" is in the grades twice",
        ),
        (
            vec![],
            of(vec![]),
            "the student anna has a result of \"01-lab\", and the grades list no such lab",
        ),
        (
            vec![lab(1, 2)],
            of(vec![item("a", 0, 1), item("a", 0, 1)]),
            "the item of the lab \"01-lab\" of the student anna, \"a\" is in the grades twice",
        ),
        (
            vec![lab(1, 1)],
            of(vec![item("a", 101, 1)]),
            "the item \"a\" of the lab \"01-lab\" of the student anna has 1.01 of 1 points",
        ),
        (
            vec![lab(1, 4)],
            of(vec![item("a", 100, 1)]),
            "the items of the lab \"01-lab\" of the student anna are worth 1 points, and the lab 4",
        ),
    ] {
        let found = refused(labs, students);
        assert!(found.starts_with(error), "{found}");
    }
    let twice = vec![student(
        "a",
        vec![result("01-lab", vec![]), result("01-lab", vec![])],
    )];
    let found = refused(vec![lab(1, 0)], twice);
    assert!(
        found.starts_with("the result of the student a in the lab \"01-lab\" is in"),
        "{found}"
    );
}

#[test]
fn parts_that_are_not_of_one_class_are_refused() {
    let (first, labs) = (one(), one().labs().to_vec());
    let refused = |other: &Grades| {
        let error = first.merge(other).unwrap_err();
        // The order makes no difference to what is refused.
        assert!(other.merge(&first).is_err());
        error.to_string()
    };
    let mut term = one();
    term.header.term = "spring".to_owned();
    assert!(
        refused(&term)
            .starts_with("the grades differ in their term: \"autumn 2026\" and \"spring\"")
    );
    let mut version = one();
    version
        .header
        .versions
        .insert("latchstring".to_owned(), "0.2.0".to_owned());
    assert!(refused(&version).starts_with("the grades differ in their versions"));
    let other_lab = grades(vec![lab(1, 7)], vec![]).unwrap();
    assert!(
        refused(&other_lab).starts_with("the lab \"01-lab\" has another title or other points")
    );
    let mut person = student("zoe", vec![]);
    person.person.email = "z@uni.example".to_owned();
    let person = grades(labs.clone(), vec![person]).unwrap();
    assert!(refused(&person).starts_with("the student zoe has another name"));
    // Nothing submitted is a result, too.
    for results in [
        vec![],
        vec![result("01-lab", vec![item("a", 300, 3), item("b", 0, 1)])],
    ] {
        let again = grades(labs.clone(), vec![student("anna", results)]).unwrap();
        assert!(
            refused(&again).starts_with("the lab \"01-lab\" of the student anna was graded twice")
        );
    }
}

#[test]
fn another_lab_of_the_same_student_is_added() {
    let first = one();
    let later = grades(
        vec![lab(3, 1)],
        vec![student(
            "anna",
            vec![result("03-lab", vec![item("x", 100, 1)])],
        )],
    );
    let together = first.merge(&later.unwrap()).unwrap();
    assert_eq!(together.labs().len(), 3);
    assert_eq!(
        together.sheet("anna", &[]).unwrap().points(),
        Points::hundredths(350)
    );
    assert_eq!(first.merge(&first).unwrap(), first);
}

#[test]
fn grades_in_two_have_each_result_once_and_nobody_is_lost() {
    let both = vec![
        result("01-lab", vec![item("a", 0, 4)]),
        result("02-lab", vec![item("x", 100, 5)]),
    ];
    let bert = vec![result("01-lab", vec![item("a", 400, 4)])];
    let students = vec![
        student("anna", both),
        student("bert", bert),
        student("zoe", vec![]),
    ];
    let whole = grades(vec![lab(1, 4), lab(2, 5)], students).unwrap();
    let (rest, apart) = whole.split(|_, result| result.lab == "01-lab").unwrap();
    let ids = |grades: &Grades| -> Vec<(String, usize)> {
        let students = grades.students().iter();
        let of = students.map(|one| (one.person.id.to_string(), one.results.len()));
        of.collect()
    };
    let named = |all: &[(&str, usize)]| -> Vec<(String, usize)> {
        all.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect()
    };
    assert_eq!(ids(&rest), named(&[("anna", 1), ("zoe", 0)]));
    assert_eq!(ids(&apart), named(&[("anna", 1), ("bert", 1)]));
    let (all, none) = whole.split(|_, _| false).unwrap();
    assert_eq!(all, whole);
    assert!(none.students().is_empty());
}

#[test]
fn the_time_of_grading_is_the_later_one_in_either_order() {
    let (first, mut later) = (one(), one());
    later.header.graded = "2026-11-28T09:00:00Z".try_into().unwrap();
    for together in [first.merge(&later), later.merge(&first)] {
        assert_eq!(together.unwrap(), later);
    }
}

fn class() -> impl Strategy<Value = Vec<Student>> {
    let student = (0..3_u32, 0..=400_u32).prop_map(|(how, hundredths)| match how {
        0 => vec![],
        _ => vec![result("01-lab", vec![item("a", hundredths, 4)])],
    });
    prop::collection::vec(student, 0..8).prop_map(|all| {
        let students = all.into_iter().enumerate();
        students
            .map(|(n, results)| student_of(n, results))
            .collect()
    })
}

fn student_of(number: usize, results: Vec<LabResult>) -> Student {
    Student {
        person: Person {
            id: Id::try_from(format!("s{number}")).unwrap(),
            ..student("s", vec![]).person
        },
        results,
    }
}

proptest! {
    #[test]
    fn parts_of_a_class_merge_to_the_class_in_any_order(class in class(), cuts in prop::collection::vec(0..3_usize, 8)) {
        let of = |students: Vec<Student>| grades(vec![lab(1, 4)], students).unwrap();
        let part = |number: usize| {
            let chosen = class.iter().zip(&cuts).filter(|(_, cut)| **cut == number);
            of(chosen.map(|(student, _)| student.clone()).collect())
        };
        let [a, b, c] = [0, 1, 2].map(part);
        let whole = of(class.clone());
        prop_assert_eq!(&a.merge(&b).unwrap().merge(&c).unwrap(), &whole);
        prop_assert_eq!(&c.merge(&a.merge(&b).unwrap()).unwrap(), &whole);
        prop_assert_eq!(&b.merge(&c).unwrap().merge(&a).unwrap(), &whole);
        prop_assert_eq!(Grades::from_json(&whole.to_json()).unwrap(), whole);
    }
}
