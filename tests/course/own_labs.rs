//! Labs of the instructor's own go with the hand-out, without what tells the answers; and with the archive for Gradescope.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use latchstring_course::grades::Grades;
use latchstring_tests::{copy, workspace};
use tempfile::TempDir;

use crate::class::{entries, one_line, result, run, solve, submit, unpack};

/// Labs of this program under other names: to it they are somebody's own.
const LABS: [(&str, &str); 2] = [
    ("01-say-the-name", "91-my-name"),
    // Its output is compared with that of the solution.
    ("04-two-time-pad", "92-my-pad"),
];

/// A course with these labs, and with two students, of whom one has no address.
fn course() -> TempDir {
    let top = tempfile::tempdir().unwrap();
    for (lab, mine) in LABS {
        let folder = top.path().join("my-labs").join(mine);
        copy(&workspace().join("labs").join(lab), &folder);
        let definition = folder.join("lab.toml");
        let text = fs::read_to_string(&definition).unwrap();
        let text = text.replacen(&format!("id = \"{lab}\""), &format!("id = \"{mine}\""), 1);
        fs::write(definition, text).unwrap();
    }
    let list = "name,email,login\nAnna,anna@uni.example,anna\nBert,,bert\n";
    fs::write(top.path().join("list.csv"), list).unwrap();
    for arguments in [
        &["course", "new", "Own", "--course", "."][..],
        &["course", "roster", "import", "list.csv"],
        &["course", "hand-out", "out"],
    ] {
        let arguments = [arguments, &["--labs", "my-labs"]].concat();
        let output = run(top.path(), &arguments);
        assert!(output.status.success(), "{output:?}");
    }
    top
}

/// What the lists of packages below a folder name.
fn packages(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(packages(&path));
        } else if path.ends_with("requirements.txt") {
            let text = fs::read_to_string(path).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            found.extend(lines.map(str::to_owned));
        }
    }
    found
}

/// Anna's archive, and the folder into which she unpacks it, which is not below the course.
fn unpacked(top: &Path) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    unpack(&fs::read(top.join("out/anna.zip")).unwrap(), home.path());
    let folder = home.path().join("own-anna");
    (home, folder)
}

#[test]
fn a_student_works_on_an_own_lab_as_on_any_other_and_the_hand_out_tells_no_answer() {
    let top = course();
    let archive = entries(&fs::read(top.path().join("out/anna.zip")).unwrap());
    let brought = |name: &String| name.contains("/.latchstring.labs/91-my-name/");
    let brought: Vec<&String> = archive.keys().filter(|name| brought(name)).collect();
    assert!(brought.iter().any(|name| name.ends_with("lab.toml")));
    assert!(
        brought
            .iter()
            .any(|name| name.ends_with("start/python/attack.py"))
    );
    for name in archive.keys() {
        let secret = ["/solution/", "/wrong/", "CASE.md"];
        assert!(!secret.iter().any(|part| name.contains(part)), "{name}");
    }
    let (_home, folder) = unpacked(top.path());
    fs::create_dir(top.path().join("in")).unwrap();
    for (lab, mine) in LABS {
        let work = folder.join(mine);
        solve(&work, lab);
        let output = run(&work, &["lab", "check"]);
        let said = one_line(&output);
        assert!(output.status.success(), "{said} {output:?}");
        let waits = said.contains("your output is compared when you hand it in");
        assert_eq!(waits, lab.starts_with("04"), "{said}");
        fs::write(top.path().join(format!("in/{mine}.zip")), submit(&work)).unwrap();
    }
    let listed = one_line(&run(&folder, &["lab", "list"]));
    let with_both = listed.contains("91 Say the name") && listed.contains("01 Say the name");
    assert!(with_both && !listed.contains("not written yet"), "{listed}");
    // The instructor has the whole lab, and compares everything.
    let output = run(top.path(), &["course", "grade", "in", "--labs", "my-labs"]);
    assert!(output.status.success(), "{output:?}");
    let grades = fs::read_to_string(top.path().join("grades.json")).unwrap();
    let grades = Grades::from_json(&grades).unwrap();
    for (_, mine) in LABS {
        let result = result(&grades, "anna", mine);
        assert!(result.passed(), "{result:?}");
    }
}

#[test]
fn a_wrong_output_of_an_own_lab_is_found_when_it_is_handed_in() {
    let top = course();
    let (_home, folder) = unpacked(top.path());
    let work = folder.join("92-my-pad");
    solve(&work, "04-two-time-pad");
    // It prints a line too many.
    let program = work.join("drag.py");
    let text = fs::read_to_string(&program).unwrap();
    fs::write(&program, format!("print('and this')\n{text}")).unwrap();
    fs::create_dir(top.path().join("in")).unwrap();
    fs::write(top.path().join("in/1.zip"), submit(&work)).unwrap();
    let output = run(top.path(), &["course", "grade", "in", "--labs", "my-labs"]);
    assert!(output.status.success(), "{output:?}");
    let grades = fs::read_to_string(top.path().join("grades.json")).unwrap();
    let grades = Grades::from_json(&grades).unwrap();
    let result = result(&grades, "anna", "92-my-pad");
    assert!(result.is_complete() && !result.passed(), "{result:?}");
}

#[test]
fn the_archive_for_gradescope_has_own_labs_and_its_gaps_are_told() {
    let top = course();
    let export = ["course", "export", "autograder", "--out", "a.zip"];
    let output = run(top.path(), &[&export[..], &["--labs", "my-labs"]].concat());
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("has none for: bert."), "{said}");
    assert!(!said.contains("anna"), "{said}");
    let archive = entries(&fs::read(top.path().join("a.zip")).unwrap());
    assert!(archive.contains_key("course/labs/91-my-name/lab.toml"));
    let setup = String::from_utf8(archive["setup.sh"].clone()).unwrap();
    for package in packages(&workspace().join("labs")) {
        assert!(setup.contains(&package), "{package}: {setup}");
    }
    let script = String::from_utf8(archive["run_autograder"].clone()).unwrap();
    assert!(script.contains("--labs source/course/labs"), "{script}");
    // The archive is enough to open the course with its labs.
    let there = tempfile::tempdir().unwrap();
    for (name, bytes) in &archive {
        let path = there.path().join("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        // As the script in the archive does it.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let metadata = r#"{"created_at": "2026-11-20T10:00:00.000000-08:00", "users": [{"email": "anna@uni.example"}]}"#;
    fs::write(there.path().join("submission_metadata.json"), metadata).unwrap();
    fs::create_dir(there.path().join("submission")).unwrap();
    fs::create_dir(there.path().join("results")).unwrap();
    let line = script
        .lines()
        .find_map(|line| line.strip_prefix("exec latchstring "));
    let arguments: Vec<&str> = line.unwrap().split(' ').collect();
    let output = run(there.path(), &arguments);
    assert!(output.status.success(), "{output:?}");

    // A course with the labs of this program alone brings none along, and lab 16 is told.
    let plain = tempfile::tempdir().unwrap();
    fs::copy(top.path().join("list.csv"), plain.path().join("list.csv")).unwrap();
    run(plain.path(), &["course", "new", "Plain", "--course", "."]);
    run(plain.path(), &["course", "roster", "import", "list.csv"]);
    let output = run(plain.path(), &export);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("16-deploy-it"), "{said}");
    let archive = entries(&fs::read(plain.path().join("a.zip")).unwrap());
    assert!(!archive.keys().any(|name| name.starts_with("course/labs/")));
    let named = run(plain.path(), &[&export[..], &["--lab", "00"]].concat());
    assert!(!String::from_utf8_lossy(&named.stderr).contains("16-deploy-it"));
}
