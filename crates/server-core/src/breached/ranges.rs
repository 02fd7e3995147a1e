//! A list as a directory: a file for the first five digits of a hash, with the other 35 of each.

use std::{io, path::Path};

use latchstring_net::files;

use super::entry::{Entry, Fault};

/// Digits of a SHA-1 in the name of a file, and in its lines.
const PREFIX: usize = 5;
const SUFFIX: usize = 35;
/// The ranges of the public list have some 50 KiB.
const MAX_FILE: usize = 1024 * 1024;

/// The directory.
pub(super) struct Ranges<'a>(pub(super) &'a Path);

impl Ranges<'_> {
    /// Looks at the first range, the last one, and 14 others.
    pub(super) fn check(&self) -> Result<(), (String, Fault)> {
        for digit in "0123456789ABCDEF".chars() {
            let prefix = digit.to_string().repeat(PREFIX);
            let at = |fault| (format!(" (range {prefix})"), fault);
            if self.range(&prefix).map_err(at)?.is_empty() {
                return Err(at(Fault::Empty));
            }
        }
        Ok(())
    }

    /// Whether a line has this hash, of 40 digits in upper case.
    pub(super) fn contains(&self, hash: &[u8]) -> Result<bool, Fault> {
        let (prefix, suffix) = hash.split_at_checked(PREFIX).ok_or(Fault::Line)?;
        let prefix = std::str::from_utf8(prefix).map_err(|_| Fault::Line)?;
        let entries = self.range(prefix)?;
        Ok(entries.iter().any(|entry| entry.is(suffix)))
    }

    /// All of a range. The downloader writes `ABCDE.txt`, and others leave the ending out.
    fn range(&self, prefix: &str) -> Result<Vec<Entry>, Fault> {
        let lower = prefix.to_ascii_lowercase();
        for name in [prefix, &lower] {
            for name in [format!("{name}.txt"), name.to_owned()] {
                match files::read(&self.0.join(name), MAX_FILE + 1) {
                    Ok((bytes, _)) if bytes.len() > MAX_FILE => return Err(Fault::Line),
                    Ok((bytes, _)) => return parse(&bytes),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(Fault::Io(error)),
                }
            }
        }
        Err(Fault::Missing)
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<Entry>, Fault> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let lines = bytes.trim_ascii_end().split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| Entry::parse(line, SUFFIX))
        .collect()
}
