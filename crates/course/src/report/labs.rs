//! The labs: how many students are how far, which questions and checks fail, and how long a lab takes.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::{
    numbers::{ItemNumbers, LabNumbers, Numbers},
    pictures,
    scale::{Scale, Share},
    spread::{Spread, decimal, duration},
    state::{State, late_sign, sign},
    text::{count, foreign, short, visible},
};

/// So many questions and checks are in the picture; the table has all.
const MOST: usize = 15;

/// How many students of the class are in each state, by lab.
pub(super) fn states(numbers: &Numbers<'_>) -> Markup {
    html! {
        @if numbers.labs.is_empty() { p { "The grades have no lab." } }
        @else if numbers.grades.students().is_empty() { p { "The grades name no student." } }
        @else {
            p { "A part of a bar is as wide as its number of students. The four states are one step lower from left to right." }
            div.rows {
                @for (n, lab) in numbers.labs.iter().enumerate() { (of_lab(n, lab)) }
            }
            details {
                summary { "The same as a table" }
                (states_table(numbers))
            }
        }
    }
}

fn name(lab: &LabNumbers<'_>) -> Markup {
    html! { p.label { b { (short(&lab.lab.id)) } " " (foreign(&lab.lab.title)) } }
}

fn of_lab(n: usize, lab: &LabNumbers<'_>) -> Markup {
    let words = State::ALL.map(|state| format!("{} {}", lab.in_state(state), state.word()));
    let title = format!("{}: students by state", visible(&lab.lab.title));
    html! {
        div.row {
            (name(lab))
            (pictures::steps(&format!("states-{n}"), &title, &words.join(", "), lab.states))
            p.value {
                @for state in State::ALL {
                    span class=(state.class()) title=(state.word()) {
                        (sign(state)) " " (lab.in_state(state)) span.unseen { " " (state.word()) }
                    } " "
                }
                @if lab.late > 0 { span.late { (late_sign()) " " (lab.late) " late" } }
            }
        }
    }
}

fn states_table(numbers: &Numbers<'_>) -> Markup {
    html! {
        div.wide role="region" aria-label="Numbers of each lab" tabindex="0" {
            table.plain {
                caption.unseen { "Numbers of each lab" }
                thead {
                    tr {
                        th scope="col" { "lab" }
                        @for state in State::ALL { th scope="col" { (state.word()) } }
                        th scope="col" { "late" } th scope="col" { "median points" } th scope="col" { "of" }
                    }
                }
                tbody {
                    @for lab in &numbers.labs {
                        tr {
                            th scope="row" { (foreign(&lab.lab.id)) }
                            @for state in State::ALL { td { (lab.in_state(state)) } }
                            td { (lab.late) }
                            td { (lab.points.map_or_else(|| "–".to_owned(), |points| decimal(points.median))) }
                            td { (lab.lab.of) }
                        }
                    }
                }
            }
        }
    }
}

/// The questions and checks that fail most.
pub(super) fn failures(numbers: &Numbers<'_>) -> Markup {
    let labs = numbers.labs.iter();
    let all: Vec<(&LabNumbers<'_>, &ItemNumbers<'_>)> = labs
        .flat_map(|lab| lab.items.iter().map(move |item| (lab, item)))
        .collect();
    let mut failing = all.clone();
    failing.retain(|(_, item)| item.failed() > 0);
    failing.sort_by_key(|(_, item)| {
        let share = Share::of_counts(item.failed(), item.of);
        (Reverse(share), Reverse(item.failed()))
    });
    html! {
        @if all.is_empty() { p { "No file was handed in, so no question and no check was tried." } }
        @else if failing.is_empty() { p { "Every question and every check passed in every file." } }
        @else {
            p {
                "A bar shows the share of the files of a lab in which the question or the check did not pass. "
                @if failing.len() > MOST { "The picture has " (MOST) " of the " (failing.len()) " that did not pass in some file." }
            }
            div.rows {
                @for (n, (lab, item)) in failing.iter().take(MOST).enumerate() { (failure(n, lab, item)) }
            }
        }
        @if !all.is_empty() {
            details {
                summary { "All questions and checks as a table" }
                (items_table(&all))
            }
        }
    }
}

fn failure(n: usize, lab: &LabNumbers<'_>, item: &ItemNumbers<'_>) -> Markup {
    let said = format!(
        "{} of {} did not pass",
        item.failed(),
        count(item.of, "file")
    );
    let title = format!("{}, {}", visible(&lab.lab.title), visible(&item.item.title));
    let share = Share::of_counts(item.failed(), item.of);
    html! {
        div.row {
            p.label {
                b { (short(&lab.lab.id)) } " " (foreign(&item.item.title))
                span.id { (foreign(&lab.lab.title)) }
            }
            (pictures::bar(&format!("failure-{n}"), &title, &said, share))
            p.value { (item.failed()) " of " (item.of) " (" (share.percent()) ")" }
        }
    }
}

fn items_table(all: &[(&LabNumbers<'_>, &ItemNumbers<'_>)]) -> Markup {
    html! {
        div.wide role="region" aria-label="All questions and checks" tabindex="0" {
            table.plain {
                caption.unseen { "All questions and checks" }
                thead { tr {
                    th scope="col" { "lab" } th scope="col" { "title" } th scope="col" { "passed" }
                    th scope="col" { "did not pass" } th scope="col" { "of" }
                } }
                tbody {
                    @for (lab, item) in all {
                        tr {
                            th scope="row" { (short(&lab.lab.id)) }
                            td.text { (foreign(&item.item.title)) }
                            td { (item.passed) } td { (item.failed()) } td { (item.of) }
                        }
                    }
                }
            }
        }
    }
}

/// One quantity of all labs.
struct Quantity<'a> {
    id: &'static str,
    title: &'static str,
    scaled: &'static str,
    scale: fn(u64) -> Scale,
    of: fn(&LabNumbers<'a>) -> Option<Spread>,
    written: fn(u64) -> String,
}

/// The time and the hints of each lab.
pub(super) fn time_and_hints(numbers: &Numbers<'_>) -> Markup {
    html! {
        p {
            "The box holds the middle half of the students, and the thick mark is the median. The line reaches from a tenth of the "
            "students to nine tenths. A file that does not say its time or its hints does not count."
        }
        (quantity(numbers, &Quantity {
            id: "minutes",
            title: "Minutes of work",
            scaled: "From 15 minutes on, each number at the axis is twice the one before.",
            scale: Scale::of_minutes,
            of: |lab| lab.minutes,
            written: duration,
        }))
        (quantity(numbers, &Quantity {
            id: "hints",
            title: "Hints taken",
            scaled: "",
            scale: Scale::of_counts,
            of: |lab| lab.hints,
            written: decimal,
        }))
    }
}

fn quantity<'a>(numbers: &Numbers<'a>, what: &Quantity<'a>) -> Markup {
    let spreads = numbers.labs.iter().map(|lab| (lab, (what.of)(lab)));
    let spreads: Vec<(&LabNumbers<'a>, Option<Spread>)> = spreads.collect();
    let known = spreads.iter().filter_map(|(_, spread)| *spread);
    let highest = known.map(|spread| spread.nine_tenths).max();
    html! {
        h3 { (what.title) }
        @match highest {
            None => p { "Not known: no file says it." },
            Some(highest) => {
                @if !what.scaled.is_empty() { p { (what.scaled) } }
                @let scale = (what.scale)(highest);
                div.rows {
                    @for (n, (lab, spread)) in spreads.iter().enumerate() {
                        div.row {
                            (name(lab))
                            @match spread {
                                None => p.unknown { "not known" },
                                Some(spread) => (drawn(n, lab, *spread, &scale, what)),
                            }
                        }
                    }
                    div.row.last { p.label {} (pictures::axis(&scale)) p.value {} }
                }
                details {
                    summary { "The same as a table" }
                    (spread_table(&spreads, what))
                }
            },
        }
    }
}

fn drawn<'a>(
    n: usize,
    lab: &LabNumbers<'a>,
    spread: Spread,
    scale: &Scale,
    what: &Quantity<'a>,
) -> Markup {
    let written = what.written;
    let title = format!("{}: {}", visible(&lab.lab.title), what.title.to_lowercase());
    let half = format!(
        "{} to {}",
        written(spread.quarter),
        written(spread.three_quarters)
    );
    let description = format!(
        "Median {}. Half of the students: {half}. Known of {}.",
        written(spread.median),
        count(spread.known, "file")
    );
    html! {
        (pictures::spread(&format!("{}-{n}", what.id), &title, &description, scale, spread))
        p.value { b { (written(spread.median)) } " " span.half { "half: " (half) } }
    }
}

fn spread_table<'a>(spreads: &[(&LabNumbers<'a>, Option<Spread>)], what: &Quantity<'a>) -> Markup {
    let heads = [
        "lowest",
        "a quarter below",
        "median",
        "three quarters below",
        "highest",
    ];
    html! {
        div.wide role="region" aria-label=(what.title) tabindex="0" {
            table.plain {
                caption.unseen { (what.title) " of each lab" }
                thead { tr {
                    th scope="col" { "lab" }
                    @for head in heads { th scope="col" { (head) } }
                    th scope="col" { "known" } th scope="col" { "of" }
                } }
                tbody {
                    @for (lab, spread) in spreads {
                        tr {
                            th scope="row" { (foreign(&lab.lab.id)) }
                            @match spread {
                                None => td.text colspan=(heads.len()) { "not known" },
                                Some(one) => {
                                    @for value in [one.lowest, one.quarter, one.median, one.three_quarters, one.highest] {
                                        td { (decimal(value)) }
                                    }
                                },
                            }
                            td { (spread.map_or(0, |one| one.known)) } td { (lab.handed_in()) }
                        }
                    }
                }
            }
        }
    }
}
