//! The files of a lab and of a student's folder: `lab.toml`, `EXPLANATION.md`, `answers.toml` and the state file.
//!
//! Besides "no panic": the parts of a lab that is taken fit together, an answer is taken for a question that exists, and
//! an error names the file that is wrong.

use std::collections::BTreeSet;

use latchstring_classroom::{answers::Answers, catalogue::Answer, labs, student::Student};

use super::scratch;

/// Runs one input: the four files, with a zero byte between them.
pub fn run(data: &[u8]) {
    let mut files = data
        .splitn(4, |byte| *byte == 0)
        .chain(std::iter::repeat(&b""[..]));
    let mut next = || files.next().unwrap_or_default();
    let (toml, explanation) = (next(), next());
    let folder = scratch::folder("labs").join(name(toml));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    scratch::file(&folder, "lab.toml", toml);
    scratch::file(&folder, "EXPLANATION.md", explanation);
    let lab = match labs::read(&folder) {
        Ok(lab) => lab,
        Err(error) => return assert!(format!("{error:#}").contains("lab.toml"), "{error:#}"),
    };
    let ids: Vec<&str> = lab.item_ids().collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let explained = lab.explanation().expect("it has been read");
    assert!(ids.iter().all(|id| explained.contains_key(*id)));

    scratch::file(&folder, "answers.toml", next());
    match Answers::read(&folder, &lab) {
        Ok(answers) => {
            for question in &lab.questions {
                assert_eq!(answers.to(question), answers.to(question).trim());
            }
        }
        Err(error) => assert!(format!("{error:#}").contains("answers.toml"), "{error:#}"),
    }
    scratch::file(&folder, ".latchstring.json", next());
    let questions = lab.questions.clone();
    if let Ok(student) = Student::open(lab, &folder) {
        for question in questions.iter().filter(|q| q.kind == Answer::Predict) {
            let options = student.options(question);
            assert_eq!(options.len(), question.options.len());
        }
    }
}

/// The folder's name, which a lab has to repeat: what the file says, if that is a name.
fn name(toml: &[u8]) -> String {
    let text = String::from_utf8_lossy(toml);
    let said = text
        .lines()
        .find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'));
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let said = said.filter(|name| (1..64).contains(&name.len()) && name.chars().all(plain));
    said.unwrap_or("lab").to_owned()
}
