//! Moodle, by `grade/import/csv/classes/load_data.php` of moodle/moodle.

use std::collections::BTreeMap;

use latchstring_course::export::{
    Note,
    moodle::{Key, MoodleError, write},
};

use crate::{
    class::{EVIDENCE, grades, item, one},
    csv::{formulas, rows},
};

/// What Moodle stores: for each user a grade and feedback for each item.
type Stored = BTreeMap<String, Vec<(Option<String>, String)>>;

/// The importer, with the first column mapped to the user, the second ignored, and then a grade and its feedback in turn.
/// As in the original, a user is looked up byte by byte, one that is not found ends the import, and an empty one is *not
/// skipped*: its line goes to the user of the line before.
fn imported(text: &str, users: &[&str]) -> Result<Stored, String> {
    let mut stored = Stored::new();
    let mut user: Option<String> = None;
    for row in &rows(text)?[1..] {
        if !row[0].is_empty() {
            let found = users.contains(&row[0].as_str());
            user = Some(
                found
                    .then(|| row[0].clone())
                    .ok_or(format!("no user {}", row[0]))?,
            );
        }
        let user = user.clone().ok_or("no user at all")?;
        let grades = row[2..].chunks(2).map(|pair| match pair[0].trim() {
            "-" | "" => Ok((None, pair[1].clone())),
            grade => match grade.parse::<f64>() {
                Ok(number) if number <= 100.0 => Ok((Some(grade.to_owned()), pair[1].clone())),
                _ => Err(format!("the grade {grade} is too big or no number")),
            },
        });
        if stored
            .insert(user.clone(), grades.collect::<Result<_, _>>()?)
            .is_some()
        {
            return Err(format!("two lines for {user}"));
        }
    }
    Ok(stored)
}

const USERS: [&str; 2] = ["Anna.Muster@uni.example", "bob@uni.example"];

#[test]
fn grade_and_feedback_are_imported_together_and_nothing_is_a_formula() {
    let export = write(&grades(), Key::Email).unwrap();
    let stored = imported(&export.text, &USERS).unwrap();
    let grade = |user: &str, lab: usize| stored[user][lab].0.as_deref();
    assert_eq!(grade(USERS[0], 0), Some("5"));
    assert_eq!(
        (grade(USERS[1], 0), grade(USERS[1], 1)),
        (Some("0.5"), None)
    );
    assert_eq!(formulas(&export.text), Vec::<String>::new());
    insta::assert_snapshot!("moodle", export.text);
}

#[test]
fn feedback_is_no_html_and_has_no_evidence() {
    let export = write(&grades(), Key::Email).unwrap();
    let feedback = &imported(&export.text, &USERS).unwrap()[USERS[1]][0].1;
    assert!(
        feedback.contains("answers.toml &lt;line 3&gt; cannot be read."),
        "{feedback}"
    );
    assert!(!feedback.contains(['<', '>', '\u{1b}', '\0']), "{feedback}");
    assert!(!export.text.contains(EVIDENCE));
}

#[test]
fn a_student_without_the_key_is_left_out_and_not_taken_for_the_one_before() {
    let export = write(&grades(), Key::Email).unwrap();
    let notes: Vec<String> = export.notes.iter().map(Note::to_string).collect();
    assert_eq!(
        notes,
        ["zoe was left out: the roster has no e-mail address of this student"]
    );
    // With that line the importer would give the grades of zoe to bob.
    let with_it = format!("{},Zoe,1,x,-,\r\n", export.text);
    assert_eq!(
        imported(&with_it, &USERS),
        Err("two lines for bob@uni.example".to_owned())
    );

    let by_login = write(&grades(), Key::Username).unwrap();
    assert_eq!(
        imported(&by_login.text, &["anna", "bob", "zoe"])
            .unwrap()
            .len(),
        3
    );
    let by_number = write(&grades(), Key::IdNumber).unwrap();
    assert_eq!(
        (
            by_number.notes.len(),
            by_number.text.starts_with("ID number,")
        ),
        (1, true)
    );
}

#[test]
fn a_file_that_breaks_a_rule_is_refused() {
    let good = write(&grades(), Key::Email).unwrap().text;
    for (from, to) in [
        ("Anna.Muster", "anna.muster"),
        (",0.5,", ",half,"),
        (",5,", ",500,"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(imported(&bad, &USERS).is_err(), "{from}");
    }
}

#[test]
fn a_lab_with_more_points_than_moodle_imports_is_refused() {
    let large = one(vec![item("a", "an item", 0, 101, "")]);
    let error = write(&large, Key::Email).unwrap_err();
    assert!(matches!(error, MoodleError::TooManyPoints { .. }));
    assert!(write(&one(vec![item("a", "an item", 0, 100, "")]), Key::Email).is_ok());
}

#[test]
fn an_address_that_a_spreadsheet_would_run_is_left_out() {
    let mut students = grades().students().to_vec();
    students[0].person.email = "=cmd@uni.example".to_owned();
    let class = latchstring_course::grades::Grades::new(
        grades().header().clone(),
        grades().labs().to_vec(),
        students,
    );
    let export = write(&class.unwrap(), Key::Email).unwrap();
    assert!(
        matches!(&export.notes[..], [Note::FormulaKey { student, .. }, _] if student.as_str() == "anna")
    );
}
