//! The terms of a new course, with a comment for each line.

use latchstring_classroom::catalogue::Lab;

/// A new course's terms, with every lab, and the rest as comments.
pub fn template(course: &str, term: &str, labs: &[Lab]) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let labs: String = labs
        .iter()
        .map(|lab| format!("    {},\n", text(&lab.id)))
        .collect();
    format!(
        r#"# The terms of the course. `latchstring course` reads this file.
# Answers are derived from the names `course` and `term`: do not change them after the hand-out.
course = {}
term = {}

# The labs, in any order. Take out what your course does not have.
labs = [
{labs}]

# The language in which every student begins: "python" or "rust". Without it, the first language of each lab.
# language = "rust"

# How students get the program `latchstring`, for the file that they read first. Without it, they read how to build it from the
# project, and that you say where the project is.
# program = "Clone https://git.example/latchstring, and run `cargo build --release` in it."

# Deadlines, with the distance from UTC. A lab without a deadline is never late.
[due]
# 01-say-the-name = 2026-11-27T18:00:00+01:00

# What a late submission loses. A begun day counts in full: with 20 percent a day, 3 hours late loses 20, and 25 hours 40.
# With 0 percent a day, late work loses nothing. After so many `days` a file does not count; without them, it always does.
[late]
grace-minutes = 15
percent-a-day = 0
# days = 7

# Other points than those of the labs: [points.LAB], and a line for each question or check.
# [points.01-say-the-name]
# admitted = 10
# who-gets-in = 0.5
"#,
        text(course),
        text(term),
    )
}
