//! The tables that stand in pages written by hand.

use std::fmt::Write;

use latchstring_attacker::protocol::hardened::defence::Defence;

use latchstring_matrix::{Column, Matrix, Row};

/// Every attack with its verdicts. `book` is the way from the page to the book's source.
pub(super) fn verdicts(matrix: &Matrix, book: &str) -> String {
    let mut out = head(["attack", "faithful", "hardened", "returns without"]);
    for row in &matrix.rows {
        let outcome = |column| match matrix.cell(row, column) {
            Some(run) => run.verdict.outcome.to_string(),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "| [{id}]({book}attacks/{id}.md) | {} | {} | {} |",
            outcome("faithful"),
            outcome("hardened"),
            sets(&matrix.returns_without(row), &format!("{book}defences/")),
            id = row.attack,
        );
    }
    out
}

/// Every attack with what it does and from where.
pub(super) fn attacks(matrix: &Matrix) -> String {
    let mut out = head(["attack", "what it does", "the attacker is"]);
    for Row {
        attack,
        title,
        vantage,
        ..
    } in &matrix.rows
    {
        let _ = writeln!(out, "| [{attack}]({attack}.md) | {title} | {vantage} |");
    }
    out
}

/// Every defence with its description and the attacks that it stops.
pub(super) fn defences(matrix: &Matrix) -> String {
    let mut out = head(["defence", "what it is", "without it return"]);
    for defence in Defence::ALL {
        let _ = writeln!(
            out,
            "| [{defence}]({defence}.md) | {} | {} |",
            defence.about().trim_end_matches('.'),
            returning(matrix, *defence),
        );
    }
    out
}

fn head<const N: usize>(columns: [&str; N]) -> String {
    format!("| {} |\n|{}\n", columns.join(" | "), " --- |".repeat(N))
}

/// Links to the attacks that a defence alone stops.
pub(super) fn returning(matrix: &Matrix, defence: Defence) -> String {
    let stopped = matrix.stopped_by().into_iter();
    let rows = stopped.filter(|(id, _)| *id == defence.id());
    let rows = rows.flat_map(|(_, rows)| rows);
    let links: Vec<String> = rows
        .map(|row| format!("[{id}](../attacks/{id}.md)", id = row.attack))
        .collect();
    match links.is_empty() {
        true => "none".to_owned(),
        false => links.join(", "),
    }
}

/// Links to the defences of each set.
pub(super) fn sets(sets: &[&Column], folder: &str) -> String {
    let one = |column: &&Column| {
        let links = column.without.iter();
        let links: Vec<String> = links.map(|id| format!("[{id}]({folder}{id}.md)")).collect();
        links.join(" + ")
    };
    match sets {
        [] => "nothing".to_owned(),
        sets => sets.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}
