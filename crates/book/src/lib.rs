//! Everything in the repository that is generated from runs: captures, the book's pages on attacks and defences, its
//! tables and its picture.
//!
//! `latchstring-book` writes these files. A test compares them with the committed ones, so nothing drifts. Adding an
//! attack or a defence changes nothing here.
//!
//! * `doc`: the documentation of an attack's file;
//! * `page`: one page an attack, one page a defence;
//! * `tables`: the tables in pages that are written by hand, and `splice`, which puts them there;
//! * [`ladder`]: the pages, vectors and picture of the ladder;
//! * `capture` and `remarks`: one capture an attack, with comments on its packets.

mod capture;
mod doc;
pub mod ladder;
mod page;
mod remarks;
mod splice;
mod tables;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use latchstring_attacker::{attacks, protocol::hardened::defence::Defence};

pub use self::{capture::capture, doc::HEADINGS};

use latchstring_ladder::table::Table;
use latchstring_matrix::{Matrix, Row, picture};

/// A file that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// The path from the top of the repository.
    pub path: PathBuf,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Artefact {
    fn new(path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: bytes.into(),
        }
    }
}

/// Folders in which every file with this extension is made, apart from an `index.md`.
const FOLDERS: [(&str, &str); 4] = [
    ("captures", "pcapng"),
    ("docs/src/attacks", "md"),
    ("docs/src/defences", "md"),
    ("tests/vectors/ladder", "json"),
];

/// Makes everything from a whole matrix and a whole ladder at the default seed, and the sources below `root`.
///
/// # Errors
/// When a source cannot be read, an attack's file lacks a heading, or a page lacks its markers.
pub fn artefacts(root: &Path, matrix: &Matrix, ladder: &Table) -> anyhow::Result<Vec<Artefact>> {
    let mut made = Vec::new();
    for row in &matrix.rows {
        made.push(attack_page(root, matrix, row)?);
        made.push(Artefact::new(
            format!("captures/{}.pcapng", row.attack),
            capture(&row.attack)?,
        ));
    }
    for defence in Defence::ALL {
        let text = page::of_defence(matrix, *defence, &page::Places::of(root, *defence)?);
        made.push(Artefact::new(
            format!("docs/src/defences/{defence}.md"),
            text,
        ));
    }
    made.push(Artefact::new(
        "docs/src/matrix.svg",
        picture(matrix, |row, column| page::address(matrix, row, column)),
    ));
    made.extend(spliced(root, matrix)?);
    made.extend(ladder::artefacts(root, ladder)?);
    Ok(made)
}

fn read(root: &Path, path: &str) -> anyhow::Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}

fn attack_page(root: &Path, matrix: &Matrix, row: &Row) -> anyhow::Result<Artefact> {
    let id = &row.attack;
    let source = format!("crates/attacker/src/attacks/{}.rs", id.replace('-', "_"));
    let doc = doc::Doc::of(&read(root, &source)?);
    let text = page::of_attack(matrix, row, &doc).with_context(|| source)?;
    Ok(Artefact::new(format!("docs/src/attacks/{id}.md"), text))
}

/// The pages that are written by hand around something that is made.
fn spliced(root: &Path, matrix: &Matrix) -> anyhow::Result<Vec<Artefact>> {
    let tables = [
        ("README.md", "matrix", tables::verdicts(matrix, "docs/src/")),
        ("docs/src/matrix.md", "matrix", tables::verdicts(matrix, "")),
        (
            "docs/src/attacks/index.md",
            "attacks",
            tables::attacks(matrix),
        ),
        (
            "docs/src/defences/index.md",
            "defences",
            tables::defences(matrix),
        ),
    ];
    let mut made = Vec::new();
    for (path, name, table) in tables {
        let text = splice::between_markers(&read(root, path)?, name, &table);
        made.push(Artefact::new(path, text.with_context(|| path)?));
    }
    let attacks: Vec<&str> = attacks::ALL.iter().map(|attack| attack.id).collect();
    let defences: Vec<&str> = Defence::ALL.iter().map(|defence| defence.id()).collect();
    let summary = read(root, "docs/src/SUMMARY.md")?;
    let summary = splice::listed_below(&summary, "attacks", &attacks)?;
    let summary = splice::listed_below(&summary, "defences", &defences)?;
    made.push(Artefact::new("docs/src/SUMMARY.md", summary));
    Ok(made)
}

/// The files that differ from the generated ones, or that would not be generated at all.
///
/// # Errors
/// When a folder cannot be read.
pub fn drifted(root: &Path, made: &[Artefact]) -> anyhow::Result<Vec<PathBuf>> {
    let other = made.iter().filter(|artefact| {
        fs::read(root.join(&artefact.path)).ok().as_ref() != Some(&artefact.bytes)
    });
    let mut drifted: Vec<PathBuf> = other.map(|artefact| artefact.path.clone()).collect();
    drifted.extend(left_over(root, made)?);
    Ok(drifted)
}

/// Files of a kind that is only made, which nothing makes any more.
fn left_over(root: &Path, made: &[Artefact]) -> anyhow::Result<Vec<PathBuf>> {
    let made: BTreeSet<&Path> = made
        .iter()
        .map(|artefact| artefact.path.as_path())
        .collect();
    let mut left = Vec::new();
    for (folder, extension) in FOLDERS {
        for entry in
            fs::read_dir(root.join(folder)).with_context(|| format!("cannot list {folder}"))?
        {
            let path = Path::new(folder).join(entry?.file_name());
            let ours =
                path.extension().is_some_and(|of| of == extension) && !path.ends_with("index.md");
            if ours && !made.contains(path.as_path()) {
                left.push(path);
            }
        }
    }
    Ok(left)
}

/// Writes everything, and removes what nothing makes any more. Returns what has changed.
///
/// # Errors
/// When a file cannot be written or removed.
pub fn write(root: &Path, made: &[Artefact]) -> anyhow::Result<Vec<PathBuf>> {
    let changed = drifted(root, made)?;
    for path in left_over(root, made)? {
        fs::remove_file(root.join(&path))?;
    }
    for artefact in made
        .iter()
        .filter(|artefact| changed.contains(&artefact.path))
    {
        let path = root.join(&artefact.path);
        fs::write(&path, &artefact.bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(changed)
}
