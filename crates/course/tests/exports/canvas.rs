//! Canvas, by `lib/gradebook_importer.rb` of instructure/canvas-lms.

use latchstring_course::{
    export::{
        Note,
        canvas::{FillError, fill, write},
    },
    grades::Grades,
    points::Points,
};

use crate::{
    class::{grades, header, item, labs, one, person, result},
    csv::{formulas, rows},
};

/// What the importer takes a file for.
#[derive(Debug, PartialEq)]
struct Gradebook {
    assignments: Vec<String>,
    /// Student, ID, and the grades.
    students: Vec<(String, String, Vec<String>)>,
}

/// The rules of `header?`, `update_column_count`, `check_for_non_student_row` and `process_student`.
fn imported(text: &str) -> Result<Gradebook, String> {
    let rows = rows(text)?;
    let header = &rows[0];
    if !(header.len() > 3 && header[0].contains("Student") && header[1].contains("ID")) {
        return Err("Invalid header row".to_owned());
    }
    let columns = match (header[2].as_str(), header[3].as_str()) {
        ("SIS Login ID", _) => 4,
        ("SIS User ID", "SIS Login ID") => 5,
        _ => 3,
    };
    if !header[columns - 1].contains("Section") {
        return Err("Invalid header row".to_owned());
    }
    let posting =
        |cell: &String| cell.is_empty() || cell == "Muted" || cell.starts_with("Manual Posting");
    let student =
        |row: &&Vec<String>| !row[0].contains("Points Possible") && !row.iter().all(posting);
    // `strip_non_assignment_columns`
    let read_only =
        |at: &usize| header[*at].contains("Current Score") || header[*at].contains("Current Grade");
    let assignments: Vec<usize> = (columns..header.len())
        .filter(|at| !read_only(at))
        .collect();
    let of = |row: &Vec<String>| assignments.iter().map(|at| row[*at].clone()).collect();
    let students = rows[1..].iter().filter(student);
    let gradebook = Gradebook {
        assignments: of(header),
        students: students
            .map(|row| (row[0].clone(), row[1].clone(), of(row)))
            .collect(),
    };
    let points =
        |grade: &String| grade.is_empty() || grade == "EX" || Points::read(grade).is_some();
    match gradebook
        .students
        .iter()
        .all(|(_, _, grades)| grades.iter().all(points))
    {
        true => Ok(gradebook),
        false => Err("a grade is no number".to_owned()),
    }
}

#[test]
fn a_gradebook_alone_is_what_the_importer_reads_and_no_formula() {
    let export = write(&grades());
    let gradebook = imported(&export.text).unwrap();
    assert_eq!(gradebook.assignments.len(), 2);
    let grades: Vec<&[String]> = gradebook
        .students
        .iter()
        .map(|(_, _, grades)| &grades[..])
        .collect();
    assert_eq!(grades, [["5", "3"], ["0.5", ""], ["", ""]]);
    assert_eq!(gradebook.students[0].1, "11");
    assert_eq!(formulas(&export.text), Vec::<String>::new());
    assert_eq!(export.notes, []);
    insta::assert_snapshot!("canvas", export.text);
}

#[test]
fn a_gradebook_that_breaks_a_rule_is_refused() {
    let good = write(&grades()).text;
    for (from, to) in [
        ("Student,ID", "Name,ID"),
        ("SIS Login ID,Section", "Section,SIS Login ID"),
        ("SIS User ID,SIS Login ID", "SIS User ID,Login"),
        ("0.5", "half"),
        ("'=HYPERLINK", "\"=HYPERLINK"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(imported(&bad).is_err(), "{from}");
    }
    assert!(!formulas(&good.replace("'=", "=")).is_empty());
}

#[test]
fn a_student_whom_canvas_cannot_find_is_left_out_and_named() {
    let student = |texts| latchstring_course::grades::Student {
        person: person(texts),
        results: vec![],
    };
    let students = vec![
        student(["kim", "Kim", "kim@uni.example", "", "", ""]),
        student(["lee", "Lee", "", "=1", "", ""]),
    ];
    let export = write(&Grades::new(header(), labs(), students).unwrap());
    let notes: Vec<String> = export.notes.iter().map(Note::to_string).collect();
    assert_eq!(
        notes,
        [
            "kim was left out: the roster has no number, SIS number and login of this student",
            "lee was left out: a spreadsheet takes the number, SIS number and login for a formula; enter this student's grades by hand",
        ]
    );
    assert_eq!(imported(&export.text).unwrap().students, []);
}

const EXPORT: &str = "Student,ID,SIS User ID,SIS Login ID,Section,Essay (7),Say the name (8),Current Grade,Current Score\r\n\
    ,,,,,,Manual Posting,,\r\n\
    \x20   Points Possible,,,,,10.00,5.00,,(read only)\r\n\
    \"Muster, Anna\",11,0012345,anna,A,9.00,,=keep me,80\r\n\
    \"Someone, Else\",77,999,else,A,1.00,2.00,,10\r\n\
    Bob,12,,BOB@uni.example,A,,4.00,,\r\n\
    \"Student, Test\",13,,x,A,,,,\r\n";

#[test]
fn the_instructors_export_is_filled_and_nothing_else_of_it_changes() {
    let export = fill(&grades(), EXPORT.as_bytes()).unwrap();
    let (before, after) = (rows(EXPORT).unwrap(), rows(&export.text).unwrap());
    let mut expected = before.clone();
    expected[3][6] = "5".to_owned();
    expected[5][6] = "0.5".to_owned();
    assert_eq!(after, expected);
    assert!(imported(&export.text).is_ok());
    let notes: Vec<String> = export.notes.iter().map(Note::to_string).collect();
    assert_eq!(
        notes,
        [
            "the lab 02-turn-the-bits was left out: no column is called \"=Lab 2: <turn>; the \\\"bits\\\" & more\" or \"02-turn-the-bits\"",
            "line 5 (Someone, Else) was left as it is: the student was not graded",
            "bob had 4.00 in \"Say the name\" and has 0.5 now",
            "zoe was left out: no line of the file is this student",
        ]
    );
}

#[test]
fn what_canvas_says_of_a_column_or_a_student_is_respected() {
    let grades = one(vec![item("a", "an item", 100, 2, "")]);
    let filled = |text: &str| fill(&grades, text.as_bytes()).unwrap();
    let excused = filled("Student,ID,Section,Lab 1 (3)\r\nPoints Possible,,,4\r\nAnna,2,A,EX\r\n");
    assert!(
        excused.text.ends_with("Anna,2,A,EX\r\n"),
        "{}",
        excused.text
    );
    let notes: Vec<String> = excused.notes.iter().map(Note::to_string).collect();
    assert_eq!(
        notes,
        [
            "the column \"Lab 1\" has 4 points, and the lab 2; change the points of the assignment",
            "anna is excused in \"Lab 1\", which was left as it is",
        ]
    );
    // With semicolons, a decimal comma, a missing cell at the end, and the lab's id as the title.
    let european = filled("Student;ID;Section;01-lab\r\nPoints Possible;;;2,00\r\nAnna;2;A\r\n");
    assert!(
        european.text.ends_with("\r\nAnna;2;A;1\r\n"),
        "{}",
        european.text
    );
    assert_eq!(european.notes, []);
    let marked = filled("\u{feff}Student,ID,Section,Lab 1\r\nAnna,2,A,\r\n");
    assert_eq!(
        marked.text,
        "\u{feff}Student,ID,Section,Lab 1\r\nAnna,2,A,1\r\n"
    );
    // One student cannot be two lines.
    let twice = filled("Student,ID,Section,Lab 1\r\nAnna,2,A,\r\nAnna,2,B,\r\n");
    assert!(
        matches!(twice.notes[..], [Note::Ambiguous { line: 3, .. }]),
        "{:?}",
        twice.notes
    );
}

#[test]
fn two_students_are_never_taken_for_one_another() {
    let student = |texts| latchstring_course::grades::Student {
        person: person(texts),
        results: vec![result(
            "01-say-the-name",
            vec![item("a", "an item", 500, 5, "")],
        )],
    };
    let students = vec![
        student(["a", "Kim", "", "", "", ""]),
        student(["b", "Kim", "", "", "", ""]),
        student(["c", "Lee", "", "lee", "", ""]),
    ];
    let class = Grades::new(header(), labs(), students).unwrap();
    let text = "Student,ID,SIS Login ID,Section,Say the name\r\nKim,1,kim,A,\r\nLee,2,other,A,\r\n";
    let export = fill(&class, text.as_bytes()).unwrap();
    assert_eq!(export.text, text);
}

#[test]
fn a_file_that_is_no_gradebook_is_an_error() {
    let refused = |text: &str| fill(&grades(), text.as_bytes()).unwrap_err();
    assert_eq!(refused(""), FillError::NotCanvas);
    assert_eq!(refused("name,email\r\na,b\r\n"), FillError::NotCanvas);
    assert_eq!(
        refused("Student,ID,Section,Other\r\n").to_string(),
        "the gradebook has no column for any lab; make an assignment in Canvas called \"Say the name\" and export the gradebook again, or write the grades without it"
    );
    let open = refused("Student,ID,Section,Say the name\r\n\"Anna,2,A,\r\n").to_string();
    assert!(
        open.starts_with("the gradebook cannot be read: line 2: a quoted cell"),
        "{open}"
    );
}
