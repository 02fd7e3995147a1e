//! Autolab, by `docs/lab.md` of autolab/docs and `parseAutoresult` of autolab/Autolab.

use latchstring_course::export::autolab::{line, problem};
use serde_json::{Value, json};

use crate::class::grades;

/// What Autolab makes of the last line of an output. It puts quotes around each word in front of a colon:
/// `autoresult.gsub(/([a-zA-Z0-9]+):/, '"\1":')`.
fn parsed(output: &str) -> Result<Value, String> {
    let last = output.lines().last().ok_or("no line")?;
    let mut text = String::new();
    let mut word = String::new();
    for c in last.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => word.push(c),
            ':' if !word.is_empty() => {
                text.push_str(&format!("\"{}\":", std::mem::take(&mut word)))
            }
            c => {
                text.push_str(&std::mem::take(&mut word));
                text.push(c);
            }
        }
    }
    text.push_str(&word);
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let scores = value["scores"]
        .as_object()
        .ok_or("Missing 'scores' object in the autoresult")?;
    match scores.values().all(Value::is_number) {
        true => Ok(value),
        false => Err("a score is no number".to_owned()),
    }
}

#[test]
fn the_last_line_gives_each_lab_its_points() {
    let grades = grades();
    let of = |student: &str, board| {
        let line = line(&grades.sheet(student, &[]).unwrap(), board);
        assert_eq!(line.lines().count(), 1);
        parsed(&format!("grading: a b\n{line}\n")).unwrap()
    };
    assert_eq!(
        of("anna", true),
        json!({ "scores": { "01-say-the-name": 5, "02-turn-the-bits": 3 }, "scoreboard": [5, 3, 8] })
    );
    assert_eq!(
        of("bob", false),
        json!({ "scores": { "01-say-the-name": 0.5, "02-turn-the-bits": 0 } })
    );
    insta::assert_snapshot!("autolab", line(&grades.sheet("bob", &[]).unwrap(), true));
}

#[test]
fn a_name_with_a_colon_would_damage_the_line() {
    assert!(parsed("{\"scores\":{\"Lab 1: a\":1}}").is_err());
    let name = problem("Lab 1: \"a\"");
    assert_eq!(name, "Lab-1---a-");
    assert!(parsed(&format!("{{\"scores\":{{\"{name}\":1}}}}")).is_ok());
    for bad in [
        "",
        "{}",
        "{\"scores\":{\"a\":\"1\"}}",
        "{\"scores\":{}}\nafter",
    ] {
        assert!(parsed(bad).is_err(), "{bad:?}");
    }
}
