//! From cells to a line, so that a spreadsheet shows a cell and never runs it.
//!
//! A spreadsheet takes a cell for a formula that begins with `=`, `+`, `-` or `@`, also with the wide forms of these
//! characters. A student can choose such a name, and the instructor opens the file: [CSV injection]. [`harmless`] writes an
//! apostrophe in front, and [`original`] takes it away again. So what a person edits reads back equal.
//!
//! [CSV injection]: https://owasp.org/www-community/attacks/CSV_Injection

use super::Separator;

/// Characters that begin a formula, ASCII and wide.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet could take this for a formula. Some skip white space at the beginning, and some control characters.
fn is_formula(text: &str) -> bool {
    let skipped = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let rest = text.trim_start_matches(skipped);
    rest.starts_with(FORMULA) || text.starts_with(|c: char| c.is_control())
}

/// The text with an apostrophe in front if a spreadsheet could take it for a formula.
pub fn harmless(text: &str) -> String {
    match is_formula(text.trim_start_matches('\'')) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// What [`harmless`] was given.
pub fn original(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

/// A cell with quotes where it needs them. Every separator in use needs them: a spreadsheet may split at another one than
/// the file has. `a;=1+1` must not become two cells.
pub fn cell(text: &str) -> String {
    let edge = text.starts_with(' ') || text.ends_with(' ');
    match edge || text.contains([',', ';', '\t', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// A row of a file, with its line end (CRLF, as RFC 4180 asks).
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>, separator: Separator) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    let mut line = cells.join(separator.as_char().encode_utf8(&mut [0; 4]));
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    #[test]
    fn no_text_begins_as_a_formula() {
        for (text, written) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            (" =1", "' =1"),
            ("\t=1", "'\t=1"),
            ("\u{feff}=1", "'\u{feff}=1"),
            ("'=1", "''=1"),
            ("O'Neil", "O'Neil"),
            ("'tis", "'tis"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), written);
            assert_eq!(original(written), text);
        }
    }

    #[test]
    fn a_cell_stays_one_cell_whatever_a_spreadsheet_splits_at() {
        let hostile = ["a;=1+1", "b\t=1", "c,\"=1\"", "two\nlines", " edge"];
        for separator in [Separator::Comma, Separator::Semicolon, Separator::Tab] {
            let text = line(hostile, separator);
            let table = Table::read(text.as_bytes()).unwrap();
            assert_eq!(table.rows[0].cells, hostile, "{separator}");
        }
        assert_eq!(line(["a", ""], Separator::Comma), "a,\r\n");
    }
}
