//! One part as the text of a message: `latchstring-file/1 SHA256 LENGTH NUMBER/COUNT NAME BASE64`.
//!
//! Each part has exactly one text. So the parser refuses another spelling of a number, of the hash or of base64.

use std::fmt;

use base64ct::{Base64Unpadded, Encoding};
use latchstring_protocol::hardened::message::MAX_TEXT;
use thiserror::Error;

use crate::{Head, MAX_FILE, MAX_NAME, MAX_PARTS, Name, PART_BYTES};

/// How the text of a part begins. Another text is no part.
pub const MARK: &str = "latchstring-file/";
/// The version of this format.
const VERSION: &str = "1";

// The longest part fits into a message.
const _: () = assert!(
    MARK.len()
        + VERSION.len()
        + 5
        + 64
        + digits(MAX_FILE)
        + 2 * digits(MAX_PARTS)
        + 1
        + MAX_NAME
        + PART_BYTES / 3 * 4
        <= MAX_TEXT
);

const fn digits(n: usize) -> usize {
    n.ilog10() as usize + 1
}

/// One part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub head: Head,
    /// Its number, from 1 to [`Head::count`].
    pub number: u32,
    /// Its bytes: [`Head::part_length`] of them.
    pub bytes: Vec<u8>,
}

/// The fault of a text that begins like a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PartError {
    /// The sender is newer than this program.
    #[error("its format is not latchstring-file/1; use a newer program")]
    Version,
    /// Too few or too many fields.
    #[error("it does not have exactly six fields with one space between them")]
    Fields,
    /// The field with the hash.
    #[error("its hash is not 64 digits of 0-9 and a-f")]
    Hash,
    /// The field with the length.
    #[error("its length is not a number from 1 to {MAX_FILE}")]
    Length,
    /// The field with number and count.
    #[error("its number is not NUMBER/COUNT, or does not fit to its length")]
    Number,
    /// The field with the name.
    #[error("its file name has a character or a length that is not allowed")]
    Name,
    /// The field with the bytes.
    #[error("its bytes are not in base64, or have the wrong length")]
    Bytes,
}

impl Part {
    /// Reads the text of a message. `None` is a text that does not begin with [`MARK`], and so is no part of a file.
    ///
    /// # Errors
    /// [`PartError`].
    pub fn parse(text: &str) -> Result<Option<Self>, PartError> {
        let Some(text) = text.strip_prefix(MARK) else {
            return Ok(None);
        };
        let mut fields = text.split(' ');
        if fields.next() != Some(VERSION) {
            return Err(PartError::Version);
        }
        let mut next = || fields.next().ok_or(PartError::Fields);
        let [sha256, length, number, name, bytes] = [next()?, next()?, next()?, next()?, next()?];
        if fields.next().is_some() {
            return Err(PartError::Fields);
        }
        let head = head(sha256, length, name)?;
        let number = number_of(&head, number)?;
        let bytes = bytes_of(bytes, head.part_length(number))?;
        Ok(Some(Self {
            head,
            number,
            bytes,
        }))
    }
}

fn head(sha256: &str, length: &str, name: &str) -> Result<Head, PartError> {
    let mut hash = [0; 32];
    let lower_case = sha256.bytes().all(|b| !b.is_ascii_uppercase());
    (hex::decode_to_slice(sha256, &mut hash).ok())
        .filter(|()| lower_case)
        .ok_or(PartError::Hash)?;
    let length = decimal(length).ok_or(PartError::Length)?;
    let name = Name::new(name).map_err(|_| PartError::Name)?;
    Head::new(name, hash, length.into()).map_err(|_| PartError::Length)
}

fn number_of(head: &Head, text: &str) -> Result<u32, PartError> {
    let (number, count) = text.split_once('/').ok_or(PartError::Number)?;
    let (number, count) = (decimal(number), decimal(count));
    number
        .filter(|number| (1..=head.count()).contains(number) && count == Some(head.count()))
        .ok_or(PartError::Number)
}

/// A number in its only spelling: digits, without a sign and without zeros before it.
fn decimal(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Room is made for the text that is there, and not for a length that it claims.
fn bytes_of(text: &str, length: usize) -> Result<Vec<u8>, PartError> {
    if Base64Unpadded::encoded_len(&[0; PART_BYTES][..length]) != text.len() {
        return Err(PartError::Bytes);
    }
    Base64Unpadded::decode_vec(text).map_err(|_| PartError::Bytes)
}

/// The text of the message.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            head,
            number,
            bytes,
        } = self;
        let (sha256, length) = (head.sha256_hex(), head.length());
        let (count, name) = (head.count(), head.name());
        let bytes = Base64Unpadded::encode_string(bytes);
        write!(
            f,
            "{MARK}{VERSION} {sha256} {length} {number}/{count} {name} {bytes}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020";

    fn parsed(fields: &str) -> Result<Option<Part>, PartError> {
        Part::parse(&format!("latchstring-file/{fields}"))
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let text = format!("1 {HASH} 13 1/1 a.txt aGVsbG8sIHdvcmxkCg");
        let part = parsed(&text).unwrap().unwrap();
        assert_eq!(part.bytes, b"hello, world\n");
        assert_eq!((part.number, part.head.length()), (1, 13));
        assert_eq!(part.to_string(), format!("latchstring-file/{text}"));
    }

    #[test]
    fn another_text_is_no_part() {
        for text in [
            "",
            "hello",
            " latchstring-file/1",
            "Latchstring-file/1",
            "latchstring-file",
        ] {
            assert_eq!(Part::parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn each_fault_of_a_part_is_named() {
        let upper = HASH.to_uppercase();
        for (fields, why) in [
            ("", PartError::Version),
            ("2 x", PartError::Version),
            ("1", PartError::Fields),
            ("1 H 13 1/1 a", PartError::Fields),
            ("1 H 13 1/1 a aGVsbG8sIHdvcmxkCg more", PartError::Fields),
            ("1  H 13 1/1 a aGVsbG8sIHdvcmxkCg", PartError::Fields),
            ("1 h 13 1/1 a aGVsbG8sIHdvcmxkCg", PartError::Hash),
            ("1 U 13 1/1 a aGVsbG8sIHdvcmxkCg", PartError::Hash),
            ("1 H 0 1/1 a aGVsbG8sIHdvcmxkCg", PartError::Length),
            ("1 H 013 1/1 a aGVsbG8sIHdvcmxkCg", PartError::Length),
            ("1 H +13 1/1 a aGVsbG8sIHdvcmxkCg", PartError::Length),
            (
                "1 H 16777217 1/1399 a aGVsbG8sIHdvcmxkCg",
                PartError::Length,
            ),
            (
                "1 H 99999999999 1/1 a aGVsbG8sIHdvcmxkCg",
                PartError::Length,
            ),
            ("1 H 13 1 a aGVsbG8sIHdvcmxkCg", PartError::Number),
            ("1 H 13 0/1 a aGVsbG8sIHdvcmxkCg", PartError::Number),
            ("1 H 13 2/1 a aGVsbG8sIHdvcmxkCg", PartError::Number),
            ("1 H 13 1/2 a aGVsbG8sIHdvcmxkCg", PartError::Number),
            ("1 H 13 1/1 ../a aGVsbG8sIHdvcmxkCg", PartError::Name),
            ("1 H 13 1/1 a aGVsbG8sIHdvcmxkCg=", PartError::Bytes),
            ("1 H 13 1/1 a aGVsbG8sIHdvcmxkC", PartError::Bytes),
            ("1 H 13 1/1 a aGVsbG8sIHdvcmxkCh", PartError::Bytes),
            ("1 H 13 1/1 a aGVsbG8sIHdvcmxk-g", PartError::Bytes),
            ("1 H 13 1/1 a aGVsbG8sIHdvcmx\u{e9}g", PartError::Bytes),
        ] {
            let fields = fields.replace('H', HASH).replace('U', &upper);
            assert_eq!(parsed(&fields), Err(why), "{fields}");
        }
    }
}
