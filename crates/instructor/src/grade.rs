//! Grading: the class's files come in, and exact grades with their reasons go out.
//!
//! Every grade is computed anew, with hidden instances that no student knows and that are the same when the grade is computed
//! again. A trouble with a file is a remark on that file, and touches nobody else's grade.

mod counts;
mod machine;
mod one;
mod sort;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use latchstring_classroom::{catalogue::Lab, crew};
use latchstring_confine::run::Launcher;
use latchstring_course::{
    grades::{self, Grades, Header, LabResult, UngradedFile},
    moment::Moment,
    points::Points,
    roster::{Id, Roster},
};

pub use self::machine::Machine;
use self::one::Outcome;
pub use self::sort::{Pile, Taken, Ungraded};
use crate::folder::Course;

/// What is graded.
pub struct Plan<'a> {
    /// The course.
    pub course: &'a Course,
    /// These students, of all of them.
    pub students: &'a Roster,
    /// All students of the course. A file of one of the others is somebody else's.
    pub roster: &'a Roster,
    /// These labs.
    pub labs: Vec<&'a Lab>,
    /// So many submissions at once.
    pub jobs: usize,
    /// When the grader runs.
    pub now: Moment,
    /// Starts programs within limits.
    pub launcher: &'a Launcher,
    /// Hears of each submission that is graded: what, how many, and of how many.
    pub progress: &'a (dyn Fn(&str, usize, usize) + Sync),
}

/// One submission: whose it is and of which lab, and what was handed in.
type Work<'a> = (&'a (Id, String), &'a Taken);

/// What came of it.
pub struct Graded {
    /// The grades.
    pub grades: Grades,
    /// The files that are nobody's work.
    pub ungraded: Vec<Ungraded>,
}

impl Plan<'_> {
    /// Grades what was handed in.
    ///
    /// # Errors
    /// When an instance cannot be made; a submission in trouble is no error but a remark.
    pub fn run(&self, pile: &Pile, machine: &Machine) -> anyhow::Result<Graded> {
        let work = self.work(pile);
        let mut outcomes = self.each(&work, self.jobs, machine)?;
        self.once_more(&work, &mut outcomes, machine)?;
        let mut results = outcomes.into_iter().map(|outcome| outcome.result);
        let mut by_student: BTreeMap<&Id, Vec<LabResult>> = BTreeMap::new();
        for ((student, _), taken) in self.wanted(pile) {
            let of_files = results.by_ref().take(taken.files().count()).collect();
            let counts = counts::the_one(taken, of_files);
            by_student.entry(student).or_default().extend(counts);
        }
        let students = self.students.people().iter();
        let students = students.map(|person| grades::Student {
            results: by_student.remove(&person.id).unwrap_or_default(),
            person: person.clone(),
        });
        let grades = Grades::new(self.header(), self.columns(), students.collect())?;
        let files = pile.ungraded.iter().map(|file| UngradedFile {
            path: file.path.clone(),
            kind: file.kind,
            why: file.why.clone(),
            time: file.received.clone().unwrap_or_else(|| self.now.clone()),
        });
        let grades = grades.with_files(files.collect());
        Ok(Graded {
            grades,
            ungraded: pile.ungraded.clone(),
        })
    }

    /// What is graded, by student and lab.
    fn wanted<'a>(&self, pile: &'a Pile) -> impl Iterator<Item = Work<'a>> {
        let wanted = |(id, lab): &(Id, String)| {
            let students = self.students.find(id.as_str());
            students.is_some() && self.labs.iter().any(|known| known.id == *lab)
        };
        pile.taken.iter().filter(move |(key, _)| wanted(key))
    }

    /// The submissions that are graded: of each student and lab the last one, and those of before that may count in its place.
    fn work<'a>(&self, pile: &'a Pile) -> Vec<Work<'a>> {
        let wanted = self.wanted(pile);
        let work = wanted.flat_map(|(key, taken)| taken.files().map(move |file| (key, file)));
        work.collect()
    }

    fn each(
        &self,
        work: &[Work<'_>],
        jobs: usize,
        machine: &Machine,
    ) -> anyhow::Result<Vec<Outcome>> {
        let done = AtomicUsize::new(0);
        crew::each(work, jobs, |runtime, (key, taken)| {
            let result = runtime.block_on(self.one(key, taken, machine))?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            let (student, lab) = key;
            (self.progress)(&format!("{student}, {lab}"), done, work.len());
            Ok(result)
        })
    }

    /// Limits of time are those of a clock, and a machine that does much at once is slow. So what may have failed for that reason
    /// runs once more when everything else is done, at most one for two cores at once. The better result counts.
    fn once_more(
        &self,
        work: &[Work<'_>],
        outcomes: &mut [Outcome],
        machine: &Machine,
    ) -> anyhow::Result<()> {
        let doubtful = (0..work.len()).filter(|at| outcomes[*at].doubtful);
        let doubtful: Vec<usize> = doubtful.collect();
        let again: Vec<Work<'_>> = doubtful.iter().map(|at| work[*at]).collect();
        let jobs = self.jobs.min(crew::cores() / 2).max(1);
        let again = self.each(&again, jobs, machine)?;
        for (at, second) in doubtful.into_iter().zip(again) {
            if second.verdicts() > outcomes[at].verdicts() {
                outcomes[at] = second;
            }
        }
        Ok(())
    }

    fn header(&self) -> Header {
        let terms = &self.course.terms;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Header {
            course: terms.course.clone(),
            term: terms.term.clone(),
            graded: self.now.clone(),
            versions: BTreeMap::from([("latchstring".to_owned(), version)]),
        }
    }

    /// The columns of a gradebook.
    pub(crate) fn columns(&self) -> Vec<grades::Lab> {
        let labs = self.labs.iter();
        labs.map(|lab| grades::Lab {
            id: lab.id.clone(),
            title: lab.title.clone(),
            of: lab.item_ids().map(|item| self.worth(lab, item)).sum(),
        })
        .collect()
    }

    /// The points of a question or a check in this course.
    fn worth(&self, lab: &Lab, item: &str) -> Points {
        self.course.terms.worth(lab, item)
    }
}
