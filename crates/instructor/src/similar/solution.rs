//! Code that is the lab's own solution: it is public, and a student can also take it after the last hint.

use std::collections::BTreeSet;

use latchstring_classroom::catalogue::Lab;

use super::code::is_code;

/// Fewer lines that are not in the start code are no evidence: there is often one way to write them.
const FEWEST: usize = 4;

/// The solution of a lab, as far as it is code.
pub(super) struct Solution {
    /// Each file of it, as its lines.
    files: BTreeSet<Vec<String>>,
    /// All lines that students begin with.
    start: BTreeSet<String>,
}

impl Solution {
    pub(super) fn of(lab: &Lab) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let below = |part: &'static str| {
            let files = lab.files.iter();
            files
                .filter(move |(path, _)| path.starts_with(part) && is_code(&path.to_string_lossy()))
        };
        let solution = below("solution").map(|(_, bytes)| lines(&text(bytes)));
        let peers = lab
            .peers
            .iter()
            .filter(|(path, _)| is_code(&path.to_string_lossy()));
        let start = below("start").chain(peers);
        Self {
            files: solution.collect(),
            start: start.flat_map(|(_, bytes)| lines(&text(bytes))).collect(),
        }
    }

    /// How many lines of a file are not in the start code, if the file equals one of the solution. `None` if it does not, or if it
    /// has only a few such lines.
    pub(super) fn lines_of(&self, path: &str, bytes: &[u8]) -> Option<usize> {
        let text = std::str::from_utf8(bytes).ok().filter(|_| is_code(path))?;
        let lines = lines(text);
        if !self.files.contains(&lines) {
            return None;
        }
        let own = lines
            .iter()
            .filter(|line| !self.start.contains(*line))
            .count();
        (own >= FEWEST).then_some(own)
    }
}

/// The lines of a program without spaces, and without lines that are only a comment.
fn lines(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<String>());
    let comment =
        |line: &String| line.starts_with('#') && !line.starts_with("#[") || line.starts_with("//");
    lines
        .filter(|line| !line.is_empty() && !comment(line))
        .collect()
}
