//! The matrix as one page: the whole grid, each cell a link to its transcript further down. Nothing is loaded from
//! elsewhere, and every state has a shape or a letter besides its colour.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::table::{Column, Matrix, Row, anchor};
use latchstring_arena::{Run, transcript::abridged, verdict::Outcome};

const STYLE: &str = include_str!("matrix.css");

/// The page.
pub fn page(matrix: &Matrix) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "latchstring: which defence stops which attack" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (introduction(matrix))
                (grid(matrix))
                (defences(matrix))
                (transcripts(matrix))
            }
        }
    };
    page.into_string()
}

fn introduction(matrix: &Matrix) -> Markup {
    let runs: usize = matrix.rows.iter().map(|row| row.cells.len()).sum();
    html! {
        header #top {
            h1 { "Which defence stops which attack" }
            p {
                "Every attack was run against " b { "faithful" } ", the report’s protocol; against " b { "hardened" }
                ", ours; and against hardened with one defence taken out, or several. Each of the "
                (runs) " cells is a run, judged by an arena that knows what was typed and what the server believed, and "
                "links to its transcript. Seed " (matrix.seed) "."
            }
            ul.legend {
                @for outcome in Outcome::ALL {
                    li { (badge(outcome)) " " b { (outcome) } ": " (outcome.meaning()) }
                }
            }
        }
    }
}

fn badge(outcome: Outcome) -> Markup {
    html! { span class={ "mark " (outcome.class()) } aria-hidden="true" { (outcome.letter()) } }
}

fn grid(matrix: &Matrix) -> Markup {
    html! {
        main.scroll {
            table.grid {
                caption.unseen { "Verdicts: a row for each attack, a column for each target" }
                colgroup { col; }
                thead {
                    tr {
                        th.corner scope="col" { "attack" }
                        @for (index, column) in matrix.columns.iter().enumerate() {
                            th.target.edge[begins_group(matrix, index)] scope="col" {
                                span { (heading(column)) }
                            }
                        }
                        th.sets scope="col" { "returns without" }
                    }
                }
                tbody { @for row in &matrix.rows { (grid_row(matrix, row)) } }
                tfoot {
                    tr {
                        th scope="row" { "attacks that succeed" }
                        @for (index, count) in matrix.broken_in_each().into_iter().enumerate() {
                            td.edge[begins_group(matrix, index)] { (count) }
                        }
                        td {}
                    }
                }
            }
        }
    }
}

fn heading(column: &Column) -> Markup {
    html! {
        @if !column.without.is_empty() { span.minus { "− " } }
        (column.label())
    }
}

fn begins_group(matrix: &Matrix, index: usize) -> bool {
    index > 0 && matrix.columns[index].group() != matrix.columns[index - 1].group()
}

fn grid_row(matrix: &Matrix, row: &Row) -> Markup {
    html! {
        tr {
            th scope="row" { a href={ "#" (row.attack) } title=(row.title) { (row.attack) } }
            @for (index, (column, cell)) in matrix.cells(row).enumerate() {
                td.edge[begins_group(matrix, index)] { (mark(row, column, cell)) }
            }
            td.sets { (listed(matrix.returns_without(row).into_iter().map(Column::label))) }
        }
    }
}

/// One cell of the grid. A screen reader hears what the tooltip says.
fn mark(row: &Row, column: &Column, cell: &Run) -> Markup {
    let says = format!(
        "{} against {}: {}",
        row.attack,
        column.target(),
        cell.verdict.outcome
    );
    html! {
        a class={ "mark " (cell.verdict.outcome.class()) } href={ "#" (anchor(row, column)) } title=(says) aria-label=(says) {
            (cell.verdict.outcome.letter())
        }
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn defences(matrix: &Matrix) -> Markup {
    let stopped = matrix.stopped_by();
    html! {
        @if !stopped.is_empty() {
            section {
                h2 { "What each defence is there for" }
                table.plain {
                    thead { tr { th scope="col" { "without" } th scope="col" { "these attacks return" } } }
                    tbody {
                        @for (defence, rows) in stopped {
                            tr {
                                th scope="row" { (defence) }
                                td {
                                    @for (index, row) in rows.iter().enumerate() {
                                        @if index > 0 { ", " }
                                        a href={ "#" (row.attack) } { (row.attack) }
                                    }
                                    @if rows.is_empty() { i { "none: kept as a second line" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn transcripts(matrix: &Matrix) -> Markup {
    html! {
        section {
            h2 { "Transcripts" }
            p { "Runs that went the same way, word for word, are told once." }
            @for row in &matrix.rows {
                article {
                    h3 id=(row.attack) { (row.attack) ": " (row.title) }
                    p { "Mallory is " (row.vantage) ". " a href="#top" { "Back to the table" } }
                    @for (columns, cell) in alike(matrix, row) { (transcript(row, &columns, cell)) }
                }
            }
        }
    }
}

/// The runs of an attack, those that read the same together.
fn alike<'a>(matrix: &'a Matrix, row: &'a Row) -> Vec<(Vec<&'a Column>, &'a Run)> {
    let mut groups: Vec<(Vec<&Column>, &Run)> = Vec::new();
    for (column, cell) in matrix.cells(row) {
        let same = |told: &Run| {
            (&told.verdict, &told.wire, &told.story) == (&cell.verdict, &cell.wire, &cell.story)
        };
        match groups.iter_mut().find(|(_, told)| same(told)) {
            Some((columns, _)) => columns.push(column),
            None => groups.push((vec![column], cell)),
        }
    }
    groups
}

fn transcript(row: &Row, columns: &[&Column], cell: &Run) -> Markup {
    html! {
        div.run {
            @if let [first, same @ ..] = columns {
                h4 {
                    (badge(cell.verdict.outcome)) " " (cell.verdict.outcome) " against " span id=(anchor(row, first)) { (first.target()) }
                }
                @if !same.is_empty() {
                    p.same {
                        "and just the same without"
                        @for column in same { " · " span id=(anchor(row, column)) { (column.label()) } }
                    }
                }
            }
            @if !cell.wire.is_empty() {
                details {
                    summary { "on the honest connection" }
                    pre { (abridged(&cell.wire).join("\n")) }
                }
            }
            @if !cell.story.is_empty() { pre { (cell.story.join("\n")) } }
            p.statement { (cell.verdict.outcome) ": " (cell.verdict.statement) "." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::small;

    #[test]
    fn every_cell_links_to_a_transcript_that_is_there_once() {
        let matrix = small();
        let page = page(&matrix);
        for row in &matrix.rows {
            for column in &matrix.columns {
                let anchor = anchor(row, column);
                assert_eq!(page.matches(&format!("href=\"#{anchor}\"")).count(), 1);
                assert_eq!(page.matches(&format!("id=\"{anchor}\"")).count(), 1);
            }
        }
        assert_eq!(page.matches("a line of H").count(), 3, "told once a row");
    }

    #[test]
    fn what_a_peer_said_is_text_and_never_markup() {
        let page = page(&small());
        assert!(page.contains("x &lt; y &amp; &quot;z&quot;"));
        assert!(!page.contains("<bit-flip>"));
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let page = page(&small());
        for outside in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
