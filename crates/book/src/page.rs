//! The book's page on an attack, and its page on a defence.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use latchstring_attacker::{
    Attack, Faithful, Run as Program, attacks, protocol::hardened::defence::Defence,
};

use super::{
    doc::{Doc, HEADINGS},
    tables,
};

use latchstring_arena::{Run, verdict::Outcome};
use latchstring_matrix::{Column, Matrix, Row};

const MADE: &str = "<!-- Made by `latchstring-book` from";

/// The page on an attack: the documentation of its file, and the results of its runs.
///
/// # Errors
/// When the file lacks one of the headings.
pub(super) fn of_attack(matrix: &Matrix, row: &Row, doc: &Doc) -> anyhow::Result<String> {
    let code = format!(
        "crates/attacker/src/attacks/{}.rs",
        row.attack.replace('-', "_")
    );
    let mut page = format!(
        "# {}\n\n{MADE} {code}; change that. -->\n\n{}\n\n",
        row.attack, doc.summary
    );
    page += &facts(matrix, row, &code);
    for heading in HEADINGS {
        let missing = || format!("there is no `//! # {heading}` in its documentation");
        let text = doc.section(heading).with_context(missing)?;
        let _ = writeln!(page, "\n## {heading}\n\n{text}");
        for column in shown_under(heading, matrix, row) {
            page += &told(row, matrix, column);
        }
    }
    page += &commands(matrix, row);
    Ok(page)
}

fn facts(matrix: &Matrix, row: &Row, code: &str) -> String {
    let verdict = |column| match matrix.cell(row, column) {
        Some(run) => format!("**{}**: {}", run.verdict.outcome, run.verdict.statement),
        None => String::new(),
    };
    let id = &row.attack;
    let sets = tables::sets(&matrix.returns_without(row), "../defences/");
    format!(
        "| | |\n| --- | --- |\n| what it does | {} |\n| the attacker is | {} |\n| against faithful | {} |\n\
         | against hardened | {} |\n| returns without | {sets} |\n| code | `{code}` |\n\
         | capture | `captures/{id}.pcapng` |\n",
        row.title,
        row.vantage,
        verdict("faithful"),
        verdict("hardened"),
    )
}

/// The runs against faithful stand under *Attack*, the others under *Defence*.
fn shown_under<'a>(heading: &str, matrix: &'a Matrix, row: &'a Row) -> Vec<&'a Column> {
    let mut columns = matrix.columns.iter();
    match heading {
        "Attack" => columns.filter(|column| column.id == "faithful").collect(),
        "Defence" => {
            let hardened = columns.find(|column| column.id == "hardened").into_iter();
            hardened.chain(matrix.returns_without(row)).collect()
        }
        _ => Vec::new(),
    }
}

fn told(row: &Row, matrix: &Matrix, column: &Column) -> String {
    let Some(run) = matrix.cell(row, &column.id) else {
        return String::new();
    };
    let mut out = format!("\n### Against {}\n\n", column.target());
    if !run.story.is_empty() {
        let _ = write!(out, "```text\n{}\n```\n\n", run.story.join("\n"));
    }
    out + &quoted(run)
}

fn quoted(run: &Run) -> String {
    format!("> {}: {}\n", run.verdict.outcome, run.verdict.statement)
}

fn commands(matrix: &Matrix, row: &Row) -> String {
    let id = &row.attack;
    let mut out = format!(
        "\n## See it run\n\n```sh\ncargo run --release -- matrix --attack {id}\n\
         cargo run --release -- read captures/{id}.pcapng\n"
    );
    let columns = ["faithful", "hardened"].into_iter();
    let sets = matrix.returns_without(row).into_iter();
    for column in columns.chain(sets.map(|column| column.id.as_str())) {
        out += &run_command(id, &format!("--against {column}"));
    }
    let listens =
        |attack: &Attack| matches!(attack.run, Program::Sniff(_) | Program::SniffClientOnly(_));
    if attacks::find(id)
        .is_some_and(|attack| listens(attack) && attack.faithful == Faithful::Broken)
    {
        out += &run_command(id, "--capture captures/faithful-chat.pcap");
    }
    out += &by_hand(id);
    out + "```\n"
}

/// The command that lists the labs about something: which these are is for the labs to say.
fn by_hand(id: &str) -> String {
    format!("cargo run --release -- lab list --about {id}\n")
}

fn run_command(attack: &str, on: &str) -> String {
    format!("cargo run --release --bin latchstring-attack -- run {attack} {on}\n")
}

/// Where the book tells of a cell: its own transcript if that is published, otherwise the one that it is like.
pub(super) fn address(matrix: &Matrix, row: &Row, column: &Column) -> String {
    let sets = matrix.returns_without(row);
    let like = match matrix.cell(row, &column.id).map(|run| run.verdict.outcome) {
        _ if column.without.is_empty() => column.target(),
        Some(Outcome::Broke) => {
            let mut sets = sets.into_iter();
            let smaller = sets.find(|set| column.removes_all_of(set));
            smaller.unwrap_or(column).target()
        }
        _ => "hardened".to_owned(),
    };
    let anchor = like.replace(' ', "-").replace(',', "");
    format!("attacks/{}.html#against-{anchor}", row.attack)
}

/// The page on a defence: a description, the attacks that return without it, and its place in the code.
pub(super) fn of_defence(matrix: &Matrix, defence: Defence, places: &Places) -> String {
    let source = "crates/protocol/src/hardened/defence.rs";
    let about = defence.about();
    let mut page = format!("# {defence}\n\n{MADE} {source}; change that. -->\n\n{about}\n");
    let alone = format!("hardened-minus={defence}");
    let broken = broken_in(matrix, &alone);
    page += "\n## What returns without it\n";
    broken
        .iter()
        .for_each(|(row, run)| page += &returned(row, run));
    if broken.is_empty() {
        let reason = defence.kept_because().unwrap_or_default();
        let _ = writeln!(
            page,
            "\nNo attack of the catalogue returns if only this defence is left out. {reason}"
        );
    }
    page += &with_others(matrix, defence);
    page += "\n## Where it is\n";
    page += &places.told();
    page += "\n## See it run\n\n```sh\n";
    let _ = writeln!(page, "cargo run --release -- matrix --defence {defence}");
    for (row, _) in broken {
        page += &run_command(&row.attack, &format!("--against {alone}"));
    }
    page += &by_hand(defence.id());
    page + "```\n"
}

/// The attacks that succeed in a column.
fn broken_in<'a>(matrix: &'a Matrix, column: &str) -> Vec<(&'a Row, &'a Run)> {
    let cells = matrix
        .rows
        .iter()
        .filter_map(|row| Some((row, matrix.cell(row, column)?)));
    let broke = |(_, run): &(&Row, &Run)| run.verdict.outcome == Outcome::Broke;
    cells.filter(broke).collect()
}

fn returned(row: &Row, run: &Run) -> String {
    format!(
        "\n[{id}](../attacks/{id}.md): {}.\n\n{}",
        row.title,
        quoted(run),
        id = row.attack
    )
}

/// The larger sets that this defence is part of, where two mask each other.
fn with_others(matrix: &Matrix, defence: Defence) -> String {
    let mut out = String::new();
    for row in &matrix.rows {
        let sets = matrix.returns_without(row).into_iter().filter(|column| {
            column.without.len() > 1 && column.without.iter().any(|id| id == defence.id())
        });
        for column in sets {
            let _ = writeln!(
                out,
                "\n[{id}](../attacks/{id}.md) returns only without {}: each of them stops it alone.",
                tables::sets(&[column], ""),
                id = row.attack,
            );
        }
    }
    out
}

/// The files that name a defence.
pub(super) struct Places {
    /// Of the protocol and the programs that people run.
    real: Vec<String>,
    /// Of the lab.
    lab: Vec<String>,
}

impl Places {
    /// Searches the sources.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn of(root: &Path, defence: Defence) -> anyhow::Result<Self> {
        let real = ["protocol", "net", "client-core", "server-core", "store"];
        let real = real.map(|package| format!("crates/{package}/src"));
        let lab = ["weakened", "peers"].map(|folder| format!("crates/arena/src/{folder}"));
        Ok(Self {
            real: naming(root, &real, defence)?,
            lab: naming(root, &lab, defence)?,
        })
    }

    fn told(&self) -> String {
        let mut out = String::new();
        let mut list = |head: &str, files: &[String]| {
            if !files.is_empty() {
                let _ = writeln!(out, "\n{head}\n");
                files
                    .iter()
                    .for_each(|file| out += &format!("- `{file}`\n"));
            }
        };
        list(
            "These files ask whether the defence is in place, once for each role:",
            &self.real,
        );
        list(
            "The lab replaces it with the code in these files:",
            &self.lab,
        );
        if self.real.is_empty() {
            out += "\nNo check asks for this defence. It is a part of the peers, and the lab builds its weakened peers with another part.\n";
        }
        out
    }
}

/// The files below some folders that name a defence.
fn naming(root: &Path, folders: &[String], defence: Defence) -> anyhow::Result<Vec<String>> {
    let name = format!("Defence::{defence:?}");
    let names_it = |text: &str| {
        let mut after = text.split(&name).skip(1);
        after.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    let mut files = Vec::new();
    for folder in folders {
        sources(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut naming = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("defence.rs")) {
        if names_it(&fs::read_to_string(file)?) {
            let path = file.strip_prefix(root).unwrap_or(file);
            naming.push(path.display().to_string());
        }
    }
    Ok(naming)
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
