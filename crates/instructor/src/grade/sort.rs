//! Which file is whose, and which of several counts.

use std::collections::BTreeMap;

use latchstring_classroom::{
    bundle::{Bundle, Refused},
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
        for submission in submissions {
            let Submission {
                path,
                uploader,
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
                    format!("{why}; hand in the file that `latchstring lab submit` makes"),
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
                    pile.take(id, bundle, received, path);
                }
            }
        }
        pile
    }

    /// Of several files of one student and lab the last one counts.
    fn take(&mut self, id: Id, bundle: Bundle, received: Option<Moment>, path: String) {
        let submitted = received.unwrap_or_else(|| bundle.manifest.made.clone());
        let key = (id, bundle.manifest.lab.clone());
        let new = Taken {
            bundle,
            submitted,
            remarks: Vec::new(),
        };
        let Some(old) = self.taken.remove(&key) else {
            self.taken.insert(key, new);
            return;
        };
        let same = old.bundle == new.bundle;
        let (mut later, earlier) = match old.submitted > new.submitted {
            true => (old, new),
            false => (new, old),
        };
        // A file that was uploaded twice is as old as its first upload.
        if same {
            later.submitted = earlier.submitted.clone();
        }
        later.remarks.extend(earlier.remarks);
        later.remarks.push(Remark {
            kind: RemarkKind::Again,
            sentence: match same {
                true => format!("the same file was handed in twice, the second time as {path}"),
                false => format!(
                    "handed in more than once: the file of {} counts, and that of {} does not",
                    later.submitted, earlier.submitted
                ),
            },
        });
        self.taken.insert(key, later);
    }
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
