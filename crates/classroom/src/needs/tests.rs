//! What the labs' own commands need, and what a student's own command adds.

use super::*;
use crate::labs::{built_in, find};

fn lab(number: &str) -> Lab {
    find(built_in().unwrap(), number).unwrap()
}

/// The needs of a trial with this sheet.
fn needs(number: &str, trial: &str, language: &str, sheet: &str, claimed: bool) -> BTreeSet<Need> {
    let lab = lab(number);
    let answers = Answers::of_bytes(sheet.as_bytes(), &lab).unwrap();
    let trial = lab.trials.iter().find(|known| known.id == trial).unwrap();
    let program = Program {
        lab: &lab,
        language: lab.language(Some(language)).unwrap(),
        answers: &answers,
    };
    program.needs(trial, claimed)
}

fn program(name: &str) -> Need {
    Need::Program(name.to_owned())
}

#[test]
fn each_language_needs_its_tools_and_the_packages_of_the_start_code() {
    let python = program("python3");
    let packages = |lab: &str, list: &str| Need::Packages {
        lab: lab.to_owned(),
        language: "python".to_owned(),
        python: "python3".to_owned(),
        list: list.into(),
    };
    let attack = needs("01", "attack", "python", "", false);
    assert_eq!(attack, BTreeSet::from([python.clone()]));
    let mend = needs("01", "mend", "python", "", false);
    let list = packages("01-say-the-name", "mend/requirements.txt");
    assert_eq!(mend, BTreeSet::from([python.clone(), list]));
    let first = lab("15").trials[0].id.clone();
    let rung = needs("15", &first, "python", "", false);
    assert!(rung.contains(&packages("15-mend-it", "requirements.txt")));
    let rust = needs("01", "mend", "rust", "", false);
    assert!(rust.contains(&program("cargo")) && !rust.contains(&python));
    assert!(rust.iter().any(|need| matches!(need, Need::Crates { .. })));
    let deploy = lab("16")
        .trials
        .iter()
        .find(|trial| trial.deploy.is_some())
        .unwrap()
        .id
        .clone();
    let deploy = needs("16", &deploy, "python", "", false);
    assert!(
        BESIDE
            .into_iter()
            .all(|name| deploy.contains(&Need::Beside(name)))
    );
}

#[test]
fn a_program_that_only_the_student_names_is_a_need_if_it_is_said_to_have_run() {
    let own = "run = [\"go\", \"run\", \"attack.go\"]";
    assert_eq!(needs("01", "attack", "python", own, false), BTreeSet::new());
    let claimed = needs("01", "attack", "python", own, true);
    assert_eq!(claimed, BTreeSet::from([program("go")]));
    // A file of the student's is no tool, and a tool of the lab is one in any case.
    let own = "run = [\"./attack\"]";
    assert_eq!(needs("01", "attack", "python", own, true), BTreeSet::new());
    let own = "run = [\"python3\", \"other.py\"]";
    assert!(needs("01", "attack", "rust", own, false).contains(&program("python3")));
}

#[test]
fn a_comparison_with_the_solution_needs_what_the_solution_needs() {
    let lab = lab("04");
    let compared = lab
        .checks
        .iter()
        .find(|check| check.prints_as_solution)
        .unwrap();
    let rust = needs("04", &compared.trial, "rust", "", false);
    assert!(rust.contains(&program("python3")), "{rust:?}");
}
