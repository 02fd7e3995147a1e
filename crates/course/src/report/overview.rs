//! The class at a glance: a few numbers, and how the totals are distributed.

use maud::{Markup, html};

use super::{
    numbers::{BINS, Numbers},
    pictures,
    scale::Share,
    spread::decimal,
    state::State,
    text::count,
};

/// The section.
pub(super) fn section(numbers: &Numbers<'_>) -> Markup {
    html! {
        (facts(numbers))
        h3 { "Totals" }
        @match numbers.total {
            _ if numbers.of.as_hundredths() == 0 => p { "The labs of this class have no points." },
            None => p { "No student has handed in a file yet, so no total is known." },
            Some(total) => {
                p {
                    "Half of the students with a file have " b { (decimal(total.median)) " of " (numbers.of) " points" }
                    " or more. The lowest total is " (decimal(total.lowest)) ", and the highest is " (decimal(total.highest)) "."
                }
                (counted(numbers))
                (distribution(numbers))
            },
        }
    }
}

/// Which labs a total counts. During the term, most students have few points of all labs, and that says nothing about them.
fn counted(numbers: &Numbers<'_>) -> Markup {
    let nobody = numbers.labs.iter().filter(|lab| lab.handed_in() == 0);
    let nobody = nobody.count();
    html! {
        @if nobody > 0 {
            p {
                "A total counts each lab of these grades, handed in or not: " (count(numbers.labs.len(), "lab")) ", "
                (numbers.of) " points. Nobody has handed in " (nobody) " of the labs yet."
            }
        }
    }
}

fn facts(numbers: &Numbers<'_>) -> Markup {
    let students = numbers.grades.students().len();
    let labs = numbers.labs.len();
    let passed = numbers.labs.iter().map(|lab| lab.in_state(State::Passed));
    let passed: usize = passed.sum();
    let late: usize = numbers.labs.iter().map(|lab| lab.late).sum();
    html! {
        dl.facts {
            (fact("students", students, &format!("{} without a file", numbers.without)))
            (fact("labs", labs, &format!("{} points in all", numbers.of)))
            (fact("handed in", numbers.results(), &format!("of {} possible files; {late} late", students * labs)))
            (fact("passed", passed, &format!("of {}", count(numbers.results(), "file"))))
        }
    }
}

fn fact(name: &str, number: usize, more: &str) -> Markup {
    html! { div { dt { (name) } dd { b { (number) } " " span { (more) } } } }
}

fn distribution(numbers: &Numbers<'_>) -> Markup {
    let with = numbers.grades.students().len() - numbers.without;
    let description = format!(
        "A column for each tenth of all {} points: {} with a file. One more column: {} without a file.",
        numbers.of,
        count(with, "student"),
        count(numbers.without, "student"),
    );
    html! {
        figure {
            (pictures::totals(&description, numbers.without, &numbers.distribution))
            figcaption {
                "The number of students in each tenth of the points. A total on a line between two columns counts in the right one. "
                "Students without a file stand apart."
            }
        }
        details {
            summary { "The same as a table" }
            table.plain {
                caption.unseen { "Number of students by their share of all points" }
                thead { tr { th scope="col" { "points" } th scope="col" { "students" } th scope="col" { "share" } } }
                tbody {
                    (row("no file", numbers.without, numbers))
                    @for (n, found) in numbers.distribution.iter().enumerate() {
                        (row(&range(n), *found, numbers))
                    }
                }
            }
        }
    }
}

fn row(name: &str, found: usize, numbers: &Numbers<'_>) -> Markup {
    let all = numbers.grades.students().len();
    html! {
        tr { th scope="row" { (name) } td { (found) } td { (Share::of_counts(found, all).percent()) } }
    }
}

/// `80 % up to 90 %`; the last one includes all points.
fn range(n: usize) -> String {
    let (from, to) = (n * 100 / BINS, (n + 1) * 100 / BINS);
    match n + 1 == BINS {
        true => format!("{from} % to {to} %"),
        false => format!("{from} % and less than {to} %"),
    }
}
