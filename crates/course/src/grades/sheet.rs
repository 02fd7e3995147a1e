//! What one student did, for the files that platforms read one by one.

use super::{Grades, GradesError, Header, Lab, LabResult, Student};
use crate::points::Points;

/// One student in some labs. A lab without a result was not submitted.
#[derive(Debug, Clone)]
pub struct Sheet<'a> {
    /// What was graded, when and by what.
    pub header: &'a Header,
    /// The student.
    pub student: &'a Student,
    /// The labs, each with its result.
    pub labs: Vec<(&'a Lab, Option<&'a LabResult>)>,
}

pub(super) fn of<'a>(
    grades: &'a Grades,
    student: &str,
    labs: &[&str],
) -> Result<Sheet<'a>, GradesError> {
    let mut students = grades.students.iter();
    let found = students.find(|one| one.person.id.as_str() == student);
    let student = found.ok_or_else(|| GradesError::NoStudent(student.to_owned()))?;
    if let Some(lab) = labs
        .iter()
        .find(|lab| !grades.labs.iter().any(|one| one.id == **lab))
    {
        let known = grades.labs.iter().map(|lab| lab.id.clone()).collect();
        return Err(GradesError::NoLab((*lab).to_owned(), known));
    }
    let wanted = |lab: &&Lab| labs.is_empty() || labs.contains(&lab.id.as_str());
    let labs = grades.labs.iter().filter(wanted);
    Ok(Sheet {
        header: &grades.header,
        student,
        labs: labs.map(|lab| (lab, student.result(&lab.id))).collect(),
    })
}

impl Sheet<'_> {
    /// Whether every part of what was submitted has its verdict. Without all of them, the points are no grade.
    ///
    /// # Errors
    /// Names the first part that was not graded, with the reason.
    pub fn complete(&self) -> Result<(), GradesError> {
        let results = self.labs.iter().filter_map(|(_, result)| *result);
        let mut open =
            results.flat_map(|result| result.not_graded().map(move |item| (result, item)));
        match open.next() {
            None => Ok(()),
            Some((result, item)) => Err(GradesError::Incomplete {
                student: self.student.person.id.to_string(),
                lab: result.lab.clone(),
                item: item.id.clone(),
                why: item.message.clone(),
            }),
        }
    }

    /// The points that were earned.
    pub fn points(&self) -> Points {
        let results = self.labs.iter().filter_map(|(_, result)| *result);
        results.map(LabResult::points).sum()
    }

    /// The points that could be earned, with those of labs that were not submitted.
    pub fn of(&self) -> Points {
        self.labs.iter().map(|(lab, _)| lab.of).sum()
    }
}
