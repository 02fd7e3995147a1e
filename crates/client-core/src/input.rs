//! Lines from the standard input, each a message, and not a byte more than the lines that were taken.
//!
//! After any end of the session, the rest of the input is still there for the next reader. So a file's position is
//! moved behind each line that was taken. From a pipe or a socket one byte is read at a time, since no byte can be put
//! back. One byte at a time costs two system calls for each byte, which is less than the flush to the disk for each
//! message.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Seek, SeekFrom, stdin},
    os::{fd::AsFd, unix::fs::FileExt},
    thread,
    time::Duration,
};

use latchstring_net::{print::is_ready, protocol::hardened::message::MAX_TEXT};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The longest line that a Linux terminal hands over while it edits lines itself; it drops the rest without a word.
const TERMINAL_LINE: usize = 4095;
/// This many bytes of a file are looked at together.
const CHUNK: usize = 64 * 1024;

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A message.
    Text(String),
    /// More than [`MAX_TEXT`] bytes, and how many; they were skipped, not kept.
    TooLong(u64),
    /// So long that the terminal may have cut it.
    MayBeCut,
    /// Not UTF-8.
    NotUtf8,
}

/// Reads lines and never holds more than one message's worth.
#[derive(Debug)]
pub struct Lines {
    input: Input,
    line: Vec<u8>,
    /// Bytes of this line that were not kept because it is too long.
    skipped: u64,
    taken: u64,
    is_terminal: bool,
}

#[derive(Debug)]
enum Input {
    /// Read without moving its position, which moves when a line is taken.
    File {
        file: File,
        at: u64,
        chunk: Vec<u8>,
        used: usize,
    },
    /// A pipe, a socket, a terminal or another device.
    Stream(Watched),
}

impl Lines {
    /// Reads the standard input.
    ///
    /// # Errors
    /// When it is not open for reading.
    pub fn standard() -> io::Result<Self> {
        Self::new(File::from(stdin().as_fd().try_clone_to_owned()?))
    }

    /// Reads `file`, from where it stands.
    ///
    /// # Errors
    /// When its kind or its position cannot be asked for, or when a pipe cannot be watched.
    pub fn new(mut file: File) -> io::Result<Self> {
        let is_terminal = file.is_terminal();
        let input = if file.metadata()?.is_file() {
            Input::File {
                at: file.stream_position()?,
                file,
                chunk: Vec::new(),
                used: 0,
            }
        } else {
            Input::Stream(Watched::new(file)?)
        };
        Ok(Self {
            input,
            line: Vec::new(),
            skipped: 0,
            taken: 0,
            is_terminal,
        })
    }

    /// The next line, without its newline; `None` at the end of the input. The line counts as used once [`Lines::take`]
    /// is called. Cancel safe.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.input.byte().await? {
                Some(b'\n') => return Ok(Some(self.finished())),
                Some(byte) if self.line.len() < MAX_TEXT && self.skipped == 0 => {
                    self.line.push(byte);
                }
                Some(_) => self.skipped += 1,
                None if self.unfinished() == 0 => return Ok(None),
                None => return Ok(Some(self.finished())),
            }
        }
    }

    fn finished(&self) -> Line {
        let cut = self.is_terminal && self.line.len() >= TERMINAL_LINE;
        match str::from_utf8(&self.line) {
            _ if self.skipped > 0 => Line::TooLong(self.unfinished()),
            _ if cut => Line::MayBeCut,
            Ok(text) => Line::Text(text.to_owned()),
            Err(_) => Line::NotUtf8,
        }
    }

    /// Counts the line that [`Lines::next`] returned: it was kept, or refused for good. The next reader of the input
    /// begins behind this line.
    ///
    /// # Errors
    /// When the position of a file cannot be moved.
    pub fn take(&mut self) -> io::Result<()> {
        self.taken += 1;
        self.line.clear();
        self.skipped = 0;
        match &mut self.input {
            Input::File { file, at, .. } => file.seek(SeekFrom::Start(*at)).map(|_| ()),
            Input::Stream(_) => Ok(()),
        }
    }

    /// Whether a person types them, into a terminal that edits lines itself.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// How many lines were taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes that are gone from the input and belong to no line that was taken; none of a file.
    pub fn lost(&self) -> u64 {
        match &self.input {
            Input::File { .. } => 0,
            Input::Stream(_) => self.unfinished(),
        }
    }

    fn unfinished(&self) -> u64 {
        self.line.len() as u64 + self.skipped
    }
}

impl Input {
    /// The next byte; `None` at the end.
    async fn byte(&mut self) -> io::Result<Option<u8>> {
        match self {
            Self::File {
                file,
                at,
                chunk,
                used,
            } => {
                if *used == chunk.len() {
                    chunk.resize(CHUNK, 0);
                    let read = file.read_at(chunk, *at)?;
                    chunk.truncate(read);
                    *used = 0;
                }
                let byte = chunk.get(*used).copied();
                *used += usize::from(byte.is_some());
                *at += u64::from(byte.is_some());
                Ok(byte)
            }
            Self::Stream(stream) => stream.byte().await,
        }
    }
}

/// A descriptor that may block, and may be shared with programs that expect it to. So the descriptor is left unchanged,
/// and read only when it has bytes; a thread waits for that, and takes nothing.
#[derive(Debug)]
struct Watched {
    file: File,
    ask: std::sync::mpsc::Sender<()>,
    ready: UnboundedReceiver<io::Result<bool>>,
    asked: bool,
}

impl Watched {
    fn new(file: File) -> io::Result<Self> {
        let watched = file.try_clone()?;
        let (ask, asked) = std::sync::mpsc::channel();
        let (answer, ready) = unbounded_channel();
        thread::spawn(move || {
            for () in asked {
                // Ends with the program, or when nobody asks any more.
                if answer.send(is_ready(&watched, None)).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            file,
            ask,
            ready,
            asked: false,
        })
    }

    async fn byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            if is_ready(&self.file, Some(Duration::ZERO))? {
                match one_byte(&self.file) {
                    // Another program was faster.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    read => return read,
                }
            }
            if !self.asked {
                self.asked = self.ask.send(()).is_ok();
            }
            let answer = self.ready.recv().await;
            self.asked = false;
            answer.ok_or(io::ErrorKind::BrokenPipe)??;
        }
    }
}

fn one_byte(mut file: &File) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match file.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::fd::OwnedFd, os::unix::net::UnixStream};

    use tokio::time::timeout;

    use super::*;

    const LONG: usize = MAX_TEXT + 1;

    fn input() -> Vec<u8> {
        let (long, fits) = ("x".repeat(LONG), "y".repeat(MAX_TEXT));
        let lines = [b"one\n\n", long.as_bytes(), b"\n", fits.as_bytes()];
        [&lines.concat(), &b"\n\xff\nlast"[..]].concat()
    }

    fn expected() -> [Line; 6] {
        let text = |text: &str| Line::Text(text.to_owned());
        let fits = "y".repeat(MAX_TEXT);
        let long = Line::TooLong(LONG as u64);
        [
            text("one"),
            text(""),
            long,
            text(&fits),
            Line::NotUtf8,
            text("last"),
        ]
    }

    async fn all(lines: &mut Lines) -> Vec<Line> {
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            lines.take().unwrap();
            seen.push(line);
        }
        seen
    }

    /// A file, a pipe and a socket, each with the rest of the input after the client.
    fn inputs() -> [(Lines, File); 3] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"not this").unwrap();
        file.write_all(&input()).unwrap();
        file.seek(SeekFrom::Start(8)).unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(&input()).unwrap();
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(&input()).unwrap();
        [
            file,
            File::from(OwnedFd::from(reader)),
            File::from(OwnedFd::from(near)),
        ]
        .map(|file| {
            let after = file.try_clone().unwrap();
            (Lines::new(file).unwrap(), after)
        })
    }

    #[tokio::test]
    async fn lines_are_cut_at_newlines_and_bad_ones_are_told_apart() {
        for (mut lines, _) in inputs() {
            assert_eq!(all(&mut lines).await, expected());
            assert_eq!((lines.taken(), lines.lost()), (6, 0));
        }
    }

    #[tokio::test]
    async fn what_was_not_taken_is_left_for_the_next_reader() {
        for taken in 0..5 {
            for (mut lines, mut after) in inputs() {
                for line in &expected()[..taken] {
                    assert_eq!(lines.next().await.unwrap().as_ref(), Some(line));
                    lines.take().unwrap();
                }
                assert_eq!(lines.taken(), taken as u64);
                drop(lines);
                let mut rest = Vec::new();
                after.read_to_end(&mut rest).unwrap();
                let all = input();
                let behind = all.split_inclusive(|b| *b == b'\n').skip(taken);
                assert_eq!(rest, behind.collect::<Vec<_>>().concat());
            }
        }
    }

    #[tokio::test]
    async fn a_line_that_could_not_be_kept_is_still_in_the_file_and_named_as_lost_otherwise() {
        for (mut lines, mut after) in inputs() {
            assert_eq!(lines.next().await.unwrap(), Some(Line::Text("one".into())));
            let lost = lines.lost();
            drop(lines);
            let mut rest = Vec::new();
            after.read_to_end(&mut rest).unwrap();
            let gone = input().len() - rest.len();
            // A newline goes with it.
            assert!([(0, 0), (3, 4)].contains(&(lost, gone)), "{lost} {gone}");
        }
    }

    #[tokio::test]
    async fn a_descriptor_that_blocks_does_not_stop_everything_else() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut lines = Lines::new(File::from(OwnedFd::from(reader))).unwrap();
        for part in ["ha", "lf"] {
            writer.write_all(part.as_bytes()).unwrap();
            let waited = timeout(Duration::from_millis(20), lines.next()).await;
            assert!(waited.is_err(), "no line yet, and the clock goes on");
        }
        assert_eq!((lines.taken(), lines.lost()), (0, 4));
        writer.write_all(b"\n").unwrap();
        assert_eq!(lines.next().await.unwrap(), Some(Line::Text("half".into())));
    }

    #[tokio::test]
    async fn a_device_without_end_or_beginning_is_read_as_well() {
        let mut nothing = Lines::new(File::open("/dev/null").unwrap()).unwrap();
        assert_eq!(nothing.next().await.unwrap(), None);
        assert!(
            Lines::new(File::open("/").unwrap())
                .unwrap()
                .next()
                .await
                .is_err()
        );
    }
}
