//! One line of a list: `HASH:COUNT`, where COUNT is how often the password was seen.

use std::{fmt, io};

/// A line with a count of 20 digits, and its end. No line of a list is longer.
pub(super) const LONGEST: usize = 64;

/// What is wrong with a list. Says nothing about the password that was looked for.
#[derive(Debug)]
pub(super) enum Fault {
    /// The operating system says no.
    Io(io::Error),
    /// No list has such a line.
    Line,
    /// A list that is ordered by count, for example.
    Order,
    /// A range without a file.
    Missing,
    /// Nothing at all, as after a download that failed.
    Empty,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(why) => why.fmt(f),
            Self::Line => f.write_str(
                "is no list of breached passwords: a line is not hexadecimal digits, a colon and a count",
            ),
            Self::Order => f.write_str("is not ordered by hash"),
            Self::Missing => f.write_str("is not complete: a range has no file"),
            Self::Empty => f.write_str("is empty"),
        }
    }
}

/// A hash, and how often its password was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Digits in upper case.
    pub(super) hash: Vec<u8>,
    pub(super) count: u64,
}

impl Entry {
    /// Reads a line without its newline.
    pub(super) fn parse(line: &[u8], digits: usize) -> Result<Self, Fault> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (hash, count) = line.split_at_checked(digits).ok_or(Fault::Line)?;
        let count = count.strip_prefix(b":").ok_or(Fault::Line)?;
        let count = std::str::from_utf8(count)
            .ok()
            .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        let count = count.and_then(|text| text.parse().ok());
        match count.filter(|_| hash.iter().all(u8::is_ascii_hexdigit)) {
            Some(count) => Ok(Self {
                hash: hash.to_ascii_uppercase(),
                count,
            }),
            None => Err(Fault::Line),
        }
    }

    /// Whether this is the password. Those with a count of 0 only hide how long an answer is.
    pub(super) fn is(&self, hash: &[u8]) -> bool {
        self.hash == hash && self.count > 0
    }
}
