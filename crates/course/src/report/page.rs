//! The page: its head, its contents, and its parts from top to bottom.

use base64ct::{Base64, Encoding};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{
    labs,
    numbers::Numbers,
    open, overview, remarks, state, students,
    text::{foreign, visible},
};
use crate::grades::{Grades, Header};

const STYLE: &str = include_str!("report.css");

/// The parts of the page, as its contents name them.
const PARTS: [(&str, &str); 8] = [
    ("class", "The class at a glance"),
    ("students", "Each student in each lab"),
    ("labs", "Each lab"),
    ("checks", "Questions and checks that fail most"),
    ("time", "Time and hints"),
    ("remarks", "Remarks for review"),
    ("without", "Students without a file"),
    (OPEN, "Not graded"),
];

/// The part that is there only if something was not graded.
const OPEN: &str = "open";

/// The report of a class, as one HTML file.
pub fn page(grades: &Grades) -> String {
    let numbers = Numbers::of(grades);
    let header = grades.header();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(&header.course)) ", " (visible(&header.term)) ": report of the class" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (state::shapes())
                (top(header, open::is_empty(grades)))
                main {
                    (part(0, overview::section(&numbers)))
                    (part(1, students::section(&numbers)))
                    (part(2, labs::states(&numbers)))
                    (part(3, labs::failures(&numbers)))
                    (part(4, labs::time_and_hints(&numbers)))
                    (part(5, remarks::section(&numbers)))
                    (part(6, students::without(&numbers)))
                    @if !open::is_empty(grades) { (part(7, open::section(grades))) }
                }
            }
        }
    };
    page.into_string() + "\n"
}

/// Nothing but the page's own style: no script, no picture, no font, no form, and nothing from elsewhere.
fn policy() -> String {
    let hash = Base64::encode_string(&Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

fn top(header: &Header, all_graded: bool) -> Markup {
    let shown = |(id, _): &(&str, &str)| !(all_graded && *id == OPEN);
    let graded = header.graded.as_str();
    let versions = header.versions.iter();
    let versions: Vec<String> = versions
        .map(|(name, version)| format!("{} {}", visible(name), visible(version)))
        .collect();
    html! {
        header {
            h1 { (foreign(&header.course)) ", " (foreign(&header.term)) }
            p.facts {
                "Report of the class. Graded on " time datetime=(graded) { (readable(graded)) }
                @if !versions.is_empty() { " by " (versions.join(", ")) }
                "."
            }
            nav aria-label="Contents" {
                ul { @for (id, title) in PARTS.into_iter().filter(shown) { li { a href={ "#" (id) } { (title) } } } }
            }
        }
    }
}

/// `2026-11-27 18:00 UTC`.
fn readable(moment: &str) -> String {
    let (day, time) = moment.split_once('T').unwrap_or((moment, ""));
    let time = time.get(..5).unwrap_or(time);
    format!("{day} {time} UTC")
}

fn part(number: usize, content: Markup) -> Markup {
    let (id, title) = PARTS[number];
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            (content)
        }
    }
}
