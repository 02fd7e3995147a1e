//! The table as a picture: a shape for each cell, readable in black and white.

use latchstring_arena::verdict::Outcome;
use maud::{Markup, PreEscaped, html};

use crate::{
    rung::Rung,
    table::{Row, Table},
};

/// All sizes are in user units, which are pixels at 100 %.
const ROW: usize = 20;
const COLUMN: usize = 42;
const MARGIN: usize = 16;
/// Width of a character of the monospaced font at its size.
const CHARACTER: usize = 8;
/// Room for the title and the slanted names of the rungs.
const TOP: usize = 112;
const LEGEND: usize = 44;
/// Room for the last slanted name.
const RIGHT: usize = 56;

const STYLE: &str = "\
text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1c1d20 }
.title { font: 600 17px system-ui, 'DejaVu Sans', sans-serif }
.paper { fill: #fff } .band { fill: #f5f6f8 }
.broke { fill: #9c1c1c } .broke + path { stroke: #fff; stroke-width: 2; fill: none }
.held { fill: #fff; stroke: #7d9485; stroke-width: 1.4 }
.na { stroke: #6b6e76; stroke-width: 1.6 }";

const TITLE: &str = "Which rung ends which attack";

/// The picture. Cells carry the judge's statement as a tooltip.
pub fn picture(table: &Table) -> String {
    let names = table.rows.iter().map(|row| row.attack.len());
    let left = MARGIN + names.max().unwrap_or(0) * CHARACTER + 10;
    let width = left + Rung::ALL.len() * COLUMN + RIGHT;
    let height = TOP + table.rows.len() * ROW + LEGEND;
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height) role="graphics-document" aria-labelledby="title desc" {
            title id="title" { (TITLE) }
            desc id="desc" { (description(table)) }
            style { (PreEscaped(STYLE)) }
            rect.paper width="100%" height="100%" {}
            text.title x=(MARGIN) y=(MARGIN + 14) { (TITLE) }
            @for rung in Rung::ALL { (head(rung, left)) }
            @for (index, row) in table.rows.iter().enumerate() { (line(index, row, left, width)) }
            (legend(height))
        }
    };
    picture.into_string() + "\n"
}

/// The picture in words, for those who do not see it.
fn description(table: &Table) -> String {
    let line = |row: &Row| {
        let works = |rung: &Rung| row.outcome(*rung) == Outcome::Broke;
        let on: Vec<String> = (Rung::ALL.iter().filter(|rung| works(rung)))
            .map(Rung::to_string)
            .collect();
        match on.is_empty() {
            true => format!("{} works on no rung. ", row.attack),
            false => format!("{} works on {}. ", row.attack, on.join(", ")),
        }
    };
    table.rows.iter().map(line).collect()
}

fn head(rung: Rung, left: usize) -> Markup {
    let x = left + usize::from(rung.number()) * COLUMN + COLUMN / 2;
    html! {
        text transform={ "translate(" (x) " " (TOP - 8) ") rotate(-45)" } {
            (rung) " " (rung.line().name)
        }
    }
}

fn line(index: usize, row: &Row, left: usize, width: usize) -> Markup {
    let y = TOP + index * ROW;
    html! {
        @if index.is_multiple_of(2) { rect.band x="0" y=(y) width=(width) height=(ROW) {} }
        text x=(left - 10) y=(y + 14) text-anchor="end" { (row.attack) title { (row.title) } }
        @for run in &row.cells {
            @let x = left + usize::from(run.rung.number()) * COLUMN + (COLUMN - ROW) / 2;
            @let says = format!("{} on rung {}: {}", run.attack, run.rung, run.verdict.statement);
            g transform={ "translate(" (x) " " (y) ")" } { title { (says) } (shape(run.verdict.outcome)) }
        }
    }
}

fn legend(height: usize) -> Markup {
    let y = height - MARGIN - ROW;
    let entries = [
        (Outcome::Broke, "works"),
        (Outcome::Held, "fails"),
        (Outcome::DoesNotApply, "nothing to attack"),
    ];
    html! {
        @for (index, (outcome, meaning)) in entries.into_iter().enumerate() {
            @let x = MARGIN + index * 110;
            g transform={ "translate(" (x) " " (y) ")" } { (shape(outcome)) }
            text x=(x + ROW + 6) y=(y + 14) { (meaning) }
        }
    }
}

/// A filled square with a cross, a ring, a dash, a question mark.
fn shape(outcome: Outcome) -> Markup {
    let middle = ROW / 2;
    html! {
        @match outcome {
            Outcome::Broke => {
                rect.broke x="2" y="2" width=(ROW - 4) height=(ROW - 4) rx="2" {}
                path d={ "M" (middle - 4) " " (middle - 4) "l8 8m0-8l-8 8" } {}
            },
            Outcome::Held => circle.held cx=(middle) cy=(middle) r="3.2" {},
            Outcome::DoesNotApply => path.na d={ "M" (middle - 4) " " (middle) "h8" } {},
            Outcome::Inconclusive => text x=(middle) y=(middle + 4) text-anchor="middle" { "?" },
        }
    }
}
