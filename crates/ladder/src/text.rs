//! The table for a terminal: a letter for each cell, and what each rung changes.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use latchstring_arena::verdict::Outcome;

use crate::{
    rung::Rung,
    table::{Rest, Row, Table},
};

const BROKE: Style = AnsiColor::Red.on_default().bold();
const HELD: Style = AnsiColor::Green.on_default();
const FAINT: Style = Style::new().dimmed();

/// The table, in at most 80 columns.
pub fn table(table: &Table) -> String {
    let mut out = head(table);
    for row in &table.rows {
        out += &line(table, row);
    }
    out += &legend();
    out += "\n";
    for rung in Rung::ALL {
        out += &change(table, rung);
    }
    out + &rest(&table.rest)
}

fn name_width(table: &Table) -> usize {
    let names = table.rows.iter().map(|row| row.attack.len());
    names.max().unwrap_or(0).max("attack".len())
}

fn head(table: &Table) -> String {
    let numbers: Vec<String> = Rung::ALL.iter().map(Rung::to_string).collect();
    let width = name_width(table);
    format!("{:width$}  rung {}\n", "attack", numbers.join("  "))
}

fn line(table: &Table, row: &Row) -> String {
    let mut line = format!("{:width$}     ", row.attack, width = name_width(table));
    for run in &row.cells {
        let outcome = run.verdict.outcome;
        let style = style(outcome);
        write!(line, "  {style}{}{style:#}", outcome.letter()).expect("a string takes all");
    }
    line + "\n"
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Broke => BROKE,
        Outcome::Held => HELD,
        Outcome::DoesNotApply | Outcome::Inconclusive => FAINT,
    }
}

fn legend() -> String {
    let mut legend = "\n".to_owned();
    for outcome in [Outcome::Broke, Outcome::Held, Outcome::DoesNotApply] {
        let (style, letter) = (style(outcome), outcome.letter());
        let meaning = match outcome {
            Outcome::DoesNotApply => "the rung has nothing of the kind to attack",
            other => other.meaning(),
        };
        writeln!(legend, "{style}{letter}{style:#}  {meaning}").expect("a string takes all");
    }
    legend
}

/// What the run shows of a rung, in two or three lines.
fn change(table: &Table, rung: Rung) -> String {
    let line = rung.line();
    let change = table.change(rung);
    let mut out = format!("{rung}  {}\n", line.name);
    for (what, attacks) in [("kills", change.kills), ("opens", change.opens)] {
        if !attacks.is_empty() {
            out += &folded(&format!("{what} {}", attacks.join(", ")));
        }
    }
    out
}

fn rest(rest: &[Rest]) -> String {
    let broken: Vec<&str> = named(rest, |rest| rest.hardened.outcome == Outcome::Broke);
    let held: Vec<&str> = named(rest, |rest| rest.hardened.outcome != Outcome::Broke);
    let mut out = "\nOn rung 9 the arena also runs the rest of the catalogue:\n".to_owned();
    for (what, attacks) in [("works:", broken), ("fails:", held)] {
        if !attacks.is_empty() {
            out += &folded(&format!("{what} {}", attacks.join(", ")));
        }
    }
    out
}

fn named(rest: &[Rest], which: impl Fn(&Rest) -> bool) -> Vec<&'static str> {
    let rest = rest.iter().filter(|rest| which(rest));
    rest.map(|rest| rest.attack).collect()
}

/// Indented under a rung's number, in 80 columns.
fn folded(text: &str) -> String {
    let options = textwrap::Options::new(80)
        .initial_indent("   ")
        .subsequent_indent("         ")
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}

/// One rung: its idea, and each attack on it with the judge's statement.
pub fn rung(table: &Table, rung: Rung) -> String {
    let line = rung.line();
    let mut out = format!("Rung {rung}: {}\n", line.name);
    out += &folded(line.adds);
    out += "\n";
    let width = name_width(table);
    for row in &table.rows {
        let verdict = &row.cells[usize::from(rung.number())].verdict;
        let style = style(verdict.outcome);
        let letter = verdict.outcome.letter();
        let text = format!("{:width$}  {}", row.attack, verdict.statement);
        let options = textwrap::Options::new(77)
            .subsequent_indent("                      ")
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        writeln!(
            out,
            "{style}{letter}{style:#}  {}",
            textwrap::fill(&text, options).replace('\n', "\n   ")
        )
        .expect("a string takes all");
    }
    out
}
