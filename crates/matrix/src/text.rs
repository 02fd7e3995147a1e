//! The matrix for a terminal: two tables for most readers, and the whole as a grid of letters.

use std::{fmt::Write, ops::Range};

use comfy_table::{ContentArrangement, Table, presets};

use crate::table::{Column, Matrix};
use latchstring_arena::{Run, verdict::Outcome};

/// The width of an entry of the legend under the grid, in characters.
const LEGEND_WIDTH: usize = 31;

/// Two tables in `width` columns: attacks with the defences without which they return, and defences with the attacks
/// that they stop.
pub fn tables(matrix: &Matrix, width: usize) -> String {
    let mut attacks = table(["attack", "faithful", "hardened", "returns without"], width);
    for row in &matrix.rows {
        let outcome = |column| outcome(matrix.cell(row, column));
        attacks.add_row([
            row.attack.clone(),
            outcome("faithful"),
            outcome("hardened"),
            listed(matrix.returns_without(row).into_iter().map(Column::label)),
        ]);
    }
    let stopped = matrix.stopped_by();
    if stopped.is_empty() {
        return format!("{attacks}\n");
    }
    let mut defences = table(["without the defence", "these attacks return"], width);
    for (defence, rows) in stopped {
        let attacks = rows.into_iter().map(|row| row.attack.clone());
        defences.add_row([defence.to_owned(), listed(attacks)]);
    }
    format!("{attacks}\n\n{defences}\n")
}

fn table<const N: usize>(header: [&str; N], width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
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

/// Every cell, a letter each; the columns are numbered, and a legend names them. Columns that do not fit go into
/// another block below.
pub fn grid(matrix: &Matrix, width: usize) -> String {
    let broken = matrix.broken_in_each();
    let mut out = String::new();
    for block in blocks(matrix, width) {
        let line = |head, character: &dyn Fn(usize) -> char| line(matrix, &block, head, character);
        out += &line("", &|index| digit(index + 1, 10));
        out += &line("", &|index| digit(index + 1, 1));
        out.push('\n');
        for row in &matrix.rows {
            out += &line(&row.attack, &|index| {
                row.cells.get(index).map_or(' ', letter)
            });
        }
        out.push('\n');
        out += &line("break it", &|index| digit(broken[index], 10));
        out += &line("", &|index| digit(broken[index], 1));
        out.push('\n');
    }
    out + &legend(matrix, width)
}

/// The width of the heads of the lines.
fn head_width(matrix: &Matrix) -> usize {
    let heads = matrix.rows.iter().map(|row| row.attack.len());
    heads.max().unwrap_or(0)
}

/// The space before a column: a wider gap where another kind of target begins.
fn gap(matrix: &Matrix, block: &Range<usize>, index: usize) -> &'static str {
    let group = |index: usize| matrix.columns[index].group();
    let first = index == block.start;
    let before = if first { 0 } else { group(index - 1) };
    match group(index) == before || (first && index > 0) {
        true => " ",
        false => "  ",
    }
}

/// The columns, as many at a time as fit.
fn blocks(matrix: &Matrix, width: usize) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut block = 0..0;
    let mut used = head_width(matrix);
    for index in 0..matrix.columns.len() {
        used += gap(matrix, &block, index).len() + 1;
        if used > width && !block.is_empty() {
            blocks.push(block);
            block = index..index;
            used = head_width(matrix) + gap(matrix, &block, index).len() + 1;
        }
        block.end = index + 1;
    }
    blocks.push(block);
    blocks
}

/// A head, then a character for each column of a block.
fn line(
    matrix: &Matrix,
    block: &Range<usize>,
    head: &str,
    character: &dyn Fn(usize) -> char,
) -> String {
    let mut line = format!("{head:0$}", head_width(matrix));
    for index in block.clone() {
        line.push_str(gap(matrix, block, index));
        line.push(character(index));
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

/// The meaning of the letters, and the columns by their numbers, from top to bottom.
fn legend(matrix: &Matrix, width: usize) -> String {
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
    let side_by_side = (width / (LEGEND_WIDTH + 1)).clamp(1, 3);
    let lines = matrix.columns.len().div_ceil(side_by_side);
    for first in 0..lines {
        let entries = (0..side_by_side).filter_map(|column| entry(first + column * lines));
        let line: String = entries
            .map(|entry| format!("{entry:LEGEND_WIDTH$} "))
            .collect();
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::small;

    #[test]
    fn the_narrow_form_names_the_smallest_sets() {
        let text = tables(&small(), 80);
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
        assert!(text.lines().all(|line| line.len() <= 80));
    }

    #[test]
    fn the_grid_has_a_letter_for_every_cell_under_its_number() {
        let grid = grid(&small(), 100);
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

    #[test]
    fn a_grid_that_is_too_wide_goes_on_below() {
        let matrix = small();
        let narrow = grid(&matrix, 24);
        assert!(
            narrow
                .lines()
                .take(14)
                .all(|line| line.chars().count() <= 24),
            "{narrow}"
        );
        let of = |head: &str| -> String {
            let lines = narrow.lines().filter(|line| line.starts_with(head));
            lines
                .flat_map(|line| line.split_whitespace().skip(1))
                .collect()
        };
        assert_eq!(of("bit-flip"), "B·B·B");
        assert_eq!(of("forge-both"), "-···B");
    }
}
