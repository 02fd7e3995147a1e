//! The files below `--dir`.

use std::{fs, path::Path};

use crate::error::{Error, Result};

/// Reads a text file; the error names it.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|why| Error::from(format!("cannot read {}: {why}", path.display())))
}

/// Reads a key with the given parser; the error names the file.
pub fn key<K, E: std::fmt::Display>(path: &Path, parse: impl Fn(&str) -> std::result::Result<K, E>) -> Result<K> {
    let key = parse(read(path)?.trim());
    key.map_err(|why| format!("{} holds no key of this rung: {why}", path.display()).into())
}

/// Whether this is a name: it is also part of a path, so nothing in it may lead out of the folder.
pub fn is_name(name: &str) -> bool {
    let leads_away = name == "." || name.contains("..") || name.contains(['/', '\\']);
    (1..=127).contains(&name.len()) && !leads_away && !name.chars().any(char::is_control)
}

/// A stranger's text for a terminal: a control character in it must not take effect there.
pub fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}
