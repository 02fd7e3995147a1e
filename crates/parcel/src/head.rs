//! What each part says about its file: hash, length, name. The number of parts follows from the length.

use std::{fmt, str::FromStr};

use latchstring_protocol::hardened::primitives::hash;
use thiserror::Error;

/// The bytes of the file in each part except the last one. Divisible by three, so that base64 needs no padding.
pub const PART_BYTES: usize = 12_000;
/// The longest file, in bytes: 16 MiB.
pub const MAX_FILE: usize = 16 << 20;
/// The number of parts of the longest file.
pub const MAX_PARTS: usize = MAX_FILE.div_ceil(PART_BYTES);
/// The longest name, in bytes.
pub const MAX_NAME: usize = 100;

/// The name of a file: letters, digits, `.`, `_` and `-`, with a letter or a digit first.
///
/// A name comes from a stranger and becomes the name of a file on another machine. So it cannot be a path, hide a file,
/// look like an option of a program, or control a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// The fault of a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the file name {0:?} cannot be sent: use 1 to {MAX_NAME} letters (a-z, A-Z), digits, '.', '_' and '-', with a letter or a digit first"
)]
pub struct NameError(pub String);

impl Name {
    /// Checks the grammar.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let begins = name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        if begins && name.len() <= MAX_NAME && name.bytes().all(plain) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NameError(name.chars().take(MAX_NAME + 1).collect()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

/// A file that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SizeError {
    /// An empty file is a mistake more often than a message.
    #[error(
        "the file is empty, and a file to send has 1 to {MAX_FILE} bytes; check that it is the right file"
    )]
    Empty,
    /// Above the limit.
    #[error(
        "the file has {0} bytes, and a file to send has at most {MAX_FILE}; send less, or compress it"
    )]
    TooLong(u64),
}

/// The file that a part belongs to. Two parts with equal heads are parts of one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Head {
    name: Name,
    sha256: [u8; 32],
    length: u32,
}

impl Head {
    /// The head of a file with these bytes.
    ///
    /// # Errors
    /// [`SizeError`].
    pub fn of(name: Name, bytes: &[u8]) -> Result<Self, SizeError> {
        Self::new(name, hash(&[bytes]), bytes.len() as u64)
    }

    /// The head of a file with this hash and length.
    ///
    /// # Errors
    /// [`SizeError`].
    pub fn new(name: Name, sha256: [u8; 32], length: u64) -> Result<Self, SizeError> {
        match u32::try_from(length) {
            Ok(0) => Err(SizeError::Empty),
            Ok(length) if length as usize <= MAX_FILE => Ok(Self {
                name,
                sha256,
                length,
            }),
            _ => Err(SizeError::TooLong(length)),
        }
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// SHA-256 of the file.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The hash as `sha256sum` prints it.
    pub fn sha256_hex(&self) -> String {
        hex::encode(self.sha256)
    }

    /// The length of the file in bytes, 1 to [`MAX_FILE`].
    pub fn length(&self) -> usize {
        self.length as usize
    }

    /// The number of parts, 1 to [`MAX_PARTS`].
    pub fn count(&self) -> u32 {
        self.length.div_ceil(PART_BYTES as u32)
    }

    /// The number of bytes in part `number`, which counts from 1; 0 for a part that the file does not have.
    pub fn part_length(&self, number: u32) -> usize {
        match (number, self.count()) {
            (0, _) => 0,
            (number, count) if number < count => PART_BYTES,
            (number, count) if number == count => self.length() - (count as usize - 1) * PART_BYTES,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_no_option_and_no_command_for_a_terminal() {
        for good in ["a", "7", "hand-in.tar.gz", "Lab_01.zip", &"x".repeat(100)] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(101);
        for bad in [
            "",
            ".",
            "..",
            ".bashrc",
            "-rf",
            "a/b",
            "a b",
            "a\nb",
            "a\\b",
            "über",
            "\u{1b}[2J",
            &long,
        ] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_parts_have_the_length_of_the_file_together() {
        for length in [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, MAX_FILE] {
            let head = Head::new(Name::new("f").unwrap(), [0; 32], length as u64).unwrap();
            let parts = (1..=head.count()).map(|number| head.part_length(number));
            assert_eq!(parts.sum::<usize>(), length);
            assert_eq!(head.part_length(0) + head.part_length(head.count() + 1), 0);
            assert!(head.count() as usize <= MAX_PARTS);
        }
    }

    #[test]
    fn an_empty_file_and_one_above_the_limit_are_refused() {
        let head = |length| Head::new(Name::new("f").unwrap(), [0; 32], length);
        assert_eq!(head(0), Err(SizeError::Empty));
        for length in [MAX_FILE as u64 + 1, u64::from(u32::MAX), 1 << 32, u64::MAX] {
            assert_eq!(head(length), Err(SizeError::TooLong(length)));
        }
    }
}
