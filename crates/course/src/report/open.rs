//! What is in no grade yet: parts that the grading machine could not try, and files that are nobody's work.

use maud::{Markup, html};

use super::text::{count, foreign, short};
use crate::{
    grades::{Grades, Item, LabResult, Student, UngradedFile},
    roster::Id,
};

/// A question or check that was not tried.
pub(super) struct Open<'a> {
    /// Whose it is.
    pub(super) student: &'a Student,
    /// Of which lab.
    pub(super) result: &'a LabResult,
    /// Which one, with the reason.
    pub(super) item: &'a Item,
}

/// All that were not tried, by student and lab.
pub(super) fn open(grades: &Grades) -> Vec<Open<'_>> {
    let students = grades.students().iter();
    let results =
        students.flat_map(|student| student.results.iter().map(move |one| (student, one)));
    results
        .flat_map(|(student, result)| {
            result.not_graded().map(move |item| Open {
                student,
                result,
                item,
            })
        })
        .collect()
}

/// Whether there is something to show.
pub(super) fn is_empty(grades: &Grades) -> bool {
    grades.files().is_empty() && open(grades).is_empty()
}

/// The section.
pub(super) fn section(grades: &Grades) -> Markup {
    let open = open(grades);
    html! {
        @if !open.is_empty() {
            h3 { "Parts that were not tried (" (open.len()) ")" }
            p {
                "The grading machine lacked something, so these parts have neither passed nor failed. The points of their students "
                "count so far. Grade them again with " code { "latchstring course regrade" } " on a machine that lacks nothing."
            }
            ul.remarks { @for (why, places) in by_reason(&open) { (reason(why, &places)) } }
        }
        @if !grades.files().is_empty() {
            h3 { "Files that are in nobody's grade (" (grades.files().len()) ")" }
            p { "Each has its reason. When it is mended, " code { "latchstring course regrade" } " takes it off the list." }
            (files(grades.files()))
        }
    }
}

/// The students and labs of each reason, with the number of parts.
type Places<'a> = Vec<(&'a Student, &'a LabResult, usize)>;

fn by_reason<'a>(open: &[Open<'a>]) -> Vec<(&'a str, Places<'a>)> {
    let mut reasons: Vec<(&str, Places<'_>)> = Vec::new();
    for one in open {
        let why = one.item.message.as_str();
        let at = reasons.iter().position(|(known, _)| *known == why);
        let at = at.unwrap_or_else(|| {
            reasons.push((why, Vec::new()));
            reasons.len() - 1
        });
        let key = |student: &Student, result: &LabResult| -> (Id, String) {
            (student.person.id.clone(), result.lab.clone())
        };
        match reasons[at].1.last_mut() {
            Some((student, result, parts))
                if key(student, result) == key(one.student, one.result) =>
            {
                *parts += 1;
            }
            _ => reasons[at].1.push((one.student, one.result, 1)),
        }
    }
    reasons
}

fn reason(why: &str, places: &Places<'_>) -> Markup {
    html! {
        li {
            q { (foreign(why)) }
            ul.people {
                @for (student, result, parts) in places {
                    li {
                        (foreign(&student.person.name)) " " span.id { (student.person.id) } ", lab "
                        bdi { (short(&result.lab)) } ": " (count(*parts, "part"))
                    }
                }
            }
        }
    }
}

fn files(files: &[UngradedFile]) -> Markup {
    html! {
        div.wide role="region" aria-label="Files that are in nobody's grade" tabindex="0" {
            table.plain {
                caption.unseen { "Files that are in nobody's grade" }
                thead { tr { th scope="col" { "file" } th scope="col" { "reason" } th scope="col" { "time" } } }
                tbody {
                    @for file in files {
                        tr {
                            th scope="row" { (foreign(&file.path)) }
                            td.text { (foreign(&file.why)) }
                            td { time datetime=(file.time.as_str()) { (file.time.as_str()) } }
                        }
                    }
                }
            }
        }
    }
}
