//! A source file in steps: its items, one by one, and the notes that stand where the other protocol has one more.

use std::collections::VecDeque;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// One item of a file, with its documentation; or a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// The item: `Sealer`, or `Sealer::seal` for a function of a type. Empty for a note.
    pub(super) name: String,
    /// For a note ("No tag: see …"): the steps that are missing here.
    pub(super) missing: Vec<String>,
    /// The source.
    pub(super) lines: Vec<String>,
}

/// Steps that stand side by side: the same step of both, or steps of which the other file has none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) faithful: Vec<&'a Step>,
    pub(super) hardened: Vec<&'a Step>,
}

/// The title of a module's documentation.
const ABOUT: &str = "what it is";

/// Cuts a file into steps. Tests, imports and modules of the file are no steps.
pub(super) fn of(source: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut container = None;
    for lines in paragraphs(source) {
        let code = lines.iter().map(|line| line.trim_start());
        let mut code = code.filter(|line| is_code(line));
        let name = match code.next() {
            None if lines[0].starts_with("//!") => ABOUT.to_owned(),
            None => String::new(),
            Some(line) if is_no_step(line) => continue,
            Some(line) if !line.starts_with("impl") => {
                let name = item(line);
                match (&container, lines[0].starts_with(' ')) {
                    (Some(of), true) => format!("{of}::{name}"),
                    _ => name,
                }
            }
            Some(line) => {
                let of = implemented(line);
                container = Some(of.clone());
                match code.find(|line| line.contains("fn ")) {
                    Some(first) => format!("{of}::{}", item(first)),
                    None => of,
                }
            }
        };
        let missing = match name.is_empty() {
            true => missing(&lines),
            false => Vec::new(),
        };
        steps.push(Step {
            name,
            missing,
            lines,
        });
    }
    steps
}

/// Parts between blank lines, where these are between items and not inside one.
fn paragraphs(source: &str) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new()];
    let (mut depth, mut in_impl) = (0, false);
    for line in source.lines().take_while(|line| *line != "#[cfg(test)]") {
        let between_items = depth == 0 || (depth == 1 && in_impl);
        if line.is_empty() && between_items {
            parts.push(Vec::new());
            continue;
        }
        if depth == 0 {
            in_impl = line.starts_with("impl");
        }
        if !line.trim_start().starts_with("//") {
            depth += line.matches('{').count();
            depth = depth.saturating_sub(line.matches('}').count());
        }
        parts
            .last_mut()
            .expect("there is one")
            .push(line.to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Not a comment, not an attribute, not the end of something.
fn is_code(line: &str) -> bool {
    !["//", "#[", "}"].iter().any(|sign| line.starts_with(sign))
}

fn is_no_step(line: &str) -> bool {
    let line = line.trim_start_matches("pub(super) ");
    let line = line.trim_start_matches("pub ");
    ["use ", "mod ", "const _"]
        .iter()
        .any(|word| line.starts_with(word))
}

/// The name of the item that a line begins.
fn item(line: &str) -> String {
    const KINDS: [&str; 7] = ["struct", "enum", "fn", "const", "type", "trait", "static"];
    let mut words = line.split([' ', '(', '<', ':', ';', '=']);
    let kind = words.find(|word| KINDS.contains(word));
    // `const fn` is two words of this kind.
    let name = kind.and_then(|_| words.find(|word| !KINDS.contains(word)));
    name.unwrap_or(line.trim_end_matches(" {")).to_owned()
}

/// The type that `impl<D> Trait for Type<D> {` is of.
fn implemented(line: &str) -> String {
    let (of, trait_) = match line.split_once(" for ") {
        Some((head, of)) => (of, head.split([' ', '>']).next_back()),
        None => (line.trim_start_matches("impl").trim_start(), None),
    };
    let of = match of.starts_with('<') {
        true => of.split_once("> ").map_or(of, |(_, of)| of),
        false => of,
    };
    let name = of.split(['<', ' ', '{']).next().unwrap_or(of);
    match trait_.filter(|name| !name.is_empty()) {
        Some(what) => format!("{name} as {what}"),
        None => name.to_owned(),
    }
}

/// The names that a note says are missing: between each "No" and its colon.
fn missing(lines: &[String]) -> Vec<String> {
    let words = lines
        .iter()
        .filter_map(|line| line.trim_start().strip_prefix("//"));
    let words = words.map(str::trim);
    let text = words.collect::<Vec<_>>().join(" ");
    let mut names = Vec::new();
    for sentence in text.split(". ") {
        let Some(list) = sentence
            .strip_prefix("No ")
            .and_then(|rest| rest.split(':').next())
        else {
            continue;
        };
        let all = list.split(" and ").flat_map(|part| part.split(", "));
        names.extend(all.map(|name| name.trim_start_matches("no ").replace('`', "")));
    }
    names
}

/// Puts the steps of both files side by side.
pub(super) fn aligned<'a>(faithful: &'a [Step], hardened: &'a [Step]) -> Vec<Row<'a>> {
    // Two notes are never the same step.
    let key = |file, nth, step: &'a Step| match step.name.is_empty() {
        true => (file, nth, ""),
        false => (0, 0, step.name.as_str()),
    };
    let keys = |file, steps: &'a [Step]| -> Vec<(i32, usize, &'a str)> {
        (0..)
            .zip(steps)
            .map(|(nth, step)| key(file, nth, step))
            .collect()
    };
    let ops = capture_diff_slices(Algorithm::Myers, &keys(1, faithful), &keys(2, hardened));
    let mut rows: Vec<Row<'a>> = Vec::new();
    let mut apart: Option<Row<'a>> = None;
    for op in ops {
        let (ours, theirs) = (&faithful[op.old_range()], &hardened[op.new_range()]);
        if let DiffOp::Equal { .. } = op {
            rows.extend(apart.take().map(by_notes).into_iter().flatten());
            rows.extend(ours.iter().zip(theirs).map(|(left, right)| Row {
                faithful: vec![left],
                hardened: vec![right],
            }));
        } else {
            let row = apart.get_or_insert_default();
            row.faithful.extend(ours);
            row.hardened.extend(theirs);
        }
    }
    rows.extend(apart.map(by_notes).into_iter().flatten());
    rows
}

/// Puts each note beside the first step that it says is missing; other steps stand by themselves.
fn by_notes(row: Row<'_>) -> Vec<Row<'_>> {
    let mut notes: VecDeque<_> = row.faithful.into();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for step in row.hardened {
        let names = |note: &&Step| note.missing.iter().any(|name| step.is(name));
        let beside = notes.iter().position(names);
        let before = beside.map_or(0, |at| at + 1);
        let mut faithful: Vec<_> = notes.drain(..before).collect();
        let beside = faithful.pop();
        rows.extend(faithful.into_iter().map(Row::of_faithful));
        rows.push(Row {
            faithful: beside.into_iter().collect(),
            hardened: vec![step],
        });
    }
    rows.extend(notes.into_iter().map(Row::of_faithful));
    rows
}

impl<'a> Row<'a> {
    fn of_faithful(step: &'a Step) -> Self {
        Self {
            faithful: vec![step],
            hardened: Vec::new(),
        }
    }
}

impl Step {
    /// Whether this is the item of that name, or a function of it.
    fn is(&self, name: &str) -> bool {
        self.name.split([':', ' ']).any(|part| part == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHOUT: &str = "//! A box.\n\nuse x;\n\n/// Makes.\npub struct Sealer(Key);\n\nimpl Sealer {\n    /// New.\n    pub fn new() -> Self {\n        a();\n\n        b()\n    }\n\n    // No `tag`: nothing is checked. See there.\n}\n\n#[cfg(test)]\nmod tests {}\n";
    const WITH: &str = "//! A box.\n\n/// Makes.\npub struct Sealer(Key);\n\nimpl<D: Parts> Sealer<D> {\n    /// New.\n    pub fn new() -> Self {\n        a()\n    }\n\n    /// Proves.\n    pub const fn tag(&self) -> Tag {\n        c()\n    }\n}\n\nimpl Drop for Sealer {\n    fn drop(&mut self) {}\n}\n";

    #[test]
    fn items_are_steps_and_functions_are_named_with_their_type() {
        let names: Vec<String> = of(WITH).into_iter().map(|step| step.name).collect();
        let expected = [
            ABOUT,
            "Sealer",
            "Sealer::new",
            "Sealer::tag",
            "Sealer as Drop::drop",
        ];
        assert_eq!(names, expected);
        let note = of(WITHOUT).pop().unwrap();
        assert_eq!(
            (note.name.as_str(), note.missing),
            ("", vec!["tag".to_owned()])
        );
    }

    #[test]
    fn a_note_stands_beside_the_step_that_it_says_is_missing() {
        let (without, with) = (of(WITHOUT), of(WITH));
        let rows = aligned(&without, &with);
        let pairs: Vec<(usize, &str)> = rows
            .iter()
            .map(|row| (row.faithful.len(), row.hardened[0].name.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                (1, ABOUT),
                (1, "Sealer"),
                (1, "Sealer::new"),
                (1, "Sealer::tag"),
                (0, "Sealer as Drop::drop")
            ]
        );
        let steps = |of: fn(&Row<'_>) -> usize| rows.iter().map(of).sum::<usize>();
        assert_eq!(
            steps(|row| row.faithful.len()),
            without.len(),
            "none is lost"
        );
        assert_eq!(steps(|row| row.hardened.len()), with.len(), "none is lost");
    }

    #[test]
    fn a_note_may_name_several() {
        let lines = ["// No `A` and no `B`: x. No `C`, no `D`: y.".to_owned()];
        assert_eq!(missing(&lines), ["A", "B", "C", "D"]);
    }
}
