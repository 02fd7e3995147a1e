//! What holds for all grades.

use super::{GradesError, Lab, LabResult, Student};
use crate::points::Points;

/// Checks labs and students that are in order.
pub(super) fn check(labs: &[Lab], students: &[Student]) -> Result<(), GradesError> {
    once("lab", labs.iter().map(|lab| lab.id.as_str()))?;
    once("student", students.iter().map(|one| one.person.id.as_str()))?;
    for student in students {
        let id = student.person.id.as_str();
        let kind = format!("result of the student {id} in the lab");
        once(&kind, student.results.iter().map(|one| one.lab.as_str()))?;
        for result in &student.results {
            let lab = labs.iter().find(|lab| lab.id == result.lab);
            let lab = lab.ok_or_else(|| GradesError::UnknownLab {
                student: id.to_owned(),
                lab: result.lab.clone(),
            })?;
            of_lab(id, lab, result)?;
        }
    }
    Ok(())
}

/// No id twice in a list; in order or not.
fn once<'a>(kind: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), GradesError> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(GradesError::Twice {
            kind: kind.to_owned(),
            id: pair[0].to_owned(),
        }),
    }
}

fn of_lab(student: &str, lab: &Lab, result: &LabResult) -> Result<(), GradesError> {
    let kind = format!("item of the lab {:?} of the student {student},", lab.id);
    once(&kind, result.items.iter().map(|item| item.id.as_str()))?;
    let wrong = |item: &&super::Item| item.points > item.of || item.of > Points::MOST;
    if let Some(item) = result.items.iter().find(wrong) {
        return Err(GradesError::Points {
            student: student.to_owned(),
            lab: lab.id.clone(),
            item: item.id.clone(),
            points: item.points,
            of: item.of,
        });
    }
    let invented =
        |item: &&super::Item| item.not_graded && (item.passed || item.points != Points::default());
    if let Some(item) = result.items.iter().find(invented) {
        return Err(GradesError::NotTried {
            student: student.to_owned(),
            lab: lab.id.clone(),
            item: item.id.clone(),
        });
    }
    match result.of() == lab.of {
        true => Ok(()),
        false => Err(GradesError::Sum {
            student: student.to_owned(),
            lab: lab.id.clone(),
            found: result.of(),
            of: lab.of,
        }),
    }
}
