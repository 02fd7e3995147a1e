//! Where a capture's bytes come from: a file, standard input, compressed or not. The bytes are read once, from front to
//! back.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use super::Packets;
use crate::{CaptureError, gzip};

/// How much is read from the operating system at a time, in bytes.
const BUFFER: usize = 1 << 18;

/// The first bytes of captures: pcapng, and pcap in both byte orders. Pcap has variants with microseconds, with
/// nanoseconds and with the longer packet headers of one old program.
pub const MAGICS: [[u8; 4]; 7] = [
    [0x0a, 0x0d, 0x0d, 0x0a],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
    [0x34, 0xcd, 0xb2, 0xa1],
];

/// Whether a file that begins like this is a capture, or a compressed file that may hold one.
pub fn is_capture(first: &[u8]) -> bool {
    first.starts_with(&gzip::MAGIC) || MAGICS.iter().any(|magic| first.starts_with(magic))
}

/// The packets of a file; `-` is standard input. A gzip file is unpacked on the way, never as a whole.
///
/// # Errors
/// When the file cannot be read, or does not begin like a capture.
pub fn open(path: &Path) -> Result<Packets<Box<dyn Read + Send>>, CaptureError> {
    if path == Path::new("-") {
        return unpacked("standard input", io::stdin());
    }
    let io = |source| CaptureError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    };
    let file = File::open(path).map_err(io)?;
    if file.metadata().map_err(io)?.is_dir() {
        return Err(io(io::ErrorKind::IsADirectory.into()));
    }
    unpacked(&path.display().to_string(), file)
}

fn unpacked(
    name: &str,
    from: impl Read + Send + 'static,
) -> Result<Packets<Box<dyn Read + Send>>, CaptureError> {
    let mut from = BufReader::with_capacity(BUFFER, from);
    let mut first = Vec::new();
    let read = (&mut from)
        .take(gzip::MAGIC.len() as u64)
        .read_to_end(&mut first);
    read.map_err(|source| CaptureError::Io {
        path: PathBuf::from(name),
        doing: "read",
        source,
    })?;
    let reader: Box<dyn Read + Send> = match first == gzip::MAGIC {
        true => {
            let unpacking = gzip::Unpacking::behind_magic(from);
            Box::new(BufReader::with_capacity(BUFFER, unpacking))
        }
        false => Box::new(io::Cursor::new(first).chain(from)),
    };
    Packets::of(name, reader)
}

/// Bytes with a name and a place.
#[derive(Debug)]
pub(super) struct Input<R> {
    name: String,
    from: R,
    /// How many bytes were taken: where in the file the next one is.
    pub(super) offset: u64,
    /// The bytes that were examined and not taken.
    peeked: Vec<u8>,
    /// The bytes that were taken last.
    taken: Vec<u8>,
    /// Whether a compressed file ended too early.
    pub(super) broken: bool,
}

impl<R: Read> Input<R> {
    pub(super) fn of(name: &str, from: R) -> Self {
        Self {
            name: name.to_owned(),
            from,
            offset: 0,
            peeked: Vec::new(),
            taken: Vec::new(),
            broken: false,
        }
    }

    /// The first four bytes, or as many as there are; the next [`Self::take`] gives them again.
    pub(super) fn peek(&mut self) -> Result<Vec<u8>, CaptureError> {
        let read = (&mut self.from).take(4).read_to_end(&mut self.peeked);
        read.map_err(|source| self.io(source))?;
        Ok(self.peeked.clone())
    }

    /// The next `len` bytes, or as many as there are. Memory grows with the available bytes, not with `len`.
    pub(super) fn take(&mut self, len: usize) -> Result<&[u8], CaptureError> {
        self.taken.clear();
        self.more(len)
    }

    /// Like [`Self::take`], behind what was taken before.
    pub(super) fn more(&mut self, len: usize) -> Result<&[u8], CaptureError> {
        const AT_ONCE: usize = 1 << 16;
        let begin = self.taken.len();
        let again = self.peeked.len().min(len);
        self.taken.extend(self.peeked.drain(..again));
        while self.taken.len() - begin < len {
            let at = self.taken.len();
            let wanted = (len - (at - begin)).min(AT_ONCE);
            self.taken.resize(at + wanted, 0);
            let read = self.read_at(at);
            let read = read.inspect_err(|_| self.taken.truncate(at))?;
            self.taken.truncate(at + read);
            if read < wanted {
                break;
            }
        }
        self.offset += (self.taken.len() - begin) as u64;
        Ok(&self.taken)
    }

    /// Fills what was taken from `at` on; how many bytes came before the end.
    fn read_at(&mut self, at: usize) -> Result<usize, CaptureError> {
        let mut filled = at;
        while filled < self.taken.len() {
            match self.from.read(&mut self.taken[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A compressed file that ends too early is a capture that ends too early.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.broken = true;
                    break;
                }
                Err(source) => return Err(self.io(source)),
            }
        }
        Ok(filled - at)
    }

    /// The name of the input in errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes that were taken last.
    pub(super) fn taken(&self) -> &[u8] {
        &self.taken
    }

    /// Passes over `len` bytes; how many there were.
    pub(super) fn skip(&mut self, len: u64) -> Result<u64, CaptureError> {
        let skipped = io::copy(&mut (&mut self.from).take(len), &mut io::sink());
        let skipped = skipped.map_err(|source| self.io(source))?;
        self.offset += skipped;
        Ok(skipped)
    }

    fn io(&self, source: io::Error) -> CaptureError {
        CaptureError::Io {
            path: PathBuf::from(&self.name),
            doing: "read",
            source,
        }
    }

    /// The input ended early: the last read `needed` this number of bytes and had `left`.
    pub(super) fn truncated(&self, what: &'static str, needed: u64, left: usize) -> CaptureError {
        CaptureError::Truncated {
            file: self.name.clone(),
            offset: (self.offset as usize).saturating_sub(left),
            what,
            needed,
            left,
        }
    }

    /// The structure at this offset is malformed.
    pub(super) fn malformed(&self, offset: u64, why: &'static str) -> CaptureError {
        CaptureError::Malformed {
            file: self.name.clone(),
            offset: offset as usize,
            why,
        }
    }
}
