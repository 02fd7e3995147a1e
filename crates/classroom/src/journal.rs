//! The journal of a hand-out: what a student did with `latchstring lab`, and when. It goes with what is handed in.
//!
//! Each line is JSON with a mark at its end, HMAC-SHA-256 under the hand-out's key over the mark before it and the line. So a
//! line cannot be changed, taken out or moved without the key. The key is in the student's hands: a journal is evidence to
//! look at, and no proof. What a student earns never depends on it.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    time::SystemTime,
};

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use latchstring_course::moment::Moment;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{hand_out::HandOut, seed::Seed};

/// Its name in a student's folder.
pub const FILE: &str = ".latchstring.journal";
/// The limit on its size, in bytes. More is not written down.
pub const LARGEST: u64 = 1 << 20;
/// A pause that is longer than this is no work, in minutes.
const PAUSE: u32 = 20;

/// One thing that a student did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, by the clock of the student's machine.
    pub at: Moment,
    /// What.
    pub did: Deed,
}

/// What a student did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Deed {
    /// Predicted.
    Predicted {
        /// The question.
        question: String,
        /// The letter of the option.
        letter: char,
    },
    /// Took the hint of this number.
    Hint(usize),
    /// Ran a check.
    Check {
        /// What passed.
        passed: Vec<String>,
        /// The hash of the files that were checked.
        files: String,
    },
    /// Took the lab's solution, after the last hint.
    Solution,
    /// Began again.
    Reset,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    entry: Entry,
    mark: String,
}

/// The journal as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// The entries in front of the first line with a wrong mark.
    pub entries: Vec<Entry>,
    /// The number of the first line that this hand-out's program did not write in this place; the first is 1.
    pub broken: Option<usize>,
}

impl Journal {
    /// Reads a journal that was written with this hand-out.
    pub fn read(text: &str, hand_out: &HandOut) -> Self {
        let mut journal = Self::default();
        let mut before = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            let read = serde_json::from_str::<Line>(line).ok();
            let right = |line: &Line| mark(hand_out, &before, &line.entry) == line.mark;
            let Some(line) = read.filter(right) else {
                journal.broken = Some(number);
                break;
            };
            before = line.mark;
            journal.entries.push(line.entry);
        }
        journal
    }

    /// Whether a check saw this pass.
    pub fn saw_pass(&self, item: &str) -> bool {
        self.entries.iter().any(|entry| match &entry.did {
            Deed::Check { passed, .. } => passed.iter().any(|passed| passed == item),
            _ => false,
        })
    }

    /// The last check of these files: what passed.
    pub fn last_check_of(&self, hash: &str) -> Option<&[String]> {
        let mut checks = self
            .entries
            .iter()
            .rev()
            .filter_map(|entry| match &entry.did {
                Deed::Check { passed, files } => Some((passed, files)),
                _ => None,
            });
        let found = checks.find(|(_, files)| *files == hash);
        found.map(|(passed, _)| passed.as_slice())
    }

    /// The first prediction of a question.
    pub fn prediction(&self, wanted: &str) -> Option<char> {
        self.entries.iter().find_map(|entry| match &entry.did {
            Deed::Predicted { question, letter } if question == wanted => Some(*letter),
            _ => None,
        })
    }

    /// Whether the student took the lab's solution.
    pub fn took_solution(&self) -> bool {
        self.entries.iter().any(|entry| entry.did == Deed::Solution)
    }

    /// How many minutes the student worked. A long pause is no work.
    pub fn minutes(&self) -> u32 {
        let pairs = self.entries.windows(2);
        let gaps = pairs.map(|pair| pair[1].at.minutes_after(&pair[0].at));
        gaps.filter(|minutes| *minutes <= PAUSE).sum()
    }

    /// Whether an entry is older than the one before it.
    pub fn runs_backwards(&self) -> bool {
        self.entries.windows(2).any(|pair| pair[1].at < pair[0].at)
    }
}

/// Writes down what the student of a course did, now. A journal that cannot be written stops nobody: the work counts, and not
/// the journal.
pub fn note(folder: &Path, hand_out: &HandOut, did: Deed) {
    let at = Moment::at(SystemTime::now());
    let _ = add(folder, hand_out, &Entry { at, did });
}

/// Adds an entry.
///
/// # Errors
/// When the file cannot be read or written, or is full.
pub fn add(folder: &Path, hand_out: &HandOut, entry: &Entry) -> anyhow::Result<()> {
    let path = folder.join(FILE);
    let failed = || format!("cannot write {}", path.display());
    let lock = fs::File::open(folder);
    // Some file systems have no locks; then two commands at once are a student's own risk.
    let _lock = lock.inspect(|folder| drop(folder.lock()));
    let text = match fs::metadata(&path) {
        Ok(about) if about.len() > LARGEST => return Ok(()),
        Ok(_) => fs::read_to_string(&path).with_context(failed)?,
        Err(_) => String::new(),
    };
    let last = text.lines().next_back().unwrap_or_default();
    let before =
        serde_json::from_str::<Line>(last).map_or_else(|_| String::new(), |line| line.mark);
    let line = Line {
        mark: mark(hand_out, &before, entry),
        entry: entry.clone(),
    };
    let line = serde_json::to_string(&line)? + "\n";
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .with_context(failed)
}

fn mark(hand_out: &HandOut, before: &str, entry: &Entry) -> String {
    let entry = serde_json::to_string(entry).unwrap_or_default();
    sealed(&hand_out.seal, &["journal", before, &entry])
}

/// HMAC-SHA-256 under the key of a hand-out, in hex.
pub(super) fn sealed(key: &Seed, parts: &[&str]) -> String {
    let key = key.mac_key();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        unreachable!("HMAC takes keys of every length");
    };
    for part in parts {
        // The length in front keeps the parts apart.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    hex::encode(mac.finalize().into_bytes())
}
