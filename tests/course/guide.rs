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

/// The lines that a person types in these blocks.
fn typed(page: &str, section: &str) -> Vec<String> {
    let section = page.split(&format!("\n## {section}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = blocks(section, "console").into_iter().flat_map(str::lines);
    lines
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect()
}

/// Runs each word behind `:::`, one after the other, as GNU parallel does with these options.
const PARALLEL: &str = r#"#!/bin/bash
while [ "${1#--}" != "$1" ]; do
    case $1 in --jobs|--sshloginfile|--workdir) shift 2 ;; *) exit 255 ;; esac
done
line=()
while [ "$1" != ::: ]; do line+=("$1"); shift; done
shift
failed=0
for word in "$@"; do "${line[@]//\{\}/$word}" || failed=$((failed + 1)); done
exit $failed
"#;

/// Runs a script once for each task of its array, with the variables that Slurm sets there.
const SBATCH: &str = r#"#!/bin/bash
[ "$1" = --wait ] || exit 255
array=$(sed -n 's/^#SBATCH --array=//p' "$2")
for task in $(seq "${array%-*}" "${array#*-}"); do
    SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=${array#*-} \
        SLURM_ARRAY_TASK_MIN=${array%-*} SLURM_ARRAY_TASK_MAX=${array#*-} bash "$2" || exit
done
"#;

/// With the real GNU parallel where it is installed. No machine for tests has Slurm.
#[test]
fn a_large_class_is_graded_with_the_lines_of_the_guide() {
    use std::os::unix::fs::PermissionsExt;

    let (clone, guide) = (Clone::new(), page("instructor.md"));
    fs::write(clone.path().join("list.csv"), blocks(&guide, "csv")[0]).unwrap();
    let graded = clone.shell(&blocks(&guide, "sh")[..5].join("\n"));
    assert!(graded.status.success(), "{graded:?}");
    let grades = clone.path().join("netsec/grades.json");
    let results = || -> String {
        let text = fs::read_to_string(&grades).unwrap();
        // The time of grading differs.
        let lines = text.lines().filter(|line| !line.contains("\"graded\""));
        lines.collect::<Vec<_>>().join("\n")
    };
    let whole = results();

    let bin = clone.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let stand_in = |name: &str, text: &str| {
        let path = bin.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let real = Command::new("parallel").arg("--version").output();
    if !real.is_ok_and(|real| real.stdout.starts_with(b"GNU parallel")) {
        stand_in("parallel", PARALLEL);
    }
    stand_in("sbatch", SBATCH);
    fs::write(clone.path().join("machines"), ":\n").unwrap();
    let script = blocks(&guide, "bash")[0];
    fs::write(clone.path().join("grade.sh"), format!("{script}\n")).unwrap();
    let lines = typed(&guide, "A large class");
    assert_eq!(lines.len(), 4, "{lines:?}");
    for two in lines.chunks(2) {
        fs::remove_file(&grades).unwrap();
        let ran = clone.shell(&format!("PATH=\"$PWD/bin:$PATH\"\n{}", two.join("\n")));
        assert!(ran.status.success(), "{ran:?}");
        assert_eq!(results(), whole, "{two:?}");
        for part in 1..=8 {
            fs::remove_file(clone.path().join(format!("part-{part}.json"))).unwrap();
        }
    }
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
