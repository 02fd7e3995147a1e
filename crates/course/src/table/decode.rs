//! From bytes to text: UTF-8 with or without its mark, and UTF-16 as spreadsheets write it.

use std::fmt;

use super::{TableError, TableFault};

/// How the characters of a file are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 that begins with a byte order mark, as spreadsheets write it.
    Utf8Marked,
    /// UTF-16, the low byte first: "Unicode text" of a spreadsheet.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Marked => "UTF-8 with a byte order mark",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        })
    }
}

/// The text of a file. Without a byte order mark it must be UTF-8: no other encoding is guessed.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, Encoding), TableError> {
    match bytes {
        [0xff, 0xfe, text @ ..] => Ok((utf16(text, u16::from_le_bytes)?, Encoding::Utf16Le)),
        [0xfe, 0xff, text @ ..] => Ok((utf16(text, u16::from_be_bytes)?, Encoding::Utf16Be)),
        [0xef, 0xbb, 0xbf, text @ ..] => Ok((utf8(text)?, Encoding::Utf8Marked)),
        text => Ok((utf8(text)?, Encoding::Utf8)),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, TableError> {
    let line_of = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let fault = |at, fault| TableError {
        line: line_of(at),
        fault,
    };
    // First: UTF-16 without its mark is valid UTF-8 as long as all characters are ASCII.
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(fault(at, TableFault::ZeroByte));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(fault(error.valid_up_to(), TableFault::NotUtf8)),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, TableError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut fault = None;
    for read in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match read {
            Ok('\0') => fault = Some(TableFault::ZeroByte),
            Ok(c) => text.push(c),
            Err(_) => fault = Some(TableFault::NotUtf16),
        }
        if fault.is_some() {
            break;
        }
    }
    if !odd.is_empty() {
        fault = fault.or(Some(TableFault::NotUtf16));
    }
    match fault {
        None => Ok(text),
        Some(fault) => Err(TableError {
            line: 1 + text.matches('\n').count(),
            fault,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, bytes: fn(u16) -> [u8; 2], mark: [u8; 2]) -> Vec<u8> {
        mark.into_iter()
            .chain(text.encode_utf16().flat_map(bytes))
            .collect()
    }

    #[test]
    fn every_encoding_of_a_spreadsheet_gives_the_same_text() {
        let text = "name\r\nŽofie 🦀\r\n";
        let cases = [
            (text.as_bytes().to_vec(), Encoding::Utf8),
            (
                [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
                Encoding::Utf8Marked,
            ),
            (
                units(text, u16::to_le_bytes, [0xff, 0xfe]),
                Encoding::Utf16Le,
            ),
            (
                units(text, u16::to_be_bytes, [0xfe, 0xff]),
                Encoding::Utf16Be,
            ),
        ];
        for (bytes, encoding) in cases {
            assert_eq!(decode(&bytes), Ok((text.to_owned(), encoding)));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        let whole = units("a\nb\n", u16::to_le_bytes, [0xff, 0xfe]);
        let half = [&whole[..], b"c"].concat();
        let lone = [&whole[..], &0xd800_u16.to_le_bytes()].concat();
        let cases: [(&[u8], usize, TableFault); 5] = [
            (b"a\nb\xe4r\n", 2, TableFault::NotUtf8),
            (b"a\n\nb\0", 3, TableFault::ZeroByte),
            (&whole[2..], 1, TableFault::ZeroByte),
            (&half, 3, TableFault::NotUtf16),
            (&lone, 3, TableFault::NotUtf16),
        ];
        for (bytes, line, fault) in cases {
            assert_eq!(decode(bytes), Err(TableError { line, fault }), "{bytes:?}");
        }
    }
}
