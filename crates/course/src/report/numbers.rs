//! All numbers of a report, counted once from the grades.

use std::collections::HashMap;

use super::{
    spread::Spread,
    state::{State, is_late},
};
use crate::{
    grades::{Grades, Item, Lab, LabResult, Student},
    points::Points,
};

/// How many equal parts the totals are counted in, from no point to all of them.
pub const BINS: usize = 10;

/// The numbers of a class.
#[derive(Debug)]
pub struct Numbers<'a> {
    /// The grades that they are counted from.
    pub grades: &'a Grades,
    /// The points that a student can earn in all labs together.
    pub of: Points,
    /// The points that each student has earned, in the order of the grades.
    pub totals: Vec<Points>,
    /// How many students have a total in each tenth of the points. A student without a file is in no part.
    pub distribution: [usize; BINS],
    /// How many students handed in nothing.
    pub without: usize,
    /// The median of the totals, without the students who handed in nothing.
    pub total: Option<Spread>,
    /// The numbers of each lab.
    pub labs: Vec<LabNumbers<'a>>,
}

/// The numbers of one lab.
#[derive(Debug)]
pub struct LabNumbers<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// How many students are in each state, in the order of [`State::ALL`].
    pub states: [usize; 4],
    /// How many files came late.
    pub late: usize,
    /// The points of those who handed in.
    pub points: Option<Spread>,
    /// The minutes of work, as far as they are known.
    pub minutes: Option<Spread>,
    /// The hints that were taken, as far as they are known.
    pub hints: Option<Spread>,
    /// Its questions and checks, in the order of the lab.
    pub items: Vec<ItemNumbers<'a>>,
}

/// The numbers of one question or check.
#[derive(Debug)]
pub struct ItemNumbers<'a> {
    /// The question or check, as it is in one of the results.
    pub item: &'a Item,
    /// How many students passed it.
    pub passed: usize,
    /// How many handed in the lab, without those of whom it was not tried.
    pub of: usize,
}

impl ItemNumbers<'_> {
    /// How many students did not pass it, of those of whom it was tried.
    pub fn failed(&self) -> usize {
        self.of - self.passed
    }
}

impl LabNumbers<'_> {
    /// How many students handed in a file.
    pub fn handed_in(&self) -> usize {
        self.states[..3].iter().sum()
    }

    /// How many students are in this state.
    pub fn in_state(&self, state: State) -> usize {
        self.states[state as usize]
    }
}

impl<'a> Numbers<'a> {
    /// Counts the grades.
    pub fn of(grades: &'a Grades) -> Self {
        let students = grades.students();
        let of: Points = grades.labs().iter().map(|lab| lab.of).sum();
        let totals: Vec<Points> = students.iter().map(total).collect();
        let counted = students.iter().zip(&totals);
        let counted = counted.filter(|(student, _)| !student.results.is_empty());
        let counted: Vec<Points> = counted.map(|(_, total)| *total).collect();
        let mut distribution = [0; BINS];
        for total in &counted {
            distribution[bin(*total, of)] += 1;
        }
        Self {
            grades,
            of,
            distribution,
            without: students.len() - counted.len(),
            total: Spread::of(counted.iter().map(|one| one.as_hundredths().into())),
            totals,
            labs: grades
                .labs()
                .iter()
                .map(|lab| of_lab(grades, lab))
                .collect(),
        }
    }

    /// How many results there are, of all students in all labs.
    pub fn results(&self) -> usize {
        self.labs.iter().map(LabNumbers::handed_in).sum()
    }
}

fn total(student: &Student) -> Points {
    student.results.iter().map(LabResult::points).sum()
}

/// The part of the distribution that a total is in. All points are in the last one.
fn bin(total: Points, of: Points) -> usize {
    let (total, of) = (total.as_hundredths() as usize, of.as_hundredths() as usize);
    (total * BINS).checked_div(of).unwrap_or(0).min(BINS - 1)
}

fn of_lab<'a>(grades: &'a Grades, lab: &'a Lab) -> LabNumbers<'a> {
    let results: Vec<Option<&LabResult>> = (grades.students().iter())
        .map(|student| student.result(&lab.id))
        .collect();
    let mut states = [0; 4];
    for result in &results {
        states[State::of(*result) as usize] += 1;
    }
    let results: Vec<&LabResult> = results.into_iter().flatten().collect();
    let points = results.iter().map(|one| one.points().as_hundredths());
    LabNumbers {
        lab,
        states,
        late: results.iter().filter(|one| is_late(one)).count(),
        points: Spread::of(points.map(u64::from)),
        minutes: Spread::of_whole(results.iter().filter_map(|one| one.minutes)),
        hints: Spread::of_whole(results.iter().copied().filter_map(hints)),
        items: items(&results),
    }
}

/// How many hints were taken. A file that could not be read tells no time, and then its 0 hints tell nothing, too.
fn hints(result: &LabResult) -> Option<u32> {
    (result.minutes.is_some() || result.hints > 0).then_some(result.hints)
}

fn items<'a>(results: &[&'a LabResult]) -> Vec<ItemNumbers<'a>> {
    let mut found: Vec<ItemNumbers<'a>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for item in results.iter().flat_map(|result| &result.items) {
        let place = *places.entry(&item.id).or_insert(found.len());
        if place == found.len() {
            found.push(ItemNumbers {
                item,
                passed: 0,
                of: 0,
            });
        }
        // What was not tried has neither passed nor failed.
        found[place].of += usize::from(!item.not_graded);
        found[place].passed += usize::from(item.passed);
    }
    found
}
