//! The matrix for a terminal: what most readers want in 100 columns, and all of it as a grid of letters.

use std::fmt::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};

use super::table::{Column, Matrix};
use crate::{arena::Run, truth::Outcome};

/// Columns of the narrow form.
const WIDTH: u16 = 100;
/// The legend under the grid has so many entries a line, each of so many characters.
const LEGEND_COLUMNS: usize = 3;
const LEGEND_WIDTH: usize = 31;

impl fmt::Display for Matrix {
    /// Two tables: attacks with the defences without which they return, and defences with what they stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut attacks = table(["attack", "faithful", "hardened", "returns without"]);
        for row in &self.rows {
            let outcome = |column| outcome(self.cell(row, column));
            attacks.add_row([
                row.attack.clone(),
                outcome("faithful"),
                outcome("hardened"),
                listed(self.returns_without(row).into_iter().map(Column::label)),
            ]);
        }
        writeln!(f, "{attacks}")?;
        let stopped = self.stopped_by();
        if stopped.is_empty() {
            return Ok(());
        }
        let mut defences = table(["without the defence", "these attacks return"]);
        for (defence, rows) in stopped {
            let attacks = rows.into_iter().map(|row| row.attack.clone());
            defences.add_row([defence.to_owned(), listed(attacks)]);
        }
        writeln!(f, "\n{defences}")
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    table.set_header(header);
    table
}

fn outcome(cell: Option<&Run>) -> String {
    cell.map_or(String::new(), |cell| cell.verdict.outcome.to_string())
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

/// Every cell, a letter each; the columns are numbered, and a legend names them.
pub fn grid(matrix: &Matrix) -> String {
    let broken = matrix.broken_in_each();
    let mut out = line(matrix, "", |index| digit(index + 1, 10));
    out += &line(matrix, "", |index| digit(index + 1, 1));
    out.push('\n');
    for row in &matrix.rows {
        let letter = |index| row.cells.get(index).map_or(' ', letter);
        out += &line(matrix, &row.attack, letter);
    }
    out.push('\n');
    out += &line(matrix, "break it", |index| digit(broken[index], 10));
    out += &line(matrix, "", |index| digit(broken[index], 1));
    out.push('\n');
    out + &legend(matrix)
}

/// A head, then a character for each column; a gap where another kind of target begins.
fn line(matrix: &Matrix, head: &str, character: impl Fn(usize) -> char) -> String {
    let heads = matrix.rows.iter().map(|row| row.attack.len());
    let width = heads.max().unwrap_or(0);
    let mut line = format!("{head:width$}");
    let mut group = 0;
    for (index, column) in matrix.columns.iter().enumerate() {
        line.push_str(if column.group() == group { " " } else { "  " });
        line.push(character(index));
        group = column.group();
    }
    line.truncate(line.trim_end().len());
    line + "\n"
}

fn letter(cell: &Run) -> char {
    cell.verdict.outcome.letter()
}

/// The digit of a number that counts `unit`s; leading zeros are blank.
fn digit(number: usize, unit: usize) -> char {
    match number / unit {
        0 if unit > 1 => ' ',
        digits => char::from(b'0' + (digits % 10) as u8),
    }
}

/// What the letters mean, and the columns by their numbers, from top to bottom.
fn legend(matrix: &Matrix) -> String {
    let mut out = String::new();
    for outcome in Outcome::ALL {
        let _ = writeln!(out, "{} {outcome}: {}", outcome.letter(), outcome.meaning());
    }
    out.push('\n');
    let entry = |index: usize| {
        let column = matrix.columns.get(index)?;
        let minus = if column.without.is_empty() { "" } else { "- " };
        Some(format!("{:2} {minus}{}", index + 1, column.label()))
    };
    let lines = matrix.columns.len().div_ceil(LEGEND_COLUMNS);
    for first in 0..lines {
        let entries = (0..LEGEND_COLUMNS).filter_map(|column| entry(first + column * lines));
        let line: String = entries
            .map(|entry| format!("{entry:LEGEND_WIDTH$} "))
            .collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::table::tests::small, *};

    #[test]
    fn the_narrow_form_names_the_smallest_sets() {
        let text = small().to_string();
        let has = |line: &[&str]| {
            let cells = |text: &str| -> Vec<String> {
                let cells = text.trim_matches('|').split('|');
                cells.map(|cell| cell.trim().to_owned()).collect()
            };
            text.lines().any(|printed| cells(printed) == line)
        };
        assert!(has(&["bit-flip", "Broke", "Held", "mac"]), "{text}");
        assert!(
            has(&["forge-both", "n/a", "Held", "mac + fresh-nonce"]),
            "{text}"
        );
        assert!(has(&["fresh-nonce", "keystream-reuse"]), "{text}");
        assert!(text.lines().all(|line| line.len() <= usize::from(WIDTH)));
    }

    #[test]
    fn the_grid_has_a_letter_for_every_cell_under_its_number() {
        let grid = grid(&small());
        let lines: Vec<&str> = grid.lines().collect();
        let of = |head: &str| {
            let line = lines.iter().find(|line| line.starts_with(head));
            line.unwrap().split_whitespace().skip(1).collect::<String>()
        };
        assert_eq!(lines[1].split_whitespace().collect::<String>(), "12345");
        assert_eq!(of("bit-flip"), "B·B·B");
        assert_eq!(of("forge-both"), "-···B");
        let place = |line: &str, of: char| line.chars().position(|character| character == of);
        assert_eq!(place(lines[1], '3'), place(lines[4], 'B').map(|at| at + 6));
        assert!(grid.contains(" 5 - mac + fresh-nonce"), "{grid}");
    }
}
