//! Classroom 50, by its page on the `result.json` contract and its `validate_result`.

use latchstring_course::export::classroom50::{Identity, IdentityError, write};
use serde_json::{Value, json};

use crate::{
    class::{EVIDENCE, grades, item, one},
    schema::{changed, faults},
};

const VARIABLES: [(&str, &str); 6] = [
    ("CLASSROOM", "cs-principles"),
    ("ASSIGNMENT", "lab-01"),
    ("SUBMISSION_TAG", "submit/2026-06-01T14-32-05Z-a1b2c3d"),
    ("COMMIT_URL", "https://github.com/o/r/commit/a1"),
    (
        "RELEASE_URL",
        "https://github.com/o/r/releases/tag/submit%2F2026",
    ),
    ("REVIEW_URL", "https://github.com/o/r/compare/0...a1"),
];

fn identity_without(missing: &str) -> Result<Identity, IdentityError> {
    Identity::read(|name| {
        let mut known = VARIABLES.into_iter().filter(|(known, _)| *known != missing);
        known
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    })
}

/// The schema, and the comparisons of `validate_result`.
fn refused(value: &Value) -> Vec<String> {
    let schema = include_str!("../schemas/classroom50-result.json");
    let mut found = faults(&serde_json::from_str(schema).unwrap(), value);
    let submission = value["submission"].as_str().unwrap_or_default();
    found.extend((!submission.starts_with("submit/")).then(|| "no submission".to_owned()));
    let tests = value["tests"].as_array().unwrap();
    for scored in tests.iter().chain([value]) {
        let over = scored["score"].as_u64() > scored["max-score"].as_u64();
        found.extend(over.then(|| format!("more than there is: {scored}")));
    }
    for field in ["score", "max-score"] {
        let sum: u64 = tests.iter().filter_map(|test| test[field].as_u64()).sum();
        let same = value[field].as_u64() == Some(sum);
        found.extend((!same).then(|| format!("{field} is no sum")));
    }
    found
}

fn of(student: &str) -> Value {
    let grades = grades();
    let sheet = grades.sheet(student, &[]).unwrap();
    serde_json::from_str(&write(&sheet, &identity_without("").unwrap())).unwrap()
}

#[test]
fn the_result_of_each_student_keeps_to_the_contract() {
    for student in ["anna", "bob", "zoe"] {
        let result = of(student);
        assert_eq!(refused(&result), Vec::<String>::new(), "{student}");
        assert!(!result.to_string().contains(EVIDENCE));
    }
    insta::assert_snapshot!("classroom50", {
        let grades = grades();
        write(
            &grades.sheet("bob", &[]).unwrap(),
            &identity_without("").unwrap(),
        )
    });
}

#[test]
fn a_result_that_breaks_a_rule_is_refused() {
    let good = of("anna");
    for (pointer, to) in [
        ("/schema", Some(json!("classroom50/result/v2"))),
        ("/review", Some(json!(""))),
        ("/commit", None),
        ("/submission", Some(json!("release/1"))),
        ("/score", Some(json!(1.5))),
        ("/score", Some(json!(99))),
        ("/max-score", Some(json!(-1))),
        ("/tests/0/passed", Some(json!("true"))),
        ("/tests/0/max-score", Some(json!(0))),
    ] {
        assert!(
            !refused(&changed(&good, pointer, to)).is_empty(),
            "{pointer}"
        );
    }
}

#[test]
fn scores_are_integers_and_nothing_is_rounded() {
    assert_eq!(
        (&of("anna")["score"], &of("anna")["max-score"]),
        (&json!(8), &json!(8))
    );
    // Half a point: all scores of the file are hundredths.
    assert_eq!(
        (&of("bob")["score"], &of("bob")["max-score"]),
        (&json!(50), &json!(800))
    );
    let grades = one(vec![item("a", "an item", 133, 2, "")]);
    let text = write(
        &grades.sheet("anna", &[]).unwrap(),
        &identity_without("").unwrap(),
    );
    assert!(
        text.contains("\"score\": 133,\n  \"max-score\": 200"),
        "{text}"
    );
}

#[test]
fn the_time_is_the_one_of_the_submission() {
    assert_eq!(of("anna")["datetime"], "2026-11-20T08:30:00Z");
    assert_eq!(of("zoe")["datetime"], "2026-11-27T18:00:00Z");
}

#[test]
fn what_the_runner_does_not_say_is_named() {
    for name in [
        "CLASSROOM",
        "ASSIGNMENT",
        "SUBMISSION_TAG",
        "COMMIT_URL",
        "RELEASE_URL",
    ] {
        assert_eq!(identity_without(name), Err(IdentityError::Missing(name)));
    }
    let without = identity_without("REVIEW_URL").unwrap();
    assert_eq!(without.review, without.commit);
    let empty = Identity::read(|_| Some(String::new()));
    assert!(matches!(empty, Err(IdentityError::Missing(_))));
    let tag = Identity::read(|_| Some("v1".to_owned()));
    assert_eq!(tag, Err(IdentityError::Tag("v1".to_owned())));
}
