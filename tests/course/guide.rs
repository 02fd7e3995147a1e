//! The instructor's guide and the page on writing a lab, run as they are printed.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output},
};

use latchstring_tests::{binary, workspace};
use tempfile::TempDir;

/// A folder as a clone is, for a newcomer who has built the programs.
struct Clone(TempDir);

impl Clone {
    fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        symlink(workspace().join("labs"), top.path().join("labs")).unwrap();
        Self(top)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the lines in one shell, and stops at the first that fails.
    fn shell(&self, lines: &str) -> Output {
        let programs = binary("latchstring");
        let programs = programs.parent().unwrap().display();
        let path = std::env::var("PATH").unwrap();
        Command::new("bash")
            .args(["-e", "-c", lines])
            .current_dir(self.path())
            .env("PATH", format!("{programs}:{path}"))
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }
}

fn page(name: &str) -> String {
    fs::read_to_string(workspace().join("docs/src").join(name)).unwrap()
}

/// The blocks of code in this language, in their order.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let blocks = page.split(&fence).skip(1);
    blocks
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect()
}

#[test]
fn a_class_of_three_is_graded_and_exported_with_the_guide_alone() {
    let (clone, guide) = (Clone::new(), page("instructor.md"));
    fs::write(clone.path().join("list.csv"), blocks(&guide, "csv")[0]).unwrap();
    let steps = blocks(&guide, "sh");
    assert!(steps.len() >= 6, "{steps:#?}");
    let ran = clone.shell(&steps.join("\n"));
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    for sentence in [
        "3 new, 0 changed",
        "3 archives in to-students",
        "1 result of 3 students",
        "1. Your",
    ] {
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
    // Not a remark on anything but the solution, which the guide has copied.
    let remarks: Vec<&str> = said.lines().filter(|line| line.starts_with("- ")).collect();
    let of_solution = remarks
        .iter()
        .all(|line| line.contains("equals the lab's own solution"));
    assert!(remarks.len() == 1 && of_solution, "{said}");
    for file in ["report.html", "moodle.csv", "netsec/grades.json"] {
        assert!(clone.path().join(file).exists(), "{file}");
    }
    // The terms that the guide shows are read.
    let terms = clone.path().join("netsec/course.toml");
    let text = fs::read_to_string(&terms).unwrap();
    let shown = blocks(&guide, "toml")[0];
    let text = text.split("# Deadlines").next().unwrap().to_owned() + shown;
    fs::write(&terms, text).unwrap();
    let again = clone.shell("latchstring course regrade handed-in --course netsec");
    assert!(again.status.success(), "{again:?}");
}

#[test]
fn the_lab_that_the_page_builds_proves_itself() {
    let (clone, page) = (Clone::new(), page("writing-a-lab.md"));
    let steps = blocks(&page, "sh");
    let made = clone.shell(steps[0]);
    assert!(made.status.success(), "{made:?}");
    let file = |name: &str, text: &str| {
        let path = clone.path().join("my-labs/90-yes-or-no").join(name);
        fs::write(path, format!("{text}\n")).unwrap();
    };
    file("lab.toml", blocks(&page, "toml")[0]);
    let texts = blocks(&page, "markdown");
    file("README.md", texts[0]);
    file("EXPLANATION.md", texts[1]);
    file("solution/solve.py", blocks(&page, "python")[0]);
    file("wrong/guess/note.txt", blocks(&page, "text")[0]);
    let proved = clone.shell(&steps[1..].join("\n"));
    let said = String::from_utf8_lossy(&proved.stdout);
    assert!(
        proved.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&proved.stderr)
    );
    assert!(said.contains("3 of 3 are as they must be"), "{said}");
    // It can fail: with an answer that is the same for everybody, the wrong solution of half of the class is right.
    let toml = blocks(&page, "toml")[0].replace("the-vote = \"maybe\"", "the-vote = \"yes\"");
    file("lab.toml", &toml);
    let failed = clone.shell("latchstring lab self-test --labs my-labs --students 4 --seed 1 90");
    assert!(!failed.status.success(), "{failed:?}");
}
