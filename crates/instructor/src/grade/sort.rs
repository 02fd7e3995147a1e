//! Which file is whose, and which of several counts.

use std::collections::BTreeMap;

use latchstring_classroom::{
    bundle::{self, Bundle, Refused},
    hand_out::Owner,
};
use latchstring_course::{
    grades::{Remark, RemarkKind},
    moment::Moment,
    roster::{Id, Roster},
};

use crate::{
    folder::Course,
    submissions::{self, Submission},
};

/// The files of a class, sorted.
#[derive(Default)]
pub struct Pile {
    /// What is graded, by student and lab.
    pub taken: BTreeMap<(Id, String), Taken>,
    /// The other files.
    pub ungraded: Vec<Ungraded>,
    /// How many bundles were sealed with a hand-out of this course.
    pub sealed: usize,
    /// The paths of all files.
    pub paths: Vec<String>,
    /// The hash of all files.
    pub hash: String,
}

/// What is graded for one student in one lab.
pub struct Taken {
    /// The bundle.
    pub bundle: Bundle,
    /// When it came: by the server's clock if it says so, and else by that of the student's machine.
    pub submitted: Moment,
    /// What is worth a remark so far.
    pub remarks: Vec<Remark>,
    /// The paths of this file: several, if the same one was handed in again.
    pub paths: Vec<String>,
    /// What is worth a remark whichever file counts: of this file, and in the end of all files of the student in this lab.
    pub notes: Vec<Remark>,
    /// When the student has handed in this lab, if more than once: the times of files that differ.
    pub times: Vec<Moment>,
    /// The paths of these files, in the same order.
    pub places: Vec<String>,
    /// Files of before that lose less for their lateness than this one, from the oldest on. One of them counts if it is worth more.
    pub earlier: Vec<Self>,
}

impl Taken {
    /// This file, and behind it those of before that count if they are worth more.
    pub fn files(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.earlier)
    }
}

/// A file that is nobody's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ungraded {
    /// Its path.
    pub path: String,
    /// What kind of trouble it is. Some of it is not for the student.
    pub kind: RemarkKind,
    /// Why, and what to do.
    pub why: String,
    /// When the server received it, if it says so.
    pub received: Option<Moment>,
}

impl Pile {
    /// Sorts the files of a class.
    pub fn of_all(course: &Course, roster: &Roster, submissions: Vec<Submission>) -> Self {
        let mut pile = Self {
            paths: (submissions.iter().map(|one| one.path.clone())).collect(),
            hash: submissions::hash(&submissions),
            ..Self::default()
        };
        let mut all = BTreeMap::new();
        for submission in submissions {
            let Submission {
                path,
                uploader,
                stranger,
                received,
                bundle,
                ..
            } = submission;
            let placed = match bundle {
                Err(why) => Err((
                    match why {
                        Refused::Format { .. } => RemarkKind::Version,
                        _ => RemarkKind::Unreadable,
                    },
                    format!(
                        "{why}; wanted is the file that ends with {}, which `latchstring lab submit` makes in the lab's folder",
                        bundle::ENDING
                    ),
                )),
                Ok(bundle) => {
                    owner(course, roster, &bundle, uploader.as_ref()).map(|id| (id, bundle))
                }
            };
            match placed {
                Err((kind, why)) => pile.ungraded.push(Ungraded {
                    path,
                    kind,
                    why,
                    received,
                }),
                Ok((id, bundle)) => {
                    pile.sealed += usize::from(is_sealed(course, &id, &bundle));
                    let key = (id, bundle.manifest.lab.clone());
                    let stranger = stranger.filter(|_| uploader.is_none());
                    let note = stranger.map(|name| of_nobody(&path, &name));
                    add(all.entry(key).or_default(), bundle, received, path, note);
                }
            }
        }
        for ((id, lab), files) in all {
            if let Some(taken) = last_of(course, &lab, files) {
                pile.taken.insert((id, lab), taken);
            }
        }
        pile
    }
}

/// Adds a file to the others of one student and lab. A file that was uploaded twice is as old as its first upload.
fn add(
    files: &mut Vec<Taken>,
    bundle: Bundle,
    received: Option<Moment>,
    path: String,
    note: Option<Remark>,
) {
    let submitted = received.unwrap_or_else(|| bundle.manifest.made.clone());
    if let Some(same) = files.iter_mut().find(|known| known.bundle == bundle) {
        same.submitted = same.submitted.clone().min(submitted);
        same.paths.push(path);
        same.notes.extend(note);
        return;
    }
    files.push(Taken {
        bundle,
        submitted,
        remarks: Vec::new(),
        notes: note.into_iter().collect(),
        paths: vec![path],
        times: Vec::new(),
        places: Vec::new(),
        earlier: Vec::new(),
    });
}

/// The file counts for the student who has made it; the instructor may know who the other person is.
fn of_nobody(path: &str, name: &str) -> Remark {
    Remark {
        kind: RemarkKind::Other,
        sentence: format!(
            "{path}: the platform names {name:?}, and the course has nobody of this name: look who has uploaded it"
        ),
    }
}

/// What is said of a file that was handed in several times. The student may read that, and the paths are for the instructor:
/// they can name other students.
fn of_copies(file: &mut Taken) {
    let often = match file.paths.len() {
        0 | 1 => return,
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    };
    let sentences = [
        (
            RemarkKind::Again,
            format!("the same file was handed in {often}; it counts once"),
        ),
        (
            RemarkKind::Paths,
            format!("the same file is in {}", file.paths.join(", ")),
        ),
    ];
    let remarks = sentences.map(|(kind, sentence)| Remark { kind, sentence });
    file.remarks.extend(remarks);
}

/// Of several files of one student and lab the last one counts. If it is late, it has those beside it that are less late: work
/// that was handed in before must not lose by more work.
fn last_of(course: &Course, lab: &str, mut files: Vec<Taken>) -> Option<Taken> {
    files.sort_by(|one, other| one.submitted.cmp(&other.submitted));
    files.iter_mut().for_each(of_copies);
    let notes = (files.iter_mut()).flat_map(|file| std::mem::take(&mut file.notes));
    let notes: Vec<Remark> = notes.collect();
    let times: Vec<Moment> = files.iter().map(|file| file.submitted.clone()).collect();
    let places = files.iter().map(|file| file.paths.join(", ")).collect();
    let mut last = files.pop()?;
    let mut left = percent_left(course, lab, &last);
    for file in files.into_iter().rev() {
        let more = percent_left(course, lab, &file);
        if more > left {
            left = more;
            last.earlier.insert(0, file);
        }
    }
    last.notes = notes;
    if times.len() > 1 {
        (last.times, last.places) = (times, places);
    }
    Some(last)
}

/// How many percent of its points a file keeps.
fn percent_left(course: &Course, lab: &str, file: &Taken) -> u32 {
    let due = course.terms.due.get(lab);
    due.map_or(100, |due| {
        course
            .terms
            .late
            .percent_left(file.submitted.minutes_after(&due.0))
    })
}

/// Whether a bundle was sealed with the hand-out of this student.
fn is_sealed(course: &Course, id: &Id, bundle: &Bundle) -> bool {
    let owner = course.owner(id);
    let seed = course.key.seed(&owner, &bundle.manifest.lab);
    bundle.was_sealed_for(&owner, &seed)
}

/// Whose a bundle is.
///
/// # Errors
/// Why it is graded for nobody.
fn owner(
    course: &Course,
    roster: &Roster,
    bundle: &Bundle,
    uploader: Option<&Id>,
) -> Result<Id, (RemarkKind, String)> {
    let (terms, manifest) = (&course.terms, &bundle.manifest);
    let Owner {
        course: of_course,
        term,
        student,
    } = &manifest.owner;
    let other = |why| Err((RemarkKind::Other, why));
    if (of_course, term) != (&terms.course, &terms.term) {
        return other(format!(
            "it is of the course {of_course:?}, {term:?}, and this is {:?}, {:?}",
            terms.course, terms.term
        ));
    }
    if !terms.labs.contains(&manifest.lab) {
        return other(format!(
            "it is of the lab {:?}, which this course does not have",
            manifest.lab
        ));
    }
    let stranger = |why| Err((RemarkKind::AnotherStudent, why));
    let people = roster.people();
    let sealed_by = |id: &Id| is_sealed(course, id, bundle);
    let named = roster.find(student).map(|person| &person.id);
    let owner = match named {
        Some(id) if sealed_by(id) => id,
        _ => match people.iter().find(|person| sealed_by(&person.id)) {
            // The name in it was changed, and the seal tells whose it is.
            Some(person) => {
                return stranger(format!(
                    "it names the student {student:?}, and it was sealed with the hand-out of {}: talk to both",
                    person.id
                ));
            }
            None => match named {
                Some(id) => id,
                None => {
                    return other(format!(
                        "it is of the student {student:?}, and the course has nobody with this id"
                    ));
                }
            },
        },
    };
    match uploader {
        Some(uploader) if uploader != owner => stranger(format!(
            "{uploader} has uploaded it, and it was made from the hand-out of {owner}: talk to both"
        )),
        _ => Ok(owner.clone()),
    }
}
