//! The languages in which a lab hands out code: how a program is built and run, and which files begin it.

use serde::Deserialize;

/// One of them. Its files are in `start/ID` and `solution/ID`; what stands beside these folders is for all languages.
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
}
