//! What the work of two students has in common: answers that are right for somebody else, files of somebody else's hand-out,
//! and code. And code that equals the lab's own solution.
//!
//! All of it is evidence to look at, each with its reason, and none of it is a verdict. Two students may have worked together
//! as they were allowed to, and a short answer may be equal by chance. So each line says how rare it is.

mod answers;
mod code;
mod solution;

use std::{collections::BTreeMap, fmt};

use latchstring_classroom::{catalogue::Lab, crew};
use latchstring_course::roster::{Id, Roster};
use serde::Serialize;

use self::{
    answers::Truth,
    code::{Common, Prints},
    solution::Solution,
};
use crate::{commands::count, folder::Course, grade::Taken};

/// One thing that two students have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The lab.
    pub lab: String,
    /// The students: first the one who has it, then the one whose it is, if that is known. What is the lab's has all students who
    /// have it.
    pub students: Vec<Id>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A wrong answer, which is the right one of the other.
    Answer {
        /// The question.
        question: String,
        /// The answer.
        answer: String,
        /// For so many students of the course it is right.
        right_for: usize,
        /// Of so many.
        of: usize,
    },
    /// A file that was handed out to the other.
    File {
        /// The file.
        path: String,
    },
    /// Code that equals the lab's own solution.
    Solution {
        /// The file.
        path: String,
        /// So many of its lines are not in the start code.
        lines: usize,
    },
    /// Code.
    Code {
        /// The file of the first student, and of the second.
        paths: [String; 2],
        /// So many percent of the shorter one are in the other; names, spaces and comments do not count.
        percent: usize,
        /// The lines of the longest common piece, in the first file and in the second.
        lines: [[usize; 2]; 2],
    },
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = [0, 1].map(|nth| self.students.get(nth).map_or("nobody", Id::as_str));
        match &self.what {
            What::Solution { path, lines } => {
                let ids: Vec<&str> = self.students.iter().map(Id::as_str).collect();
                write!(
                    f,
                    "{path} equals the lab's own solution, apart from spaces and comments; {} of it {} not in the start code. So it is with {}. The solution is public, and comes after the last hint; a short one can be equal by chance",
                    count(*lines, "line"),
                    if *lines == 1 { "is" } else { "are" },
                    ids.join(", ")
                )
            }
            What::Answer {
                question,
                answer,
                right_for,
                of,
            } => write!(
                f,
                "{question}: {one} answers {answer:?}, which is wrong for {one} and right for {other} ({right_for} of {of} students have this answer)"
            ),
            What::File { path } => {
                write!(f, "{path}: {one} handed in the file of {other}")
            }
            What::Code {
                paths: [path, other_path],
                percent,
                lines: [[first, last], [other_first, other_last]],
            } => write!(
                f,
                "{path} of {one} and {other_path} of {other}: {percent} % of the shorter one are in the other, apart from names, spaces and comments; look at lines {first}-{last} and {other_first}-{other_last}"
            ),
        }
    }
}

/// Compares what was handed in, lab by lab.
///
/// # Errors
/// When an instance cannot be made.
pub fn compare(
    course: &Course,
    roster: &Roster,
    taken: &BTreeMap<(Id, String), Taken>,
    progress: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Vec<Evidence>> {
    let mut all = Vec::new();
    for lab in &course.labs {
        let of_lab = taken.iter().filter(|((_, id), _)| *id == lab.id);
        let of_lab: Vec<(&Id, &Taken)> = of_lab.map(|((id, _), taken)| (id, taken)).collect();
        all.extend(as_solution(lab, &of_lab));
        if of_lab.len() < 2 {
            continue;
        }
        progress(&lab.id);
        let ids: Vec<&Id> = roster.people().iter().map(|person| &person.id).collect();
        let truths = crew::each(&ids, crew::cores(), |runtime, id| {
            runtime.block_on(Truth::of(course, lab, id))
        })?;
        let truths: BTreeMap<&Id, Truth> = ids.into_iter().zip(truths).collect();
        all.extend(answers::compare(lab, &of_lab, &truths));
        all.extend(same_code(lab, &of_lab));
    }
    Ok(all)
}

/// Files with code that equal one of the lab's own solution. Names count here, so that a short solution is no chance.
fn as_solution(lab: &Lab, taken: &[(&Id, &Taken)]) -> Vec<Evidence> {
    let solution = Solution::of(lab);
    let mut equal: BTreeMap<(&str, usize), Vec<Id>> = BTreeMap::new();
    for (id, taken) in taken {
        for (path, bytes) in &taken.bundle.files {
            if let Some(lines) = solution.lines_of(path, bytes) {
                let students = equal.entry((path, lines)).or_default();
                students.push((*id).clone());
            }
        }
    }
    let equal = equal.into_iter();
    equal
        .map(|((path, lines), students)| Evidence {
            lab: lab.id.clone(),
            students,
            what: What::Solution {
                path: path.to_owned(),
                lines,
            },
        })
        .collect()
}

/// Pairs of students with much code in common that neither the lab nor most of the class has.
fn same_code(lab: &Lab, taken: &[(&Id, &Taken)]) -> Vec<Evidence> {
    let mut common = Common::of_lab(lab);
    let mut files: Vec<(&Id, &str, Prints)> = Vec::new();
    for (id, taken) in taken {
        for (path, bytes) in &taken.bundle.files {
            if let Some(prints) = code::prints(path, bytes) {
                files.push((id, path, prints));
            }
        }
    }
    common.add_what_most_have(
        taken.len(),
        files.iter().map(|(id, _, prints)| (*id, prints)),
    );
    for (_, _, prints) in &mut files {
        prints.take_out(&common);
    }
    let mut evidence = Vec::new();
    for (nth, (id, path, prints)) in files.iter().enumerate() {
        for (other_id, other_path, other) in &files[nth + 1..] {
            let alike = (id != other_id).then(|| prints.alike(other)).flatten();
            evidence.extend(alike.map(|(percent, lines)| Evidence {
                lab: lab.id.clone(),
                students: vec![(*id).clone(), (*other_id).clone()],
                what: What::Code {
                    paths: [(*path).to_owned(), (*other_path).to_owned()],
                    percent,
                    lines,
                },
            }));
        }
    }
    evidence
}
