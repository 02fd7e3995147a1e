//! Two columns of source, folded to the width of the terminal.

use anstyle::{AnsiColor, Effects, Style};
use similar::{DiffTag, TextDiff};

const HEADING: Style = Style::new().bold();
const EQUAL: Style = Style::new().effects(Effects::DIMMED);
const FAITHFUL: Style = AnsiColor::Red.on_default();
const HARDENED: Style = AnsiColor::Green.on_default();
/// Between the columns.
const BAR: &str = " | ";
/// Narrower columns are unreadable: then one text stands below the other.
const LEAST: usize = 36;
/// A line that is folded goes on this far to the right of where it began.
const HANGING: usize = 2;

/// How the texts are shown.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    /// Columns of the terminal.
    pub(super) width: usize,
    /// Whether colours are wanted.
    pub(super) colour: bool,
    /// Leave out lines that are the same in both.
    pub(super) differences: bool,
}

impl Sheet {
    /// A separate line.
    pub(super) fn heading(self, text: &str) -> Vec<String> {
        let lines = folded(text, self.width);
        lines
            .into_iter()
            .map(|line| self.styled(HEADING, &line))
            .collect()
    }

    /// Two short texts, one above each column.
    pub(super) fn titles(self, left: &str, right: &str) -> Vec<String> {
        self.rows(
            &[(left.to_owned(), HEADING)],
            &[(right.to_owned(), HEADING)],
        )
    }

    /// Two texts, line beside line: equal lines are side by side.
    pub(super) fn texts(self, left: &[String], right: &[String]) -> Vec<String> {
        if left.is_empty() || right.is_empty() {
            return self.rows(&all(left, FAITHFUL), &all(right, HARDENED));
        }
        let old: Vec<&str> = left.iter().map(String::as_str).collect();
        let new: Vec<&str> = right.iter().map(String::as_str).collect();
        let diff = TextDiff::from_slices(&old, &new);
        let mut out = Vec::new();
        for op in diff.ops() {
            let (left, right) = (&left[op.old_range()], &right[op.new_range()]);
            if op.tag() != DiffTag::Equal {
                out.extend(self.rows(&all(left, FAITHFUL), &all(right, HARDENED)));
            } else if self.differences {
                let equal = match left.len() {
                    1 => "(1 equal line)".to_owned(),
                    n => format!("({n} equal lines)"),
                };
                out.extend(self.rows(&[(equal.clone(), EQUAL)], &[(equal, EQUAL)]));
            } else {
                out.extend(self.rows(&all(left, EQUAL), &all(right, EQUAL)));
            }
        }
        out
    }

    /// Columns side by side, or one below the other where they would be too narrow.
    fn rows(self, left: &[(String, Style)], right: &[(String, Style)]) -> Vec<String> {
        let column = (self.width.saturating_sub(BAR.len())) / 2;
        if column < LEAST {
            let below = |mark: &str, lines: &[(String, Style)]| -> Vec<String> {
                let width = self.width.saturating_sub(mark.len());
                let cells = cells(lines, width);
                let line =
                    |(text, style): (String, Style)| format!("{mark}{}", self.styled(style, &text));
                cells.into_iter().map(line).collect()
            };
            return [below("< ", left), below("> ", right)].concat();
        }
        let (left, right) = (cells(left, column), cells(right, column));
        let nothing = (String::new(), Style::new());
        let row = |nth: usize| {
            let (text, style) = left.get(nth).unwrap_or(&nothing);
            let padding = column.saturating_sub(textwrap::core::display_width(text));
            let (other, other_style) = right.get(nth).unwrap_or(&nothing);
            let row = format!(
                "{}{:padding$}{BAR}{}",
                self.styled(*style, text),
                "",
                self.styled(*other_style, other)
            );
            row.trim_end().to_owned()
        };
        (0..left.len().max(right.len())).map(row).collect()
    }

    fn styled(self, style: Style, text: &str) -> String {
        match self.colour && !text.is_empty() {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

fn all(lines: &[String], style: Style) -> Vec<(String, Style)> {
    lines.iter().map(|line| (line.clone(), style)).collect()
}

fn cells(lines: &[(String, Style)], width: usize) -> Vec<(String, Style)> {
    let folded = |(line, style): &(String, Style)| {
        let style = *style;
        folded(line, width)
            .into_iter()
            .map(move |line| (line, style))
    };
    lines.iter().flat_map(folded).collect()
}

/// A line of source, folded at spaces. The rest is indented like the line, behind its comment sign if it has one.
fn folded(line: &str, width: usize) -> Vec<String> {
    if textwrap::core::display_width(line) <= width {
        return vec![line.to_owned()];
    }
    let text = line.trim_start();
    let indent = " ".repeat((line.len() - text.len()).min(width / 2));
    let sign = ["/// ", "//! ", "// "]
        .into_iter()
        .find(|sign| text.starts_with(sign));
    let rest = match sign {
        Some(sign) => format!("{indent}{sign}"),
        None => format!("{indent}{:HANGING$}", ""),
    };
    let options = textwrap::Options::new(width)
        .initial_indent(&indent)
        .subsequent_indent(&rest)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let lines = textwrap::wrap(text, options).into_iter();
    lines.map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn sheet(width: usize, differences: bool) -> Sheet {
        Sheet {
            width,
            colour: false,
            differences,
        }
    }

    #[test]
    fn equal_lines_stand_side_by_side_and_can_be_left_out() {
        let (left, right) = (lines("same\nold"), lines("same\nnew\nmore"));
        let shown = sheet(83, false).texts(&left, &right);
        assert_eq!(shown[0], format!("{:40} | same", "same"));
        assert_eq!(shown[1], format!("{:40} | new", "old"));
        assert_eq!(shown[2], format!("{:40} | more", ""));
        let shown = sheet(83, true).texts(&left, &right);
        assert_eq!(
            shown[0],
            format!("{:40} | (1 equal line)", "(1 equal line)")
        );
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        let long = lines(&format!(
            "    /// {}\n    let x = {};",
            "word ".repeat(40),
            "f(1) ".repeat(40)
        ));
        for width in [40, 80, 100, 160] {
            for row in sheet(width, false).texts(&long, &long[..1]) {
                assert!(
                    textwrap::core::display_width(&row) <= width,
                    "{width}: {row}"
                );
            }
        }
        assert!(folded(&long[0], 40)[1].starts_with("    /// word"));
    }

    #[test]
    fn where_two_columns_are_too_narrow_one_stands_below_the_other() {
        let shown = sheet(60, false).texts(&lines("old"), &lines("new"));
        assert_eq!(shown, ["< old", "> new"]);
    }
}
