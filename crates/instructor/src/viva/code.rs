//! A question about lines that the student's program has and the start does not.

use std::{fs, ops::Range};

use latchstring_classroom::{bundle::Bundle, replay::Replay, trial::Options};
use similar::{ChangeTag, TextDiff};

use super::{Question, checked, failures};

/// So many lines can be talked about.
const MOST_LINES: usize = 12;

/// The lines that are asked about.
struct Piece {
    path: String,
    /// The file without them, as it was at the start.
    start: String,
    /// The lines, with their numbers.
    lines: Vec<(usize, String)>,
}

/// Asks for the largest piece that the student has written. Runs the check with the file and with the start in its place.
pub(super) async fn question(
    replay: &mut Replay,
    bundle: &Bundle,
    options: &Options<'_>,
) -> anyhow::Result<Option<Question>> {
    let with = failures(&checked(replay, options).await?);
    let Some(piece) = largest(replay, bundle)? else {
        return Ok(None);
    };
    fs::write(replay.student.folder.join(&piece.path), &piece.start)?;
    let without = failures(&checked(replay, options).await?);
    let new: Vec<&String> = without.iter().filter(|line| !with.contains(line)).collect();
    let answer = match new.as_slice() {
        [] => "The check finds no difference when the whole file is as it was at the start. Ask why the lines are there."
            .to_owned(),
        new => {
            let new: Vec<&str> = new.iter().map(|line| line.as_str()).collect();
            format!(
                "With {} as it was at the start, the check says: {}",
                piece.path,
                new.join("; ")
            )
        }
    };
    Ok(Some(Question {
        about: "Your program".to_owned(),
        text: format!(
            "These lines of {} are yours. What do they do, and what does the check say without them?",
            piece.path
        ),
        lines: piece.lines,
        answer,
    }))
}

/// The largest piece of all files that both the start and the student have.
fn largest(replay: &Replay, bundle: &Bundle) -> anyhow::Result<Option<Piece>> {
    let folder = tempfile::tempdir()?;
    let student = &replay.student;
    student
        .lab
        .lay_out("start", student.language()?, folder.path())?;
    let mut largest: Option<Piece> = None;
    for (path, bytes) in &bundle.files {
        let start = fs::read_to_string(folder.path().join(path));
        let (Ok(start), Ok(text)) = (start, std::str::from_utf8(bytes)) else {
            continue;
        };
        let lines = new_lines(&start, text);
        if lines.len() > largest.as_ref().map_or(0, |piece| piece.lines.len()) {
            largest = Some(Piece {
                path: path.clone(),
                start,
                lines,
            });
        }
    }
    Ok(largest.map(|mut piece| {
        piece.lines.truncate(MOST_LINES);
        piece
    }))
}

/// The longest run of lines that are new, with their numbers.
fn new_lines(start: &str, text: &str) -> Vec<(usize, String)> {
    let diff = TextDiff::from_lines(start, text);
    let mut best: Range<usize> = 0..0;
    let mut run = 0..0;
    for change in diff.iter_all_changes() {
        let Some(line) = change.new_index() else {
            continue;
        };
        run = match change.tag() {
            ChangeTag::Insert if run.end == line && !run.is_empty() => run.start..line + 1,
            ChangeTag::Insert => line..line + 1,
            _ => 0..0,
        };
        if run.len() > best.len() {
            best = run.clone();
        }
    }
    let lines = text.lines().enumerate();
    let lines = lines.skip(best.start).take(best.len());
    lines.map(|(at, line)| (at + 1, line.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_of_new_lines_is_asked_about() {
        let start = "a\nb\nc\nd\n";
        let lines = new_lines(start, "a\nx\nb\ny\nz\nc\nd\n");
        let numbers: Vec<usize> = lines.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [4, 5]);
        assert_eq!(lines[0].1, "y");
        assert!(new_lines(start, start).is_empty());
    }
}
