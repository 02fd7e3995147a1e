//! Grades that are older than the terms: they are used as they are, and a note says so.

use std::io::{self, Write};

use latchstring_classroom::catalogue::Lab;
use latchstring_course::{
    grades::{Grades, Item, LabResult},
    points::Points,
};

use super::{CourseArgs, grades_file::course_option};
use crate::{
    folder::Course,
    terms::{self, Terms},
};

/// Notes on the standard error that grades are older than the terms. Grades alone, without their course, are nothing to note.
pub(super) fn note(place: &CourseArgs, grades: &Grades) {
    let Ok(course) = place.open() else { return };
    if is_older(&course, grades) {
        let _ = writeln!(
            io::stderr(),
            "note: the points or deadlines in {} have changed since these grades were made. Do this first: latchstring course \
             regrade DIR{}",
            course.folder.join(terms::FILE).display(),
            course_option(&course.folder)
        );
    }
}

/// Whether a result would have other points by the terms of today.
fn is_older(course: &Course, grades: &Grades) -> bool {
    let mut results = grades.students().iter().flat_map(|one| &one.results);
    results.any(|result| {
        let lab = course.labs.iter().find(|lab| lab.id == result.lab);
        lab.is_some_and(|lab| differs(&course.terms, lab, result))
    })
}

fn differs(terms: &Terms, lab: &Lab, result: &LabResult) -> bool {
    let known = |id: &str| lab.item_ids().any(|known| known == id);
    let items = result.items.iter();
    let other = |item: &Item| known(&item.id) && item.of != terms.worth(lab, &item.id);
    if items.clone().any(other) {
        return true;
    }
    let late = match (terms.due.get(&lab.id), &result.submitted) {
        (Some(due), Some(submitted)) => submitted.minutes_after(&due.0),
        _ => 0,
    };
    let earned = items.clone().map(|item| match item.passed {
        true => item.of,
        false => Points::default(),
    });
    let earned: Vec<Points> = earned.collect();
    let today = Points::shares(&earned, terms.late.percent_left(late));
    !items.map(|item| item.points).eq(today)
}
