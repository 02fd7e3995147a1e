//! Remarks for review, grouped by their kind. A remark is a reason to look, and no verdict; the words keep to that.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    numbers::Numbers,
    text::{count, foreign, short, visible},
};
use crate::{
    grades::{RemarkKind, Student},
    roster::Id,
};

/// More places than these are behind a summary.
const FEW: usize = 12;

/// What the instructor should look at comes first.
const ORDER: [RemarkKind; 10] = [
    RemarkKind::AnotherStudent,
    RemarkKind::Altered,
    RemarkKind::Other,
    RemarkKind::Unreadable,
    RemarkKind::Missing,
    RemarkKind::Version,
    RemarkKind::Limits,
    RemarkKind::Again,
    RemarkKind::Paths,
    RemarkKind::Late,
];

/// Whether a student of whom there is such a remark is counted as "for review". That the grader had fewer limits says nothing
/// about a student, and where files are says nothing new.
pub(super) const fn is_for_review(kind: RemarkKind) -> bool {
    !kind.is_for_student() && !matches!(kind, RemarkKind::Limits | RemarkKind::Paths)
}

/// The heading of a kind, and what to think of it.
const fn about(kind: RemarkKind) -> (&'static str, &'static str) {
    match kind {
        RemarkKind::AnotherStudent => (
            "Made from the hand-out of another student",
            "Two files that were mixed up look the same. Ask the students before you decide.",
        ),
        RemarkKind::Altered => (
            "Parts that do not follow from each other",
            "A crash, a restored backup or a copied folder can look the same. Ask the student before you decide.",
        ),
        RemarkKind::Other => ("Other remarks", "Read the sentence."),
        RemarkKind::Unreadable => (
            "Files that could not be read",
            "Ask the student for the file once more, and grade it again.",
        ),
        RemarkKind::Missing => (
            "Files without some of their parts",
            "The rest of the file was graded.",
        ),
        RemarkKind::Version => (
            "Files of another version of the lab",
            "Grade them with that version, or ask for a new file.",
        ),
        RemarkKind::Limits => (
            "Programs that ran without a limit",
            "The grading machine lacks a limit. This says nothing about the students.",
        ),
        RemarkKind::Again => (
            "Labs that were handed in more than once",
            "The sentence says which file counts, and why.",
        ),
        RemarkKind::Paths => (
            "Where the files are that were handed in more than once",
            "Students do not see these paths.",
        ),
        RemarkKind::Late => (
            "Files that came late",
            "The points already follow the terms of the course.",
        ),
    }
}

/// Where the same sentence was written: the student, and the labs.
type Places<'a> = Vec<(&'a Student, Vec<&'a str>)>;
/// The sentences of one kind, each once.
type Sentences<'a> = BTreeMap<&'a str, Places<'a>>;

/// The section.
pub(super) fn section(numbers: &Numbers<'_>) -> Markup {
    let kinds = grouped(numbers.grades.students());
    let mut seen = Vec::new();
    html! {
        @if kinds.is_empty() { p { "The grader wrote no remark." } }
        @else { p { "A remark is a reason to look, and no verdict. The grader's sentences are quoted as they are." } }
        @for kind in ORDER {
            @if let Some(sentences) = kinds.get(&kind) {
                @let (title, advice) = about(kind);
                @let places: usize = sentences.values().flatten().map(|(_, labs)| labs.len()).sum();
                h3 { (title) " (" (places) ")" }
                p { (advice) }
                ul.remarks {
                    @for (sentence, places) in sentences { (remark(kind, sentence, places, &mut seen)) }
                }
            }
        }
    }
}

fn grouped(students: &[Student]) -> BTreeMap<RemarkKind, Sentences<'_>> {
    let mut kinds: BTreeMap<RemarkKind, Sentences<'_>> = BTreeMap::new();
    for student in students {
        for result in &student.results {
            for remark in &result.remarks {
                let sentences = kinds.entry(remark.kind).or_default();
                let places = sentences.entry(&remark.sentence).or_default();
                match places.last_mut() {
                    Some((last, labs)) if last.person.id == student.person.id => {
                        labs.push(&result.lab);
                    }
                    _ => places.push((student, vec![&result.lab])),
                }
            }
        }
    }
    kinds
}

fn remark<'a>(
    kind: RemarkKind,
    sentence: &str,
    places: &Places<'a>,
    seen: &mut Vec<&'a Id>,
) -> Markup {
    let mut list = |places: &Places<'a>| {
        html! {
            ul.people {
                @for (student, labs) in places {
                    @let id = &student.person.id;
                    // The table of students links to the first remark of each.
                    @let first = is_for_review(kind) && !seen.contains(&id);
                    @if first { @let () = seen.push(id); }
                    li id=[first.then(|| format!("of-{id}"))] {
                        (foreign(&student.person.name)) " " span.id { (id) } ", " (named(labs))
                    }
                }
            }
        }
    };
    html! {
        li {
            q { (foreign(sentence)) }
            @if places.len() > FEW {
                details {
                    summary { (count(places.len(), "student")) }
                    (list(places))
                }
            } @else { (list(places)) }
        }
    }
}

/// `lab 04`, `labs 04, 05`.
fn named(labs: &[&str]) -> Markup {
    let numbers: Vec<String> = labs.iter().map(|lab| short(lab)).collect();
    let title: Vec<String> = labs.iter().map(|lab| visible(lab)).collect();
    html! {
        span title=(title.join(", ")) {
            @if labs.len() == 1 { "lab " } @else { "labs " }
            bdi { (numbers.join(", ")) }
        }
    }
}
