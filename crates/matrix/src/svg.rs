//! The matrix as one picture: a shape for each cell, readable in black and white, each a link to its transcript.

use maud::{Markup, PreEscaped, html};

use crate::table::{Column, Matrix, Row};
use latchstring_arena::{Run, verdict::Outcome};

/// All sizes are in user units, which are pixels at 100 %.
const CELL: usize = 20;
/// Between two kinds of target.
const GAP: usize = 12;
const MARGIN: usize = 16;
/// Width of a character of the monospaced font at its size.
const CHARACTER: usize = 8;
/// Room for the title above the heads of the columns.
const TITLE: usize = 34;
const LEGEND: usize = 44;

const STYLE: &str = "\
text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1c1d20 }
.title { font: 600 17px system-ui, 'DejaVu Sans', sans-serif }
.faint { fill: #5d6068 } .count { font-size: 11px; text-anchor: middle }
.paper { fill: #fff } .rule { stroke: #e4e5e9 } .band { fill: #f5f6f8 }
.broke { fill: #9c1c1c } .broke + path { stroke: #fff; stroke-width: 2; fill: none }
.held { fill: #fff; stroke: #7d9485; stroke-width: 1.4 }
.na { stroke: #6b6e76; stroke-width: 1.6 }
.unclear { fill: #fff3d6; stroke: #1c1d20; stroke-width: 1.5; stroke-dasharray: 3 2 }
a:hover use, a:focus use { outline: 2px solid #1c1d20 } .hit { fill: transparent }
a:hover text { text-decoration: underline }";

/// The picture. `link` gives the address of a cell's transcript.
pub fn picture(matrix: &Matrix, link: impl Fn(&Row, &Column) -> String) -> String {
    let layout = Layout::of(matrix);
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (layout.width) " " (layout.height) }
            width=(layout.width) height=(layout.height) role="graphics-document" aria-labelledby="title desc" {
            title id="title" { "Which defence stops which attack" }
            desc id="desc" { (description(matrix)) }
            style { (PreEscaped(STYLE)) }
            defs { @for outcome in Outcome::ALL { (shape(outcome)) } }
            rect.paper width="100%" height="100%" {}
            text.title x=(MARGIN) y=(MARGIN + 14) { "Which defence stops which attack" }
            @for (index, column) in matrix.columns.iter().enumerate() { (layout.head(index, column)) }
            @for (index, row) in matrix.rows.iter().enumerate() {
                (layout.row_head(index, row))
                @for (at, (column, cell)) in matrix.cells(row).enumerate() {
                    (layout.cell(index, at, &link(row, column), &says(row, column, cell), cell.verdict.outcome))
                }
            }
            (layout.counts(matrix))
            (layout.legend())
        }
    };
    picture.into_string() + "\n"
}

fn says(row: &Row, column: &Column, cell: &Run) -> String {
    format!(
        "{} against {}: {}",
        row.attack,
        column.target(),
        cell.verdict.outcome
    )
}

/// The picture in words, for those who do not see it.
fn description(matrix: &Matrix) -> String {
    let line = |row: &Row| {
        let sets = matrix.returns_without(row).into_iter().map(Column::label);
        let sets: Vec<String> = sets.collect();
        match &sets[..] {
            [] => format!(
                "{}: returns without no single set of defences. ",
                row.attack
            ),
            sets => format!("{}: returns without {}. ", row.attack, sets.join("; or ")),
        }
    };
    matrix.rows.iter().map(line).collect()
}

/// Where everything is.
struct Layout {
    left: usize,
    top: usize,
    /// The left edge of each column.
    columns: Vec<usize>,
    rows: usize,
    width: usize,
    height: usize,
}

impl Layout {
    fn of(matrix: &Matrix) -> Self {
        let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
        let attack = longest(&mut matrix.rows.iter().map(|row| row.attack.len()));
        let label = longest(&mut matrix.columns.iter().map(|column| column.label().len() + 2));
        let left = MARGIN + attack * CHARACTER + 10;
        let top = MARGIN + TITLE + label * CHARACTER;
        let mut columns = Vec::new();
        let (mut x, mut group) = (left, 0);
        for column in &matrix.columns {
            if column.group() != group {
                x += GAP;
                group = column.group();
            }
            columns.push(x);
            x += CELL;
        }
        let rows = matrix.rows.len();
        Self {
            left,
            top,
            columns,
            rows,
            width: x + MARGIN,
            height: top + rows * CELL + CELL + LEGEND + MARGIN,
        }
    }

    fn y(&self, row: usize) -> usize {
        self.top + row * CELL
    }

    fn head(&self, index: usize, column: &Column) -> Markup {
        let (x, y) = (self.columns[index] + CELL / 2 + 4, self.top - 8);
        html! {
            text transform={ "translate(" (x) " " (y) ") rotate(-90)" } {
                @if !column.without.is_empty() { tspan.faint { "− " } }
                (column.label())
            }
        }
    }

    fn row_head(&self, index: usize, row: &Row) -> Markup {
        let y = self.y(index);
        html! {
            @if index.is_multiple_of(2) {
                rect.band x="0" y=(y) width=(self.width) height=(CELL) {}
            }
            text x=(self.left - 10) y=(y + 14) text-anchor="end" { (row.attack) title { (row.title) } }
        }
    }

    /// A picture within a page opens its links in place of the page. The tooltip is what a screen reader calls the link, too.
    fn cell(&self, row: usize, column: usize, link: &str, says: &str, outcome: Outcome) -> Markup {
        html! {
            a href=(link) target="_top" { title { (says) } (place(outcome, self.columns[column], self.y(row))) }
        }
    }

    fn counts(&self, matrix: &Matrix) -> Markup {
        let y = self.y(self.rows) + 15;
        html! {
            text.faint x=(self.left - 10) y=(y) text-anchor="end" { "that succeed" }
            @for (x, count) in self.columns.iter().zip(matrix.broken_in_each()) {
                text class="count faint" x=(x + CELL / 2) y=(y) { (count) }
            }
        }
    }

    fn legend(&self) -> Markup {
        let y = self.y(self.rows) + CELL + 16;
        html! {
            @for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
                @let x = MARGIN + index * 160;
                (place(outcome, x, y))
                text x=(x + CELL + 6) y=(y + 14) { (outcome) }
            }
        }
    }
}

fn place(outcome: Outcome, x: usize, y: usize) -> Markup {
    html! { use href={ "#" (outcome.class()) } x=(x) y=(y) {} }
}

/// The sign of an outcome: a filled square with a cross, a ring, a dash, a dashed diamond with a question mark.
fn shape(outcome: Outcome) -> Markup {
    let middle = CELL / 2;
    html! {
        g id=(outcome.class()) {
            rect.hit width=(CELL) height=(CELL) {}
            @match outcome {
                Outcome::Broke => {
                    rect.broke x="2" y="2" width=(CELL - 4) height=(CELL - 4) rx="2" {}
                    path d={ "M" (middle - 4) " " (middle - 4) "l8 8m0-8l-8 8" } {}
                },
                Outcome::Held => circle.held cx=(middle) cy=(middle) r="3.2" {},
                Outcome::DoesNotApply => path.na d={ "M" (middle - 4) " " (middle) "h8" } {},
                Outcome::Inconclusive => {
                    path.unclear d={ "M" (middle) " 1l9 9l-9 9l-9-9z" } {}
                    text x=(middle) y=(middle + 4) text-anchor="middle" { "?" }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::small;

    fn drawn() -> String {
        picture(&small(), |row, column| {
            format!("{}&{}", row.attack, column.id)
        })
    }

    #[test]
    fn every_cell_has_a_shape_and_a_link() {
        let picture = drawn();
        assert_eq!(picture.matches("<a href=").count(), 15);
        // One more of each in the legend.
        for (shape, count) in [
            ("broke", 7 + 1),
            ("held", 7 + 1),
            ("na", 1 + 1),
            ("unclear", 1),
        ] {
            let uses = format!("use href=\"#{shape}\"");
            assert_eq!(picture.matches(&uses).count(), count, "{shape}");
        }
        assert!(picture.contains("href=\"forge-both&amp;hardened-minus=mac,fresh-nonce\""));
    }

    #[test]
    fn every_element_is_closed_as_xml_wants_it() {
        let picture = drawn();
        let opened = picture.matches('<').count();
        assert_eq!(opened, 2 * picture.matches("</").count());
        assert!(picture.starts_with("<svg xmlns="));
    }
}
