//! The numbers of a class, counted once more and in another way than the report counts them.

use std::collections::BTreeMap;

use latchstring_course::grades::{Grades, Lab, LabResult, RemarkKind, Student};

use crate::class;

/// Classes of several sizes.
pub(crate) fn classes() -> Vec<Grades> {
    vec![
        class::class(0, 17),
        class::class(1, 1),
        class::class(3, 17),
        class::class(40, 5),
        class::class(100, 17),
    ]
}

/// The results of a lab.
pub(crate) fn results<'a>(grades: &'a Grades, lab: &Lab) -> Vec<&'a LabResult> {
    let students = grades.students().iter();
    students.filter_map(|one| one.result(&lab.id)).collect()
}

/// What a student has earned in all labs, in hundredths.
pub(crate) fn total(student: &Student) -> u32 {
    let items = student.results.iter().flat_map(|result| &result.items);
    items.map(|item| item.points.as_hundredths()).sum()
}

/// What a student can earn, in hundredths.
pub(crate) fn of(grades: &Grades) -> u32 {
    grades.labs().iter().map(|lab| lab.of.as_hundredths()).sum()
}

/// Whether the grader called it late.
pub(crate) fn late(result: &LabResult) -> bool {
    result
        .remarks
        .iter()
        .any(|one| one.kind == RemarkKind::Late)
}

/// The word for a result.
pub(crate) fn word(result: Option<&LabResult>) -> &'static str {
    let Some(result) = result else {
        return "no file";
    };
    let passed = result.items.iter().filter(|item| item.passed).count();
    match passed {
        passed if passed == result.items.len() => "passed",
        0 => "none passed",
        _ => "partly",
    }
}

/// With at most two decimals.
pub(crate) fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// A part of the values is below it, as a spreadsheet's `PERCENTILE.INC` has it.
pub(crate) fn percentile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = (values.len() - 1) as f64 * part;
    let (below, above) = (
        values[place.floor() as usize],
        values[place.ceil() as usize],
    );
    // Half of a hundredth is rounded up, and some halves are a little less in binary.
    ((below + (above - below) * place.fract()) * 100.0 + 1e-7).round() / 100.0
}

/// The number of a lab.
pub(crate) fn short(lab: &Lab) -> String {
    lab.id.split('-').next().unwrap().to_owned()
}

/// How many remarks of a student are for the instructor to look at.
pub(crate) fn for_review(student: &Student) -> usize {
    let remarks = student.results.iter().flat_map(|one| &one.remarks);
    let kinds = [
        RemarkKind::AnotherStudent,
        RemarkKind::Altered,
        RemarkKind::Other,
    ];
    remarks.filter(|one| kinds.contains(&one.kind)).count()
}

/// Passed and tried, by lab and item.
pub(crate) fn items(grades: &Grades) -> BTreeMap<(String, String), (String, usize, usize)> {
    let mut found = BTreeMap::new();
    for result in grades.students().iter().flat_map(|one| &one.results) {
        for item in &result.items {
            let key = (result.lab.clone(), item.id.clone());
            let (_, passed, tried) = found.entry(key).or_insert((item.title.clone(), 0, 0));
            *passed += usize::from(item.passed);
            *tried += 1;
        }
    }
    found
}

/// The minutes and the hints of a lab, as far as they are known.
pub(crate) fn quantities(grades: &Grades, lab: &Lab) -> [Vec<f64>; 2] {
    let results = results(grades, lab);
    let minutes = results.iter().filter_map(|one| one.minutes).map(f64::from);
    let known = results
        .iter()
        .filter(|one| one.minutes.is_some() || one.hints > 0);
    [
        minutes.collect(),
        known.map(|one| f64::from(one.hints)).collect(),
    ]
}
