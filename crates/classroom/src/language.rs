//! The languages in which a lab hands out code: how a program is built and run, and which files begin it.

use std::path::PathBuf;

use serde::Deserialize;

/// One of them. Its files are in `start/ID` and `solution/ID`; what stands beside these folders is for all languages.
/// Below them lie the files of a peer, if the lab has one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// The name of its folders.
    pub id: String,
    /// The command that builds the program, in the student's folder.
    #[serde(default)]
    pub build: Vec<String>,
    /// The command that runs it.
    pub run: Vec<String>,
    /// The peer of the ladder that a student begins with.
    pub peer: Option<Peer>,
}

/// A peer of the ladder whose sources lie beside the labs, in `peers/LANGUAGE`. The folder `rung0` there has all files of its
/// rung, and each folder above has those that are new or changed. What the lab itself has in `start/ID` stands in for them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// The highest rung whose files it has.
    pub rung: u8,
    /// Where it is in a student's folder.
    #[serde(default)]
    pub folder: PathBuf,
}
