//! The handout of a lab as a course packs it. In practice a student makes the lab's folder, and the handout says how. In a
//! hand-out the folder is there already, and a student who follows these lines would begin a second one.

/// What the paragraph begins with that says where the programs are.
const PROGRAMS: &str = "Begin in the top folder of the project";
/// In its place.
const READ_FIRST: &str = "The file `READ-ME-FIRST.md` beside this folder says how you get the program. In each terminal, \
                          once, tell the shell\nwhere it is. Do this in the top folder of the project:";
/// What the paragraph begins with that makes a folder.
const MAKES: &str = "From then on `latchstring` works in every folder.";
/// The folder in which practice folders are made.
const WORK: &str = "cd lab-work/";

/// The handout of this lab for a folder that was unpacked.
pub(super) fn handout(text: &str, lab: &str) -> String {
    let number = lab.split('-').next().unwrap_or(lab);
    let start = format!("latchstring lab start {number}");
    // What is left of `lab start` begins in another language. In a folder that is there already, `reset` does that.
    let reset = format!("latchstring lab reset {number}");
    let mut paragraphs = Vec::new();
    for paragraph in text.split("\n\n") {
        let line = paragraph.trim();
        if paragraph.starts_with(PROGRAMS) {
            paragraphs.push(READ_FIRST.to_owned());
        } else if paragraph.starts_with(MAKES) {
            paragraphs.push(format!(
                "{MAKES} Your folder is the one with this file, and the lab is\nbegun in it. Go there, from the folder that you \
                 have unpacked:\n\n    cd {lab}"
            ));
        } else if line != start {
            let kept = without_work(paragraph).replace(&start, &reset);
            paragraphs.push(kept);
        }
    }
    paragraphs.join("\n\n")
}

/// A paragraph without the line that goes to a practice folder. The student is in the folder already.
fn without_work(paragraph: &str) -> String {
    let lines = paragraph.split('\n');
    let kept = lines.filter(|line| !line.trim().starts_with(WORK));
    kept.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::built_in;

    #[test]
    fn no_handout_of_a_course_begins_a_second_folder() {
        for lab in built_in().unwrap() {
            let practice = lab.files.text("README.md").unwrap();
            let packed = handout(practice, &lab.id);
            for gone in ["lab start", "lab-work", "Begin in the top folder"] {
                assert!(practice.contains(gone), "{}: {gone}", lab.id);
                assert!(!packed.contains(gone), "{}: {gone}", lab.id);
            }
            for there in [
                "READ-ME-FIRST.md".to_owned(),
                format!("    cd {}\n", lab.id),
                "target/release".to_owned(),
            ] {
                assert!(packed.contains(&there), "{}: {there}", lab.id);
            }
            assert!(!packed.contains("\n\n\n"), "{}: an empty block", lab.id);
            // Only these lines differ.
            let kept = packed.lines().filter(|line| practice.contains(line));
            assert!(packed.lines().count() - kept.count() <= 8, "{}", lab.id);
        }
    }

    #[test]
    fn another_language_begins_with_reset_where_the_folder_is_there() {
        let text = "`latchstring lab start 04 --language rust` begins in Rust.";
        let packed = "`latchstring lab reset 04 --language rust` begins in Rust.";
        assert_eq!(handout(text, "04-two-time-pad"), packed);
    }
}
