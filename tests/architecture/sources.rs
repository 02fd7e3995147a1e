//! The Rust files of a folder, and what of them is code.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All Rust files below a folder.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file without its tests, which stand at its end.
pub(crate) fn code_of(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}
