//! The hexadecimal input of `solve keystream`, as people write it.
//!
//! Besides "no panic": ciphertexts that were written in any of the spellings come back with their lines; a file of any bytes
//! means what a plain reader says, digit by digit, and an error names the line.

use arbitrary::{Arbitrary, Unstructured};
use latchstring_workbench::input::Input;

use super::either;

/// A file that was written by somebody.
#[derive(Debug, Arbitrary)]
struct Script {
    mark: bool,
    end: End,
    lines: Vec<Line>,
}

#[derive(Debug, Arbitrary)]
enum End {
    Unix,
    Windows,
    Mac,
}

#[derive(Debug, Arbitrary)]
enum Line {
    Empty,
    Comment(String),
    Bytes {
        spelling: u8,
        capitals: bool,
        comment: bool,
        bytes: Vec<u8>,
    },
}

/// What stands before a line, before each byte, between bytes, and behind the line.
const SPELLINGS: [[&str; 4]; 10] = [
    ["", "", "", ""],
    ["0x", "", "", ""],
    ["  ", "", " ", "\t"],
    ["", "", ":", ""],
    ["", "", "-", ""],
    ["", "\\x", "", ""],
    ["\"", "\\x", "", "\","],
    ["{", "0x", ", ", "};"],
    ["['", "", "", "']"],
    ["", "", "_", ","],
];

impl Line {
    fn write(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Comment(text) => format!("#{}", text.replace(['\n', '\r'], " ")),
            Self::Bytes {
                spelling,
                capitals,
                comment,
                bytes,
            } => {
                let [before, each, between, behind] =
                    SPELLINGS[usize::from(*spelling) % SPELLINGS.len()];
                let byte = |byte: &u8| match capitals {
                    true => format!("{each}{byte:02X}"),
                    false => format!("{each}{byte:02x}"),
                };
                let bytes: Vec<String> = bytes.iter().map(byte).collect();
                let comment = if *comment { " # 0g" } else { "" };
                format!("{before}{}{behind}{comment}", bytes.join(between))
            }
        }
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes { bytes, .. } => Some(bytes),
            _ => None,
        }
    }
}

/// Lines by their numbers.
type Lines = Vec<(usize, Vec<u8>)>;

/// Runs one input: a file of any bytes after a byte below 128, else a script.
pub fn run(data: &[u8]) {
    either::run(data, any, written);
}

fn written(script: &[u8]) {
    let Ok(mut script) = Script::arbitrary(&mut Unstructured::new(script)) else {
        return;
    };
    // A line of no bytes says nothing, or is refused: that is for the other reader.
    script.lines.retain(|line| line.bytes() != Some(&[]));
    let end = match script.end {
        End::Unix => "\n",
        End::Windows => "\r\n",
        End::Mac => "\r",
    };
    let mut text = String::from(if script.mark { "\u{feff}" } else { "" });
    for line in &script.lines {
        text += &(line.write() + end);
    }
    let bytes = |(number, line): (usize, &Line)| Some((number, line.bytes()?.to_vec()));
    let expected: Lines = (1..).zip(&script.lines).filter_map(bytes).collect();
    assert_eq!(read(text.as_bytes()).as_ref(), Ok(&expected), "{text:?}");
}

fn any(bytes: &[u8]) {
    let utf_16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    match (read(bytes), plain(bytes)) {
        (Ok(lines), Ok(plain)) => assert!(!utf_16 && lines == plain, "{lines:?} {plain:?}"),
        (Err(error), _) if utf_16 => assert!(error.contains("UTF-16"), "{error}"),
        (Err(error), Err(line)) => assert!(error.contains(&format!("line {line} of")), "{error}"),
        (read, plain) => panic!("{read:?} where the plain reader has {plain:?}"),
    }
}

fn read(bytes: &[u8]) -> Result<Lines, String> {
    let (name, bytes) = ("a file".to_owned(), bytes.to_vec());
    let lines = Input { name, bytes }.hexadecimal();
    let lines = lines.map_err(|error| format!("{error:#}"))?;
    Ok((lines.into_iter())
        .map(|line| (line.number, line.bytes))
        .collect())
}

/// The same, one byte after the other; the number of the first wrong line.
fn plain(bytes: &[u8]) -> Result<Lines, usize> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Windows' two ends become one, then the Mac's become Unix's.
    let mut unix = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        match (byte, text.get(at + 1)) {
            (b'\r', Some(b'\n')) => {}
            (b'\r', _) => unix.push(b'\n'),
            (byte, _) => unix.push(*byte),
        }
    }
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(unix.split(|byte| *byte == b'\n')) {
        let line: Vec<u8> = line
            .iter()
            .copied()
            .take_while(|byte| *byte != b'#')
            .collect();
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        lines.push((number, plain_line(line.trim_ascii()).ok_or(number)?));
    }
    Ok(lines)
}

/// Words of pairs of digits, each with an `x` or `0x` before it or without.
fn plain_line(line: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut word) = (Vec::new(), Vec::new());
    for byte in line.iter().chain(b" ") {
        match byte {
            b' ' | b'\t' | b':' | b',' | b';' | b'-' | b'_' | b'"' | b'\'' | b'[' | b']' | b'{'
            | b'}' | b'\\' => {
                if matches!(&word[..], [b'0', b'x' | b'X', ..]) {
                    word.remove(0);
                }
                if matches!(&word[..], [b'x' | b'X', ..]) {
                    word.remove(0);
                }
                for pair in word.chunks(2) {
                    let [high, low] = pair else { return None };
                    let digit = |byte: &u8| char::from(*byte).to_digit(16);
                    bytes.push((digit(high)? * 16 + digit(low)?) as u8);
                }
                word.clear();
            }
            byte => word.push(*byte),
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}
