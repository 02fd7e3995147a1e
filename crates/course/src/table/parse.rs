//! From text to rows.

use std::{iter::Peekable, str::Chars};

use super::{Row, Separator, TableError, TableFault};

/// The separator that a spreadsheet's first line `sep=;` declares, and where the next line begins.
pub(super) fn declared(text: &str) -> Option<(Separator, usize)> {
    let rest = text.strip_prefix("sep=").or(text.strip_prefix("SEP="))?;
    let separator = (Separator::ALL.into_iter()).find(|one| rest.starts_with(one.as_char()))?;
    let behind = &rest[1..];
    let next = behind.trim_start_matches(['\r', '\n']);
    let ends = behind.starts_with(['\r', '\n']);
    ends.then_some((separator, text.len() - next.len()))
}

/// The separator that occurs most in the first line, outside quotes.
pub(super) fn separator(text: &str) -> Separator {
    let mut inside = false;
    let first = text.chars().take_while(|c| {
        inside ^= *c == '"';
        inside || !matches!(c, '\r' | '\n')
    });
    let first: String = first.collect();
    let outside: String = first.split('"').step_by(2).collect();
    let count = |one: &Separator| outside.matches(one.as_char()).count();
    let most = Separator::ALL.iter().map(count).max().unwrap_or_default();
    let mut found = Separator::ALL.into_iter().filter(|one| count(one) == most);
    match most {
        0 => Separator::Comma,
        _ => found.next().unwrap_or(Separator::Comma),
    }
}

/// All rows of a text, blank ones included.
pub(super) fn rows(text: &str, separator: Separator) -> Result<Vec<Row>, TableError> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        separator: separator.as_char(),
        line: 1,
    };
    let mut rows = Vec::new();
    while reader.rest.peek().is_some() {
        rows.push(reader.row()?);
    }
    Ok(rows)
}

/// What ended a cell.
#[derive(PartialEq, Eq)]
enum End {
    Separator,
    Row,
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    separator: char,
    line: usize,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Row, TableError> {
        let (line, mut cells) = (self.line, Vec::new());
        loop {
            let (cell, end) = self.cell(cells.len() + 1)?;
            cells.push(cell);
            if end == End::Row {
                return Ok(Row { line, cells });
            }
        }
    }

    fn cell(&mut self, number: usize) -> Result<(String, End), TableError> {
        let mut cell = String::new();
        loop {
            match self.next() {
                None | Some('\n') => return Ok((cell, End::Row)),
                Some(c) if c == self.separator => return Ok((cell, End::Separator)),
                Some('"') if cell.trim().is_empty() => {
                    cell = self.quoted()?;
                    return Ok((cell, self.end_of_quoted(number)?));
                }
                Some(c) => cell.push(c),
            }
        }
    }

    /// The text up to the closing quote; the opening one was read.
    fn quoted(&mut self) -> Result<String, TableError> {
        let (line, mut cell) = (self.line, String::new());
        loop {
            match self.next() {
                None => {
                    let fault = TableFault::OpenQuote;
                    return Err(TableError { line, fault });
                }
                Some('"') if self.rest.peek() == Some(&'"') => {
                    self.rest.next();
                    cell.push('"');
                }
                Some('"') => return Ok(cell),
                Some(c) => cell.push(c),
            }
        }
    }

    /// Behind a closing quote only spaces may stand.
    fn end_of_quoted(&mut self, number: usize) -> Result<End, TableError> {
        let line = self.line;
        loop {
            match self.next() {
                None | Some('\n') => return Ok(End::Row),
                Some(c) if c == self.separator => return Ok(End::Separator),
                Some(' ') => {}
                Some(_) => {
                    let fault = TableFault::AfterQuote { cell: number };
                    return Err(TableError { line, fault });
                }
            }
        }
    }

    /// The next character. Each of the three line ends in use (CRLF, LF, CR) is one `\n`.
    fn next(&mut self) -> Option<char> {
        let c = match self.rest.next()? {
            '\r' => {
                self.rest.next_if_eq(&'\n');
                '\n'
            }
            c => c,
        };
        self.line += usize::from(c == '\n');
        Some(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, separator: Separator) -> Vec<Vec<String>> {
        let rows = rows(text, separator).unwrap().into_iter();
        rows.map(|row| row.cells).collect()
    }

    #[test]
    fn quotes_and_line_ends_are_read_as_they_are_meant() {
        let text = "a,\"b, \"\"c\"\"\",\r\n\"two\r\nlines\" , \"x\"\rlast,5\" pipe,";
        let expected = [
            vec!["a", "b, \"c\"", ""],
            vec!["two\nlines", "x"],
            vec!["last", "5\" pipe", ""],
        ];
        assert_eq!(cells(text, Separator::Comma), expected);
        let lines: Vec<usize> = (rows(text, Separator::Comma).unwrap().iter())
            .map(|row| row.line)
            .collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn a_quote_in_the_wrong_place_is_an_error_with_its_line() {
        for (text, line, fault) in [
            ("a,b\nc,\"d\ne,f\n", 2, TableFault::OpenQuote),
            ("a\nb,\"c\"d\n", 2, TableFault::AfterQuote { cell: 2 }),
            ("\"a\"\"", 1, TableFault::OpenQuote),
        ] {
            let error = rows(text, Separator::Comma).unwrap_err();
            assert_eq!(error, TableError { line, fault }, "{text:?}");
        }
    }

    #[test]
    fn the_separator_is_counted_outside_quotes_in_the_first_line() {
        for (text, expected) in [
            ("name,email\na;b;c", Separator::Comma),
            ("name;email", Separator::Semicolon),
            ("name\temail, private", Separator::Tab),
            ("\"a,b,c\";d", Separator::Semicolon),
            ("\"a\n,,,\";d", Separator::Semicolon),
            ("Muster, Anna;anna@uni.example", Separator::Semicolon),
            ("anna@uni.example", Separator::Comma),
            ("", Separator::Comma),
        ] {
            assert_eq!(separator(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_declared_separator_is_no_row() {
        assert_eq!(declared("sep=;\r\na,b;c"), Some((Separator::Semicolon, 7)));
        assert_eq!(declared("sep=|\na"), None);
        assert_eq!(declared("sep=,x\na"), None);
    }
}
