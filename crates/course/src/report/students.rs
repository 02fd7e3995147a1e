//! Each student in each lab, as a table whose cells are pictures and read as text.

use maud::{Markup, html};

use super::{
    numbers::Numbers,
    pictures,
    scale::Share,
    state::{State, is_late, late_sign, sign},
    text::{count, foreign, short},
};
use crate::{
    grades::{LabResult, Student},
    points::Points,
};

/// A student with the sum of the points.
type Counted<'a> = (&'a Student, Points);

/// Which students the table shows: the id, the words, and the question about each student.
type Filter = (&'static str, &'static str, fn(&Student) -> bool);

/// What the table can be narrowed down to.
const FILTERS: [Filter; 4] = [
    ("all", "all students", |_| true),
    ("nothing", "nothing handed in", |student| {
        student.results.is_empty()
    }),
    ("late", "something late", |student| {
        student.results.iter().any(is_late)
    }),
    ("remarked", "remarks for review", |student| {
        for_review(student) > 0
    }),
];

/// The section.
pub(super) fn section(numbers: &Numbers<'_>) -> Markup {
    let students = numbers.grades.students();
    html! {
        @if students.is_empty() { p { "The grades name no student." } }
        @else {
            (legend())
            (filters(students))
            div.scroll role="region" aria-labelledby="students-title" tabindex="0" {
                table.grid {
                    caption.unseen { "Points of each student in each lab" }
                    thead {
                        tr {
                            th.name scope="col" { "student" }
                            th.total scope="col" { "total" span.of { "of " (numbers.of) } }
                            @for one in &numbers.labs {
                                th scope="col" {
                                    b { (short(&one.lab.id)) } span.title { (foreign(&one.lab.title)) }
                                    span.of { "of " (one.lab.of) }
                                }
                            }
                        }
                    }
                    @for (section, members) in sections(numbers) {
                        tbody {
                            @if let Some(section) = section {
                                tr.section { th colspan=(numbers.labs.len() + 2) scope="rowgroup" {
                                    span { "Section " (foreign(section)) ", " (count(members.len(), "student")) }
                                } }
                            }
                            @for member in members { (row(numbers, member)) }
                        }
                    }
                }
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            @for state in State::ALL {
                li { span class=(state.class()) { (sign(state)) " " b { (state.word()) } } ": " (state.meaning()) }
            }
            li { span.late { (late_sign()) " " b { "late" } } ": the file came after the deadline" }
        }
    }
}

/// Works without a script: the style shows the rows that the chosen button asks for.
fn filters(students: &[Student]) -> Markup {
    html! {
        fieldset.filters {
            legend { "Show" }
            @for (id, words, shows) in FILTERS {
                label {
                    input type="radio" name="show" id={ "show-" (id) } checked[id == "all"];
                    " " (words) " (" (students.iter().filter(|student| shows(student)).count()) ")"
                }
            }
        }
    }
}

/// The students by section and name. Where all are in one section, it has no heading.
fn sections<'a>(numbers: &Numbers<'a>) -> Vec<(Option<&'a str>, Vec<Counted<'a>>)> {
    let students: &'a [Student] = numbers.grades.students();
    let mut sorted: Vec<Counted<'a>> = (students.iter())
        .zip(numbers.totals.iter().copied())
        .collect();
    sorted.sort_by_cached_key(|(student, _)| {
        let person = &student.person;
        (person.section.clone(), person.name.to_lowercase())
    });
    let of = |(student, _): &Counted<'a>| student.person.section.as_str();
    let groups = sorted.chunk_by(|a, b| of(a) == of(b)).map(<[_]>::to_vec);
    let groups: Vec<Vec<Counted<'a>>> = groups.collect();
    let several = groups.len() > 1;
    let name = |group: &[Counted<'a>]| {
        let section = group
            .first()
            .map_or("", |(student, _)| student.person.section.as_str());
        match section {
            "" => "without a name",
            section => section,
        }
    };
    groups
        .into_iter()
        .map(|group| (several.then(|| name(&group)), group))
        .collect()
}

fn row(numbers: &Numbers<'_>, (student, total): Counted<'_>) -> Markup {
    let person = &student.person;
    let remarks = for_review(student);
    let classes = FILTERS
        .iter()
        .filter(|(id, _, shows)| *id != "all" && shows(student));
    let classes: Vec<&str> = classes.map(|(id, ..)| *id).collect();
    html! {
        tr class=[(!classes.is_empty()).then(|| classes.join(" "))] {
            th.name scope="row" {
                (foreign(&person.name)) span.id { (person.id) }
                @if remarks > 0 { a href={ "#of-" (person.id) } { (count(remarks, "remark")) } }
            }
            td.total {
                b { (total) }
                @if !student.results.iter().all(LabResult::is_complete) { span.word { "so far" } }
                (pictures::small_bar(share(total, numbers.of), "sum"))
            }
            @for lab in numbers.grades.labs() { (cell(student.result(&lab.id), lab.of)) }
        }
    }
}

/// One student in one lab: a sign and the points, a bar, and the word.
fn cell(result: Option<&LabResult>, of: Points) -> Markup {
    let state = State::of(result);
    html! {
        td class=(state.class()) {
            (sign(state))
            @if let Some(result) = result {
                " " b { (result.points()) }
                (pictures::small_bar(share(result.points(), of), ""))
            }
            span.word { (state.word()) }
            @if result.is_some_and(|one| !one.is_complete()) { span.word { a href="#open" { "not graded: " (open(result)) } } }
            @if result.is_some_and(is_late) { span.late { (late_sign()) " late" } }
        }
    }
}

/// `2 parts`.
fn open(result: Option<&LabResult>) -> String {
    count(result.map_or(0, |one| one.not_graded().count()), "part")
}

fn share(points: Points, of: Points) -> Share {
    Share::of(points.as_hundredths().into(), of.as_hundredths().into())
}

/// How many remarks of a student are for the instructor alone.
fn for_review(student: &Student) -> usize {
    let remarks = student.results.iter().flat_map(|result| &result.remarks);
    remarks
        .filter(|remark| super::remarks::is_for_review(remark.kind))
        .count()
}

/// The students who handed in nothing.
pub(super) fn without(numbers: &Numbers<'_>) -> Markup {
    let students = numbers.grades.students().iter();
    let students: Vec<&Student> = students.filter(|one| one.results.is_empty()).collect();
    html! {
        @if students.is_empty() { p { "Every student has handed in a file." } }
        @else {
            p { (count(students.len(), "student")) " of " (numbers.grades.students().len()) " handed in no file for any lab." }
            ul.people {
                @for student in students {
                    li {
                        (foreign(&student.person.name)) " " span.id { (student.person.id) }
                        @if !student.person.section.is_empty() { " section " (foreign(&student.person.section)) }
                        @if !student.person.email.is_empty() { " " (foreign(&student.person.email)) }
                    }
                }
            }
        }
    }
}
