//! A class that several machines graded.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grades, GradesError, Header, Lab, LabResult, MergeError, Student, UngradedFile};

impl Grades {
    /// These grades and others of the same class together. The order makes no difference.
    ///
    /// The parts may have different students, or different labs of the same students. A lab of a student that is in both
    /// must be equal in both; that nothing was submitted is a result, too. The time of grading is the later one.
    ///
    /// # Errors
    /// When the parts are not of one course, one roster and one version, or graded the same thing with different results.
    pub fn merge(&self, other: &Self) -> Result<Self, MergeError> {
        let header = same_header(&self.header, &other.header)?;
        let labs = all_labs(&self.labs, &other.labs)?;
        let mut students: BTreeMap<&str, Student> = self.by_id().collect();
        for (id, student) in other.by_id() {
            let together = match students.remove(id) {
                None => student,
                Some(one) => self.both(other, one, student)?,
            };
            students.insert(id, together);
        }
        let files = [&self.files[..], &other.files].concat();
        let parts = (self.part.as_ref(), other.part.as_ref());
        let part = match parts {
            (Some(one), Some(two)) => one.and(two),
            _ => None,
        };
        let grades = Self::new(header, labs, students.into_values().collect())?;
        Ok(grades.with_files(files).with_part(part))
    }

    /// These grades with newer ones of the same class. A result of the newer ones takes the place of the one that was there. The
    /// other results, students and labs stay. So do files that are in nobody's grade, if the newer grader has not `seen` them.
    ///
    /// # Errors
    /// When they are of another course, or the points of a result do not add up to those of its lab.
    pub fn replaced_by(&self, newer: &Self, seen: &BTreeSet<&str>) -> Result<Self, MergeError> {
        let mut header = same_header(&self.header, &newer.header)?;
        header.graded = newer.header.graded.clone();
        let mut labs = newer.labs.clone();
        let stays = |lab: &&Lab| !newer.has_lab(&lab.id);
        labs.extend(self.labs.iter().filter(stays).cloned());
        let mut students: BTreeMap<&str, Student> = self.by_id().collect();
        for (id, mut student) in newer.by_id() {
            let old = students
                .remove(id)
                .map(|old| old.results)
                .unwrap_or_default();
            let stays = old
                .into_iter()
                .filter(|old| student.result(&old.lab).is_none());
            let stays: Vec<_> = stays.collect();
            student.results.extend(stays);
            students.insert(id, student);
        }
        let stays = |file: &&UngradedFile| !seen.contains(file.path.as_str());
        let files = self.files.iter().filter(stays).chain(&newer.files);
        let files = files.cloned().collect();
        let grades = Self::new(header, labs, students.into_values().collect())?;
        Ok(grades.with_files(files).with_part(self.part.clone()))
    }

    /// These grades in two: without the results that are `wanted`, and with these alone. A student is in the second one if one of
    /// the results is, and not in the first one if all of them are.
    ///
    /// # Errors
    /// Never with grades that hold together.
    pub fn split(
        &self,
        wanted: impl Fn(&str, &LabResult) -> bool,
    ) -> Result<(Self, Self), GradesError> {
        let (mut rest, mut apart) = (Vec::new(), Vec::new());
        for student in &self.students {
            let id = student.person.id.as_str();
            let results = student.results.iter().cloned();
            let (mine, others): (Vec<_>, Vec<_>) = results.partition(|result| wanted(id, result));
            let of = |results| Student {
                person: student.person.clone(),
                results,
            };
            if mine.is_empty() || !others.is_empty() {
                rest.push(of(others));
            }
            if !mine.is_empty() {
                apart.push(of(mine));
            }
        }
        let of = |students| Self::new(self.header.clone(), self.labs.clone(), students);
        let rest = of(rest)?.with_files(self.files.clone());
        Ok((rest.with_part(self.part.clone()), of(apart)?))
    }

    fn by_id(&self) -> impl Iterator<Item = (&str, Student)> {
        let students = self.students.iter();
        students.map(|student| (student.person.id.as_str(), student.clone()))
    }

    fn has_lab(&self, id: &str) -> bool {
        self.labs.iter().any(|lab| lab.id == id)
    }

    /// A student who is in both: `one` in these grades, `two` in the others.
    fn both(&self, other: &Self, mut one: Student, two: Student) -> Result<Student, MergeError> {
        let id = one.person.id.to_string();
        if one.person != two.person {
            return Err(MergeError::Person(id));
        }
        for lab in self.labs.iter().filter(|lab| other.has_lab(&lab.id)) {
            if one.result(&lab.id) != two.result(&lab.id) {
                return Err(MergeError::Result {
                    student: id,
                    lab: lab.id.clone(),
                });
            }
        }
        let more = two.results.into_iter();
        one.results
            .extend(more.filter(|result| !self.has_lab(&result.lab)));
        Ok(one)
    }
}

fn same_header(one: &Header, other: &Header) -> Result<Header, MergeError> {
    let versions = |header: &Header| {
        let all = header.versions.iter();
        let all: Vec<String> = all
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        all.join(", ")
    };
    for (part, one, other) in [
        ("course", one.course.clone(), other.course.clone()),
        ("term", one.term.clone(), other.term.clone()),
        ("versions", versions(one), versions(other)),
    ] {
        if one != other {
            return Err(MergeError::Header { part, one, other });
        }
    }
    let mut header = one.clone();
    header.graded = header.graded.max(other.graded.clone());
    Ok(header)
}

fn all_labs(one: &[Lab], other: &[Lab]) -> Result<Vec<Lab>, MergeError> {
    let mut labs = one.to_vec();
    for lab in other {
        match one.iter().find(|first| first.id == lab.id) {
            None => labs.push(lab.clone()),
            Some(first) if first == lab => {}
            Some(_) => return Err(MergeError::Lab(lab.id.clone())),
        }
    }
    Ok(labs)
}
