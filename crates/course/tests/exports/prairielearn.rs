//! PrairieLearn, by its page on external grading.

use latchstring_course::export::prairielearn::{MOST, write};
use serde_json::{Value, json};

use crate::{
    class::{EVIDENCE, grades, item, one},
    schema::{changed, faults},
};

/// The schema, and the rules that a schema cannot say.
fn refused(text: &str) -> Vec<String> {
    let schema = include_str!("../schemas/prairielearn-results.json");
    let value: Value = serde_json::from_str(text).unwrap();
    let mut found = faults(&serde_json::from_str(schema).unwrap(), &value);
    // "This file should be limited to 1 MB."
    found.extend((text.len() > MOST).then(|| "too long".to_owned()));
    // "If the submission is gradable, the result only has one mandatory field: score".
    let scored = value.get("score").is_some();
    let gradable = value["gradable"] == true;
    found.extend((scored != gradable).then(|| "score and gradable do not agree".to_owned()));
    found
}

#[test]
fn the_results_of_each_student_keep_to_the_page() {
    let grades = grades();
    for (student, score) in [
        ("anna", json!(1.0)),
        ("bob", json!(0.0625)),
        ("zoe", Value::Null),
    ] {
        let text = write(&grades.sheet(student, &[]).unwrap());
        assert_eq!(refused(&text), Vec::<String>::new(), "{student}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap()["score"],
            score
        );
        assert!(!text.contains(EVIDENCE));
    }
    insta::assert_snapshot!("prairielearn", write(&grades.sheet("bob", &[]).unwrap()));
}

#[test]
fn results_that_break_a_rule_are_refused() {
    let grades = grades();
    let good: Value = serde_json::from_str(&write(&grades.sheet("bob", &[]).unwrap())).unwrap();
    for (pointer, to) in [
        ("/score", Some(json!(1.5))),
        ("/score", Some(json!(50))),
        ("/score", None),
        ("/gradable", Some(json!(false))),
        ("/gradable", Some(json!("yes"))),
        ("/tests/0/max_points", None),
        ("/tests/0/status", Some(json!("passed"))),
    ] {
        assert!(
            !refused(&changed(&good, pointer, to).to_string()).is_empty(),
            "{pointer}"
        );
    }
    let long = changed(&good, "/message", Some(json!("x".repeat(MOST))));
    assert!(!refused(&long.to_string()).is_empty());
}

#[test]
fn long_results_are_cut_below_the_limit_and_say_so() {
    let long = "ä\"\n".repeat(9_000);
    let of = |count: usize, title: &str, message: &str| {
        let items = (0..count).map(|at| item(&format!("i{at}"), title, 0, 1, message));
        let grades = one(items.collect());
        write(&grades.sheet("anna", &[]).unwrap())
    };
    for (count, title, message, cut) in [
        (3, "t", "short", ""),
        (60, "t", long.as_str(), "The messages were cut"),
        (40, long.as_str(), long.as_str(), "The messages were cut"),
        (12_000, "a title", "", "The tests were left out"),
    ] {
        let text = of(count, title, message);
        assert_eq!(refused(&text), Vec::<String>::new(), "{count}");
        let said = serde_json::from_str::<Value>(&text).unwrap();
        let said = said["message"].as_str().unwrap();
        assert!(
            said.starts_with(cut) && said.is_empty() == cut.is_empty(),
            "{count}: {said}"
        );
    }
}
