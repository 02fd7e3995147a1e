//! Gradescope, by `docs/specs.md` of gradescope/autograder_samples.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    path::Path,
};

use latchstring_course::export::gradescope::{GRADE, Part, Visibility, archive, results};
use serde_json::{Value, json};

use crate::{
    class::{EVIDENCE, grades},
    schema::{changed, faults},
};

fn schema() -> Value {
    serde_json::from_str(include_str!("../schemas/gradescope-results.json")).unwrap()
}

/// The schema, and the rules of the page that a schema cannot say.
fn refused(value: &Value) -> Vec<String> {
    let mut found = faults(&schema(), value);
    let tests = value["tests"].as_array().map_or(&[][..], Vec::as_slice);
    if value.get("score").is_none() && tests.iter().any(|test| test.get("score").is_none()) {
        found.push("a score is needed on top or on each test".to_owned());
    }
    // "Test cases with visibility set to hidden … should only be used for tests which don't contribute points".
    let unscored = |test: &&Value| test["visibility"] == "hidden" && test["max_score"] != 0;
    found.extend(
        tests
            .iter()
            .find(unscored)
            .map(|test| format!("hidden, with points: {test}")),
    );
    found
}

fn of(student: &str) -> Value {
    let grades = grades();
    let sheet = grades.sheet(student, &[]).unwrap();
    serde_json::from_str(&results(&sheet, Visibility::AfterDueDate, &[])).unwrap()
}

#[test]
fn the_results_of_each_student_keep_to_the_page() {
    for student in ["anna", "bob", "zoe"] {
        assert_eq!(refused(&of(student)), Vec::<String>::new(), "{student}");
    }
    assert_eq!(of("anna")["score"], json!(8));
    assert_eq!(of("bob")["score"], json!(0.5));
    assert_eq!(of("zoe")["tests"].as_array().unwrap().len(), 2);
    insta::assert_snapshot!("gradescope", {
        let grades = grades();
        results(&grades.sheet("bob", &[]).unwrap(), Visibility::Visible, &[])
    });
}

#[test]
fn results_that_break_a_rule_are_refused() {
    let good = of("bob");
    for (pointer, to) in [
        ("/score", Some(json!("0.5"))),
        ("/visibility", Some(json!("after_deadline"))),
        ("/output_format", Some(json!("plain"))),
        ("/points", Some(json!(1))),
        ("/tests/0/status", None),
        ("/tests/0/status", Some(json!("ok"))),
        ("/tests/0/score", Some(json!(-1))),
        ("/tests/0/number", Some(json!(1.1))),
        ("/tests/0/visibility", Some(json!("hidden"))),
    ] {
        let bad = changed(&good, pointer, to);
        assert!(!refused(&bad).is_empty(), "{pointer}");
    }
}

#[test]
fn evidence_is_in_a_test_that_students_never_see() {
    let results = of("bob");
    let tests = results["tests"].as_array().unwrap();
    let with_it = tests
        .iter()
        .filter(|test| test.to_string().contains(EVIDENCE));
    let seen: Vec<&Value> = with_it.map(|test| &test["visibility"]).collect();
    assert_eq!(seen, ["hidden"]);
    assert!(!results["output"].as_str().unwrap().contains(EVIDENCE));
    assert_eq!(results["stdout_visibility"], "hidden");
}

/// The first bytes of a program for Linux on x86-64.
fn program() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[18] = 62;
    elf
}

const COURSE: [Part<'_>; 2] = [
    Part {
        path: "roster.csv",
        bytes: b"id,name\n",
    },
    Part {
        path: "keys/course.key",
        bytes: b"secret",
    },
];

type Entries = BTreeMap<String, (u32, String)>;

fn entries(zip: &[u8]) -> Entries {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut entries = Entries::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        assert_eq!(file.last_modified().unwrap(), zip::DateTime::default());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        entries.insert(
            file.name().to_owned(),
            (file.unix_mode().unwrap() & 0o777, text),
        );
    }
    entries
}

/// What the page demands of an archive: two scripts in its root that can be run, with a line that names their shell.
fn refused_archive(entries: &Entries) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["setup.sh", "run_autograder"] {
        match entries.get(name) {
            None => found.push(format!("no {name} in the root")),
            Some((mode, text)) => {
                found.extend((mode & 0o100 == 0).then(|| format!("{name} cannot be run")));
                found.extend((!text.starts_with("#!/")).then(|| format!("{name} names no shell")));
            }
        }
    }
    let run = entries.get("run_autograder").map_or("", |(_, text)| text);
    let writes = run.contains("results/results.json");
    found.extend((!writes).then(|| "nothing writes results/results.json".to_owned()));
    found
}

#[test]
fn the_archive_has_its_scripts_in_the_root_and_is_the_same_each_time() {
    let one = archive(&program(), &COURSE, &[]).unwrap();
    let [first, second] = COURSE;
    assert_eq!(archive(&program(), &[second, first], &[]).unwrap(), one);
    let entries = entries(&one);
    assert_eq!(refused_archive(&entries), Vec::<String>::new());
    let names: Vec<&str> = entries.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "course/keys/course.key",
            "course/roster.csv",
            "latchstring",
            "run_autograder",
            "setup.sh"
        ]
    );
    assert!(
        entries["run_autograder"]
            .1
            .ends_with(&format!("\nexec {GRADE}\n"))
    );
    assert_eq!(entries["latchstring"].0, 0o755);
    assert_eq!(entries["course/keys/course.key"].0, 0o644);
    for name in ["setup.sh", "run_autograder"] {
        let mut moved = entries.clone();
        let script = moved.remove(name).unwrap();
        moved.insert(format!("folder/{name}"), script);
        assert!(!refused_archive(&moved).is_empty(), "{name}");
    }
}

#[test]
fn the_scripts_are_shell() {
    let folder = std::env::temp_dir();
    let entries = entries(&archive(&program(), &[], &[]).unwrap());
    for name in ["setup.sh", "run_autograder"] {
        assert!(is_shell(&folder, &entries[name].1), "{name}");
    }
    assert!(!is_shell(&folder, "if true; then\n"));
}

/// Whether bash can read it; it runs nothing.
fn is_shell(folder: &Path, text: &str) -> bool {
    let output = std::process::Command::new("bash")
        .args(["-n", "-c", text])
        .current_dir(folder)
        .output();
    output.unwrap().status.success()
}

#[test]
fn what_would_not_work_in_gradescope_is_refused() {
    for wrong in [&b"MZ"[..], b"\xcf\xfa\xed\xfe", b"", &program()[..18]] {
        let error = archive(wrong, &[], &[]).unwrap_err().to_string();
        assert!(
            error.starts_with("the program is not for Linux on x86-64"),
            "{error}"
        );
    }
    let mut arm = program();
    arm[18] = 183;
    assert!(archive(&arm, &[], &[]).is_err());
    let twice = [COURSE[0], COURSE[0]];
    assert!(archive(&program(), &twice, &[]).is_err());
    for path in [
        "",
        "/etc/passwd",
        "../setup.sh",
        "a/../b",
        "a\\b",
        "c:x",
        "a//b",
        "a\n",
    ] {
        let part = Part { path, bytes: b"" };
        let error = archive(&program(), &[part], &[]).unwrap_err().to_string();
        assert!(
            error.contains("cannot be a file of the course"),
            "{path:?}: {error}"
        );
    }
}
