//! Files of comma-separated values: [`Table::read`] takes them apart, [`line()`] and [`cell()`] write them.
//!
//! Reading is strict. A quoted cell that does not end would swallow the rest of a class in one cell, so it is an error with
//! its line. Many readers accept such a file, which is why this one is written here ([RFC 4180]).
//!
//! [RFC 4180]: https://www.rfc-editor.org/rfc/rfc4180

use std::fmt;

use thiserror::Error;

mod decode;
mod parse;
mod write;

pub use decode::Encoding;
pub use write::{cell, harmless, line, original};

/// The character between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`, as spreadsheets write where the comma is the decimal sign.
    Semicolon,
    /// The tab character.
    Tab,
}

impl Separator {
    /// Tried in this order: of two that occur equally often, the comma is the one that also occurs in names.
    const ALL: [Self; 3] = [Self::Tab, Self::Semicolon, Self::Comma];

    /// The character itself.
    pub const fn as_char(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
        })
    }
}

/// One line of a table. A quoted cell can hold line ends, so a row may take several lines of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file in which the row begins, counted from 1.
    pub line: usize,
    /// The cells, without their quotes.
    pub cells: Vec<String>,
}

impl Row {
    /// The cell in this column without white space around it; empty if the row is shorter.
    pub fn get(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }

    /// Whether the row holds nothing but separators and white space.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// A file of comma-separated values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// How the characters are stored.
    pub encoding: Encoding,
    /// What stands between the cells.
    pub separator: Separator,
    /// All rows that are not blank.
    pub rows: Vec<Row>,
}

impl Table {
    /// Takes a file apart. The separator is the one that occurs most in the first line, outside quotes.
    ///
    /// # Errors
    /// When the bytes are not UTF-8 or UTF-16, or a quoted cell is not well formed; with the line.
    pub fn read(bytes: &[u8]) -> Result<Self, TableError> {
        let (text, encoding) = decode::decode(bytes)?;
        let (separator, skipped) = match parse::declared(&text) {
            Some((separator, behind)) => (separator, behind),
            None => (parse::separator(&text), 0),
        };
        let mut rows = parse::rows(&text[skipped..], separator)?;
        for row in &mut rows {
            row.line += usize::from(skipped > 0);
        }
        rows.retain(|row| !row.is_blank());
        Ok(Self {
            encoding,
            separator,
            rows,
        })
    }
}

/// Why a file is no table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct TableError {
    /// The line of the file, counted from 1.
    pub line: usize,
    /// The fault in this line.
    pub fault: TableFault,
}

/// What is wrong in one line of a table.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableFault {
    /// Most often an older encoding, such as the one of "CSV" in a spreadsheet for Windows.
    #[error(
        "a character is not UTF-8; open the file in a spreadsheet or an editor and save it as \"CSV UTF-8\""
    )]
    NotUtf8,
    /// Half a character at the end, or half a surrogate pair.
    #[error("a character is not UTF-16; export the file again, or save it as \"CSV UTF-8\"")]
    NotUtf16,
    /// Text has no zero bytes. UTF-16 has them, but then the file should begin with its mark.
    #[error(
        "the file holds a zero byte, so it is not text; export it again as CSV, not as a spreadsheet"
    )]
    ZeroByte,
    /// The quotes are open until the end of the file.
    #[error("a quoted cell begins here and does not end; close it with \"")]
    OpenQuote,
    /// Text between a closing quote and the next separator.
    #[error(
        "text follows the closing quote of cell {cell}; write a quote inside a quoted cell twice (\"\")"
    )]
    AfterQuote {
        /// The cell, counted from 1.
        cell: usize,
    },
}
