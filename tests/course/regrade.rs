//! Grades that are there already, after the terms or the file have changed.

use std::fs;

use latchstring_course::{grades::Grades, points::Points};

use crate::{
    class::{one_line, result},
    troubles::{ALL, LAB, Solved},
};

/// After a change of points a lab has one scale, and who has left the course is in nobody's way.
#[test]
fn a_change_of_points_holds_for_the_whole_lab_and_sets_aside_who_has_left() {
    let solved = Solved::new(3);
    for number in 1..=3 {
        solved.hands_in(&format!("{number}.zip"), &solved.bundle(number));
    }
    let class = &solved.class;
    class.grade();
    let before = fs::read_to_string(class.path("grades.json")).unwrap();
    class.runs(&["course", "roster", "remove", "student3"]);
    let terms = fs::read_to_string(class.path("course.toml")).unwrap();
    let points = "\n[points.00-first-contact]\nsecond-message = 10\n";
    fs::write(class.path("course.toml"), terms + points).unwrap();

    let refused = |arguments: &[&str]| {
        let output = class.run(arguments);
        assert!(!output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let now = fs::read_to_string(class.path("grades.json")).unwrap();
        assert_eq!(now, before, "{said}");
        // No program has run: there is no line of progress.
        assert!(!said.contains("1 of "), "{said}");
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = refused(&["course", "regrade", "in", "--student", "student1"]);
    assert!(
        said.contains(
            "the points of 00-first-contact have changed since student2 was graded: grade the whole lab again, without --student: \
             latchstring course regrade in --lab 00-first-contact"
        ),
        "{said}"
    );
    let there = class.path(".").display().to_string();
    let said = refused(&["course", "grade", "in", "--course", &there, "--lab", "00"]);
    let keep = format!("To keep them: latchstring course regrade in --course {there} --lab 00.");
    assert!(said.contains(&keep), "{said}");
    fs::create_dir(class.path("part")).unwrap();
    fs::copy(class.path("in/1.zip"), class.path("part/1.zip")).unwrap();
    let said = refused(&["course", "regrade", "part"]);
    assert!(
        said.contains("and part has no file of this student and lab"),
        "{said}"
    );

    let output = class.run(&["course", "regrade", "in"]);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
    let said = one_line(&output);
    assert!(
        said.contains("student1, 00-first-contact: 13 before, 20 now"),
        "{said}"
    );
    assert!(
        said.contains("- student3, 00-first-contact: the list of students does not name student3")
            && said.contains("grades.set-aside-1.json"),
        "{said}"
    );
    let read =
        |name: &str| Grades::from_json(&fs::read_to_string(class.path(name)).unwrap()).unwrap();
    let grades = read("grades.json");
    assert_eq!(grades.students().len(), 2);
    assert_eq!(result(&grades, "student2", LAB).points(), Points::whole(20));
    let aside = read("grades.set-aside-1.json");
    assert_eq!(aside.students().len(), 1);
    assert_eq!(result(&aside, "student3", LAB).points(), ALL);
    // Without a change of points nothing is set aside, and a part of the class can be graded again.
    class.runs(&["course", "roster", "remove", "student2"]);
    class.run(&["course", "regrade", "in", "--student", "student1"]);
    assert_eq!(read("grades.json").students().len(), 2);
    assert!(!class.path("grades.set-aside-2.json").exists());
}

/// Damaged grades and another term are told apart, with what to do, by each command that meets them.
#[test]
fn damaged_grades_and_another_term_have_a_way_out() {
    let solved = Solved::new(1);
    solved.hands_in("1.zip", &solved.bundle(1));
    let class = &solved.class;
    class.grade();
    let whole = fs::read_to_string(class.path("grades.json")).unwrap();
    let refused = |arguments: &[&str]| {
        let output = class.run(arguments);
        assert!(!output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    fs::write(class.path("grades.json"), &whole[..whole.len() / 2]).unwrap();
    for command in [
        &["course", "report"][..],
        &["course", "regrade", "in"],
        &["course", "grade", "in"],
        &["course", "export", "moodle"],
    ] {
        let said = refused(command);
        assert!(
            said.contains("grades.json is damaged (EOF") && said.contains("Take it from your backup, or make it again: latchstring course grade DIR --replace"),
            "{said}"
        );
    }
    class.runs(&["course", "grade", "in", "--replace"]);
    class.runs(&["course", "report"]);

    class.terms("term = \"2026\"", "term = \"2027\"");
    for command in ["regrade", "grade"] {
        let said = refused(&["course", command, "in"]);
        assert!(
            said.contains("course.toml is \"2027\", and the grades and hand-outs are of \"2026\": write it back"),
            "{said}"
        );
    }
    class.terms("term = \"2027\"", "term = \"2026\"");
    class.runs(&["course", "regrade", "in"]);
}

/// Grades that are older than the points or deadlines are used as they are, with a note; others without one.
#[test]
fn grades_that_are_older_than_the_terms_have_a_note() {
    let solved = Solved::new(1);
    solved.hands_in("1.zip", &solved.bundle(1));
    let class = &solved.class;
    class.grade();
    let noted = |expected: bool| {
        for command in [
            &["course", "report"][..],
            &["course", "export", "moodle", "--out", "moodle.csv"],
            &["course", "export", "canvas", "--out", "canvas.csv"],
        ] {
            let output = class.run(command);
            assert!(output.status.success(), "{output:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            let note = said.contains("have changed since these grades were made. Do this first: latchstring course regrade DIR");
            assert_eq!(note, expected, "{command:?}: {said}");
        }
    };
    noted(false);
    // A deadline that everybody has met changes nothing.
    class.terms("[due]", "[due]\n00-first-contact = 2099-01-01T00:00:00Z");
    noted(false);
    class.terms("2099-01-01", "2020-01-01");
    noted(false);
    class.terms("percent-a-day = 0", "percent-a-day = 0\ndays = 3");
    noted(true);
    class.runs(&["course", "regrade", "in"]);
    noted(false);
    let terms = fs::read_to_string(class.path("course.toml")).unwrap();
    let points = "\n[points.00-first-contact]\nsecond-message = 10\n";
    fs::write(class.path("course.toml"), terms + points).unwrap();
    noted(true);
    class.runs(&["course", "regrade", "in"]);
    noted(false);
}
