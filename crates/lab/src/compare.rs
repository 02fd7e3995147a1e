//! `latchstring compare`: a part of both protocols side by side, step by step. The first lesson.
//!
//! The two folders of sources have the same files with the same items in the same order (a test holds them to it). Where
//! the report's protocol lacks a step, a note stands in its place. So the comparison reads the sources themselves.

mod sheet;
mod steps;

use std::io::IsTerminal;

use anyhow::Result;
use clap::{Args, ValueEnum};
use latchstring_attacker::net::print::Output;

use sheet::Sheet;
use steps::{Row, Step};

/// The columns where the terminal does not say how many it has.
const USUAL: usize = 120;

/// The step to compare, and the layout.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  latchstring compare record\n  latchstring compare handshake --differences | less -R\n\n\
    Left is the faithful protocol, right the hardened one. COLUMNS=160 sets the width."
)]
pub struct Arguments {
    /// Compare this part of the protocols
    #[arg(value_enum)]
    part: Part,
    /// Leave out lines that are equal in both
    #[arg(long)]
    differences: bool,
    /// Print colours in these cases
    #[arg(long, value_enum, default_value = "auto")]
    color: Color,
}

/// A part of both protocols.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// How one message is encrypted and checked
    Record,
    /// How both ends agree on keys and prove their identity
    Handshake,
    /// The messages on the wire: names, logins, texts
    Message,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// In a terminal
    Auto,
    /// Also in a pipe or a file
    Always,
    /// Nowhere
    Never,
}

/// One file of both protocols.
struct File {
    name: &'static str,
    faithful: &'static str,
    hardened: &'static str,
}

macro_rules! file {
    ($name:literal) => {
        File {
            name: $name,
            faithful: include_str!(concat!("../../protocol-faithful/src/", $name)),
            hardened: include_str!(concat!("../../protocol/src/hardened/", $name)),
        }
    };
}

impl Part {
    fn files(self) -> &'static [File] {
        match self {
            Self::Record => &[file!("record.rs")],
            Self::Handshake => &[
                file!("handshake.rs"),
                file!("handshake/client.rs"),
                file!("handshake/server.rs"),
            ],
            Self::Message => &[file!("message.rs")],
        }
    }
}

/// Prints the comparison.
///
/// # Errors
/// When the standard output cannot be written.
pub fn run(arguments: &Arguments) -> Result<()> {
    let terminal = std::io::stdout().is_terminal();
    let sheet = Sheet {
        width: width(),
        colour: match arguments.color {
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none(),
            Color::Always => true,
            Color::Never => false,
        },
        differences: arguments.differences,
    };
    let mut out = Output::new();
    for file in arguments.part.files() {
        for line in compared(file, sheet) {
            out.line(line)?;
        }
    }
    Ok(out.finish()?)
}

/// The columns of the terminal: code needs more than prose.
fn width() -> usize {
    let told = std::env::var("COLUMNS").ok();
    let told = told.and_then(|columns| columns.trim().parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    told.or_else(terminal).unwrap_or(USUAL).clamp(40, 240)
}

fn compared(file: &File, sheet: Sheet) -> Vec<String> {
    let (faithful, hardened) = (steps::of(file.faithful), steps::of(file.hardened));
    let rows = steps::aligned(&faithful, &hardened);
    let mut out = sheet.titles(
        &format!("crates/protocol-faithful/src/{}", file.name),
        &format!("crates/protocol/src/hardened/{}", file.name),
    );
    for (number, row) in (1..).zip(&rows) {
        let (left, right) = (source(&row.faithful), source(&row.hardened));
        if sheet.differences && left == right {
            continue;
        }
        out.push(String::new());
        out.extend(sheet.heading(&format!(
            "== step {number} of {}: {}",
            rows.len(),
            title(row)
        )));
        out.extend(sheet.texts(&left, &right));
    }
    out.push(String::new());
    out.extend(sheet.heading(&summary(file, &rows)));
    out.push(String::new());
    out
}

fn source(steps: &[&Step]) -> Vec<String> {
    let lines = steps.iter().flat_map(|step| &step.lines);
    lines.cloned().collect()
}

/// The step, and which side lacks it.
fn title(row: &Row<'_>) -> String {
    let name = |steps: &[&Step]| {
        let mut names = steps.iter().map(|step| step.name.as_str());
        names.find(|name| !name.is_empty()).map(str::to_owned)
    };
    match (name(&row.faithful), name(&row.hardened)) {
        (Some(_), Some(name)) => name,
        (None, Some(name)) => format!("{name}, missing in the faithful protocol"),
        (Some(name), None) => format!("{name}, in the faithful protocol alone"),
        (None, None) => {
            let missing: Vec<_> = row
                .faithful
                .iter()
                .flat_map(|step| step.missing.clone())
                .collect();
            format!("{}, missing in the faithful protocol", missing.join(", "))
        }
    }
}

fn summary(file: &File, rows: &[Row<'_>]) -> String {
    let lacks = |row: &&Row<'_>| row.faithful.iter().all(|step| step.name.is_empty());
    let lacking = rows.iter().filter(lacks).flat_map(|row| &row.hardened);
    let names: Vec<&str> = lacking.map(|step| step.name.as_str()).collect();
    match names.is_empty() {
        true => format!("{}: both protocols have every step.", file.name),
        false => format!(
            "{}: the faithful protocol has no {}.",
            file.name,
            names.join(", no ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [Part; 3] = [Part::Record, Part::Handshake, Part::Message];

    fn sheet(width: usize) -> Sheet {
        Sheet {
            width,
            colour: false,
            differences: false,
        }
    }

    /// The comparison reads the sources as they are: nothing of them is left out but tests, imports and modules.
    #[test]
    fn every_line_of_code_of_both_is_shown() {
        for file in PARTS.iter().flat_map(|part| part.files()) {
            // So wide that nothing is folded.
            let shown = compared(file, sheet(400)).join("\n");
            for line in [file.faithful, file.hardened].concat().lines() {
                let line = line.trim();
                if line.starts_with("pub fn") || line.starts_with("// No") {
                    assert!(shown.contains(line), "{}: {line}", file.name);
                }
            }
        }
    }

    #[test]
    fn the_missing_steps_are_named() {
        let record = compared(&Part::Record.files()[0], sheet(120)).join("\n");
        assert!(
            record.contains(": Plaintext, missing in the faithful protocol"),
            "{record}"
        );
        let handshake = compared(&Part::Handshake.files()[1], sheet(120)).join("\n");
        assert!(handshake.contains("no ExpectServerAuth"), "{handshake}");
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        for width in [60, 80, 120] {
            for file in PARTS.iter().flat_map(|part| part.files()) {
                for line in compared(file, sheet(width)) {
                    assert!(
                        textwrap::core::display_width(&line) <= width,
                        "{width}: {line}"
                    );
                }
            }
        }
    }
}
