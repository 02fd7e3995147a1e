//! The inputs of people: files from any system, standard input, compressed files, and hexadecimal in all its spellings.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use latchstring_capture::gzip;

/// Nothing that these commands read is longer, compressed or not.
const LONGEST: u64 = 256 << 20;
/// The bytes that Windows programs put in front of text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The same in front of text in units of two bytes.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Bytes, and where they came from.
#[derive(Debug)]
pub struct Input {
    /// For messages.
    pub name: String,
    /// The content, unpacked.
    pub bytes: Vec<u8>,
}

impl Input {
    /// Reads a file, or the standard input for `-`; unpacks gzip.
    ///
    /// # Errors
    /// If it cannot be read, is no file, or is longer than 256 MiB.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let (name, bytes) = match path.to_str() {
            Some("-") => ("standard input".to_owned(), limited(io::stdin().lock())),
            _ => (path.display().to_string(), from_file(path)),
        };
        let bytes = bytes.with_context(|| format!("cannot read {name}"))?;
        let bytes = match bytes.strip_prefix(&gzip::MAGIC) {
            Some(packed) => limited(gzip::Unpacking::behind_magic(packed))
                .with_context(|| format!("cannot unpack {name}"))?,
            None => bytes,
        };
        Ok(Self { name, bytes })
    }

    /// The text without a byte order mark.
    ///
    /// # Errors
    /// If it is UTF-16, which editors write that call it Unicode.
    pub(crate) fn text(&self) -> Result<&[u8]> {
        ensure!(
            !UTF_16.iter().any(|mark| self.bytes.starts_with(mark)),
            "{} is UTF-16 text: save it as UTF-8 or ASCII",
            self.name
        );
        let marked = self.bytes.strip_prefix(BYTE_ORDER_MARK);
        Ok(marked.unwrap_or(&self.bytes))
    }

    /// The lines that are neither empty nor a comment (`#`), with their numbers, from 1. Lines may end as on any system.
    ///
    /// # Errors
    /// If it is UTF-16.
    pub(crate) fn lines(&self) -> Result<Vec<(usize, &[u8])>> {
        let (text, mut lines, mut start) = (self.text()?, Vec::new(), 0);
        let mut add = |line| lines.push(line);
        for (at, &byte) in text.iter().enumerate() {
            let end = byte == b'\n' || (byte == b'\r' && text.get(at + 1) != Some(&b'\n'));
            if end {
                add(&text[start..at]);
                start = at + 1;
            }
        }
        add(&text[start..]);
        let lines = (1..).zip(lines.into_iter().map(without_comment));
        Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
    }

    /// One string of bytes a line.
    ///
    /// # Errors
    /// The first line that is not hexadecimal, and why.
    pub fn hexadecimal(&self) -> Result<Vec<Line>> {
        let decode = |(number, line): (usize, &[u8])| {
            let bytes = hexadecimal(line).with_context(|| {
                format!(
                    "line {number} of {} is not hexadecimal: put one ciphertext on each line, such as 0a1b2c",
                    self.name
                )
            })?;
            Ok(Line { number, bytes })
        };
        self.lines()?.into_iter().map(decode).collect()
    }
}

/// One line of a file of hexadecimal.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1, with the lines that hold nothing.
    pub number: usize,
    /// The bytes of the digits.
    pub bytes: Vec<u8>,
}

fn from_file(path: &Path) -> Result<Vec<u8>> {
    // A pipe is fine; a terminal or /dev/zero is a slip.
    let about = fs::metadata(path)?;
    ensure!(!about.is_dir(), "it is a directory");
    limited(File::open(path)?)
}

fn limited(from: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= LONGEST,
        "it holds more than {} MiB",
        LONGEST >> 20
    );
    Ok(bytes)
}

fn without_comment(line: &[u8]) -> &[u8] {
    let comment = line.iter().position(|&byte| byte == b'#');
    line[..comment.unwrap_or(line.len())].trim_ascii()
}

/// Reads bytes as people write them: `0a1B`, `0x0a1b`, `0a 1b`, `0a:1b`, `0a-1b`, `\x0a\x1b`, `0x0a, 0x1b`, in quotes or
/// brackets or without.
///
/// # Errors
/// The fault of the text.
pub(crate) fn hexadecimal(text: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let separates = |byte: &u8| b" \t:,;-_\"'[]{}\\".contains(byte);
    for word in text.split(separates).filter(|word| !word.is_empty()) {
        let digits = match word {
            [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => digits,
            digits => digits,
        };
        if let Some(wrong) = digits.iter().find(|byte| !byte.is_ascii_hexdigit()) {
            bail!("{:?} is no hexadecimal digit", char::from(*wrong));
        }
        ensure!(
            digits.len().is_multiple_of(2),
            "it has an odd number of digits: {} where each byte takes two",
            digits.len()
        );
        bytes.extend(hex::decode(digits)?);
    }
    ensure!(!bytes.is_empty(), "it holds no bytes");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn input(bytes: &[u8]) -> Input {
        Input {
            name: "x.hex".to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn bytes_are_read_in_every_spelling() {
        for text in [
            "0a1bff",
            "0A1BFF",
            "0x0a1bff",
            "0X0A1bFf",
            "0a 1b ff",
            "0a:1b:ff",
            "0A-1B-FF",
            "\\x0a\\x1b\\xff",
            "0x0a, 0x1b, 0xff,",
            "{0x0a,0x1b,0xff}",
            "\"0a1bff\",",
            "'0a1bff'",
            "b'\\x0a\\x1b\\xff'".trim_start_matches('b'),
            "[\"0a1bff\"]",
            "0a1b_ff",
            "  0a1bff\t",
        ] {
            assert_eq!(
                hexadecimal(text.as_bytes()).unwrap(),
                [10, 27, 255],
                "{text}"
            );
        }
        for (text, why) in [
            ("0a1", "odd number of digits: 3"),
            ("0a 1", "odd number of digits: 1"),
            ("0g", "'g' is no hexadecimal digit"),
            ("hello", "is no hexadecimal digit"),
            ("0x", "no bytes"),
            ("caf\u{e9}", "is no hexadecimal digit"),
        ] {
            let error = hexadecimal(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn lines_end_as_on_any_system_and_comments_are_no_lines() {
        let expected = [
            Line {
                number: 2,
                bytes: vec![10],
            },
            Line {
                number: 4,
                bytes: vec![11],
            },
        ];
        for end in ["\n", "\r\n", "\r"] {
            for mark in ["", "\u{feff}"] {
                let text = ["# intercepted", "0a", "", "0b # the second", ""].join(end);
                let read = input(format!("{mark}{text}").as_bytes()).hexadecimal();
                assert_eq!(read.unwrap(), expected, "{end:?} {mark:?}");
            }
        }
        let wide: Vec<u8> = "\u{feff}0a"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let error = input(&wide).hexadecimal().unwrap_err().to_string();
        assert!(error.contains("UTF-16"), "{error}");
        let error = format!("{:#}", input(b"0a\n\n0\n").hexadecimal().unwrap_err());
        assert!(
            error.contains("line 3 of x.hex") && error.contains("odd"),
            "{error}"
        );
    }

    #[test]
    fn a_compressed_file_is_unpacked_and_a_directory_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.hex.gz");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(b"0a0b\n").unwrap();
        let mut packed = packed.finish().unwrap();
        fs::write(&path, &packed).unwrap();
        assert_eq!(Input::read(&path).unwrap().bytes, b"0a0b\n");
        packed.truncate(packed.len() - 5);
        fs::write(&path, &packed).unwrap();
        let error = Input::read(&path).unwrap_err().to_string();
        assert!(error.starts_with("cannot unpack"), "{error}");
        let error = format!("{:#}", Input::read(folder.path()).unwrap_err());
        assert!(error.contains("is a directory"), "{error}");
        let endless = format!("{:#}", limited(io::repeat(0)).unwrap_err());
        assert!(endless.contains("256 MiB"), "{endless}");
    }
}
