//! A list in one file, ordered by hash.
//!
//! Lines have different lengths, so the search goes over bytes. Reading a little tells which line is the first one that
//! begins at a byte or after it. The later the byte, the higher the hash.

use std::{fs::File, io, os::unix::fs::FileExt};

use super::entry::{Entry, Fault, LONGEST};

/// Digits of a SHA-1.
const DIGITS: usize = 40;
/// So many lines are looked at when the program starts.
const SAMPLES: u64 = 256;
/// Some editors begin a text with this mark.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The file, which is never loaded.
pub(super) struct Ordered {
    file: File,
    length: u64,
}

/// A line, and where the next one begins.
struct Line {
    start: u64,
    next: u64,
    entry: Entry,
}

impl Ordered {
    pub(super) fn new(file: File, length: u64) -> Self {
        Self { file, length }
    }

    /// Looks at lines from all over the file, and at the last ones: their form and their order.
    pub(super) fn check(&self) -> Result<(), (String, Fault)> {
        let mut before: Option<Entry> = None;
        let mut ascends = |line: &Line| {
            let falls = before
                .as_ref()
                .is_some_and(|before| before.hash > line.entry.hash);
            before = Some(line.entry.clone());
            if falls { Err(Fault::Order) } else { Ok(()) }
        };
        let at = |place: u64| move |fault: Fault| (format!(" (near byte {place})"), fault);
        let none = || (String::new(), Fault::Empty);
        self.line_from(0).map_err(at(0))?.ok_or_else(none)?;
        let tail = self.length.saturating_sub(4 * LONGEST as u64);
        for sample in 0..SAMPLES {
            let place = u64::try_from(u128::from(tail) * u128::from(sample) / u128::from(SAMPLES));
            let place = place.unwrap_or(tail);
            if let Some(line) = self.line_from(place).map_err(at(place))? {
                ascends(&line).map_err(at(line.start))?;
            }
        }
        let mut place = tail;
        while let Some(line) = self.line_from(place).map_err(at(place))? {
            ascends(&line).map_err(at(line.start))?;
            place = line.next;
        }
        Ok(())
    }

    /// Whether a line has this hash, of 40 digits in upper case.
    pub(super) fn contains(&self, hash: &[u8]) -> Result<bool, Fault> {
        let (mut low, mut high) = (0, self.length);
        // The line from `high` on is not before the hash; the line from any byte below `low` is.
        while low < high {
            let middle = low + (high - low) / 2;
            match self.line_from(middle)? {
                Some(line) if line.entry.hash.as_slice() < hash => low = line.start + 1,
                _ => high = middle,
            }
        }
        let found = self.line_from(low)?;
        Ok(found.is_some_and(|line| line.entry.is(hash)))
    }

    /// The first line that begins at this byte or after it.
    fn line_from(&self, at: u64) -> Result<Option<Line>, Fault> {
        // From the byte before on: if that is a newline, a line begins here.
        let from = at.saturating_sub(1);
        let bytes = self.read(from).map_err(Fault::Io)?;
        let ends_here = bytes.len() < 2 * LONGEST;
        let skipped = match at {
            0 => 0,
            _ => match newline(&bytes) {
                Some(end) => end + 1,
                None if ends_here => return Ok(None),
                None => return Err(Fault::Line),
            },
        };
        let rest = &bytes[skipped..];
        if rest.is_empty() && ends_here {
            return Ok(None);
        }
        let (line, next) = match newline(rest) {
            Some(end) => (&rest[..end], end + 1),
            None if ends_here => (rest, rest.len()),
            None => return Err(Fault::Line),
        };
        let start = from + skipped as u64;
        let marked = if start == 0 {
            line.strip_prefix(BYTE_ORDER_MARK)
        } else {
            None
        };
        let entry = Entry::parse(marked.unwrap_or(line), DIGITS)?;
        let next = start + next as u64;
        Ok(Some(Line { start, next, entry }))
    }

    /// Two lines' worth of bytes, or fewer at the end of the file.
    fn read(&self, from: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 2 * LONGEST];
        let mut filled = 0;
        while filled < bytes.len() {
            match self
                .file
                .read_at(&mut bytes[filled..], from + filled as u64)
            {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

fn newline(bytes: &[u8]) -> Option<usize> {
    let within = &bytes[..bytes.len().min(LONGEST + 1)];
    within.iter().position(|byte| *byte == b'\n')
}
