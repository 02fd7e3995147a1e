//! What does not follow from the rest of a bundle, each in a sentence.

use std::fmt;

use latchstring_attacker::capture::{
    sessions_from_bytes,
    trace::{Side, Trace},
};

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Handed out by another version of the program.
    OtherVersion(String),
    /// The manifest is not sealed with the student's hand-out.
    NotSealed,
    /// A file is not as it was when the bundle was made.
    Changed(String),
    /// The state file is not the one of the hand-out.
    State,
    /// A personal file is missing.
    Missing(String),
    /// A personal file is cut short, to so many bytes of so many.
    Cut {
        /// The file.
        path: String,
        /// Its length.
        length: usize,
        /// The length that was handed out.
        of: usize,
    },
    /// A personal file is another one.
    Other(String),
    /// The student took the lab's solution.
    Solution,
    /// The journal does not hold together at this line.
    Journal(usize),
    /// The journal runs backwards, or is younger than the bundle.
    Clock,
    /// The state file has a pass that no check in the journal saw.
    NeverPassed(String),
    /// The state file has another prediction than the journal.
    Prediction(String),
    /// The journal says that this passed with these files, and it fails here.
    FailsHere(String),
}

/// What kind of finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Another version of the program.
    Version,
    /// Something is missing.
    Missing,
    /// Something was changed.
    Altered,
    /// Something to know.
    Note,
}

impl Finding {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::OtherVersion(_) => Kind::Version,
            Self::Missing(_) => Kind::Missing,
            Self::Solution => Kind::Note,
            _ => Kind::Altered,
        }
    }
}

/// How a personal file differs from the one that was handed out.
pub(super) fn of_file(path: &str, handed_out: &[u8], there: Option<&[u8]>) -> Option<Finding> {
    let path = path.to_owned();
    match there {
        Some(there) if there == handed_out || same_sessions(there, handed_out) => None,
        None => Some(Finding::Missing(path)),
        Some(there) if handed_out.starts_with(there) => Some(Finding::Cut {
            path,
            length: there.len(),
            of: handed_out.len(),
        }),
        Some(_) => Some(Finding::Other(path)),
    }
}

/// Whether both are captures in which everybody says the same. The machine that made one of them may have been busier, and have
/// read in one piece what the other one read in two.
fn same_sessions(one: &[u8], other: &[u8]) -> bool {
    let said = |bytes: &[u8]| {
        let sessions = sessions_from_bytes("capture", bytes).ok()?;
        let said = |trace: &Trace| [Side::Client, Side::Server].map(|side| trace.stream(side));
        Some(sessions.iter().map(said).collect::<Vec<_>>())
    };
    said(one).is_some_and(|said_there| Some(said_there) == said(other))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherVersion(version) => write!(
                f,
                "the hand-out was made by version {version}, and this is {}: its captures, its state and its journal were not compared",
                env!("CARGO_PKG_VERSION")
            ),
            Self::NotSealed => f.write_str(
                "the list of the bundle was changed after the bundle was made: the seal does not fit it",
            ),
            Self::Changed(path) => {
                write!(f, "{path} was changed after the bundle was made")
            }
            Self::State => f.write_str(
                "the state file of the lab is not the one that was handed out: it was edited, or comes from another hand-out",
            ),
            Self::Missing(path) => write!(f, "{path}, which was handed out, is missing"),
            Self::Cut { path, length, of } => write!(
                f,
                "{path} is cut short: it has the first {length} of its {of} bytes"
            ),
            Self::Other(path) => write!(f, "{path} is not the file that was handed out"),
            Self::Solution => {
                f.write_str("the student took the lab's solution, after the last hint")
            }
            Self::Journal(line) => write!(
                f,
                "the journal was not written by this student's hand-out from line {line} on: a line was changed, taken out or made up"
            ),
            Self::Clock => f.write_str(
                "the times in the journal run backwards: it was put together, or a clock was set back",
            ),
            Self::NeverPassed(item) => write!(
                f,
                "the state file says that {item} has passed, and no check in the journal saw that"
            ),
            Self::Prediction(question) => write!(
                f,
                "the first prediction of {question} in the journal is another one than in the state file"
            ),
            Self::FailsHere(item) => write!(
                f,
                "the journal says that {item} passed with these very files, and it fails here"
            ),
        }
    }
}
