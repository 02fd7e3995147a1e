//! Printing for all programs: `println!` panics when nobody reads any more or the disk is full, and this does not.
//!
//! [`line()`] and [`Output`] write to the standard output and report failures. The output is the program's result, so
//! it must not end with code 0 without it. [`note`] writes to the standard error, where a failure cannot be reported.
//! Both wait where the descriptor was set to `O_NONBLOCK` by another program that shares it.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    time::Duration,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use thiserror::Error;

use crate::terminal::visible_bytes;

/// This many bytes are collected before they are written.
const BUFFER: usize = 64 * 1024;

/// The standard output did not take what was printed.
#[derive(Debug, Error)]
#[error("cannot write to the standard output: {}", why(.0))]
pub struct OutputError(io::Error);

// The message says it all; as a source it would be told twice.
impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<OutputError> for io::Error {
    fn from(error: OutputError) -> Self {
        Self::new(error.0.kind(), error)
    }
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::BrokenPipe => "nobody reads it any more (broken pipe)".to_owned(),
        _ => error.to_string(),
    }
}

/// Prints a line to the standard output, at once.
///
/// # Errors
/// [`OutputError`].
pub fn line(text: impl Display) -> Result<(), OutputError> {
    let mut output = Output::new();
    output.line(text)?;
    output.finish()
}

/// Prints a line to the standard error. A failure is not reported, because no place is left for the report.
pub fn note(text: impl Display) {
    let _ = write_all(&io::stderr().lock(), format!("{text}\n").as_bytes());
}

/// As [`note`], without a newline: a question.
pub fn ask(text: impl Display) {
    let _ = write_all(&io::stderr().lock(), text.to_string().as_bytes());
}

/// Many lines for the standard output. Call [`Output::finish`]: unwritten lines are lost otherwise.
#[derive(Debug)]
#[must_use = "the last lines are written by `finish`"]
pub struct Output {
    waiting: Vec<u8>,
    to_terminal: bool,
}

impl Output {
    /// Writes to the standard output of the program.
    pub fn new() -> Self {
        Self {
            waiting: Vec::new(),
            to_terminal: io::stdout().is_terminal(),
        }
    }

    /// Whether a terminal shows what is written.
    pub fn to_terminal(&self) -> bool {
        self.to_terminal
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn line(&mut self, text: impl Display) -> Result<(), OutputError> {
        writeln!(self.waiting, "{text}")?;
        self.flush_if_full()
    }

    /// Adds text of a stranger, and no newline. A file or a pipe gets the exact bytes, and a terminal gets the result
    /// of [`visible_bytes`].
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn foreign(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        if self.to_terminal {
            self.waiting.extend(visible_bytes(bytes).into_bytes());
        } else {
            self.waiting.extend(bytes);
        }
        self.flush_if_full()
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn finish(mut self) -> Result<(), OutputError> {
        self.flush_waiting()
    }

    fn flush_if_full(&mut self) -> Result<(), OutputError> {
        if self.waiting.len() < BUFFER {
            return Ok(());
        }
        self.flush_waiting()
    }

    fn flush_waiting(&mut self) -> Result<(), OutputError> {
        let mut stdout = io::stdout().lock();
        // What was printed by other means comes first.
        stdout.flush()?;
        write_all(&stdout, &self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

/// For libraries that write by themselves. A flush writes, as it should; errors are those of the descriptor, in words.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend(bytes);
        self.flush_if_full().map_err(io::Error::from)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flush_waiting().map_err(io::Error::from)
    }
}

/// Writes all of it, straight to the descriptor.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => _ = wait_for(to, PollFlags::POLLOUT, None)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether something can be read from a descriptor, or its end, within that time. Returns early after a signal.
///
/// # Errors
/// When the descriptor is not open.
pub fn is_ready(descriptor: &impl AsFd, within: Option<Duration>) -> io::Result<bool> {
    wait_for(descriptor, PollFlags::POLLIN, within)
}

/// Waits until a descriptor that does not block is ready, or a signal came. `false`: it was not, `within` that time.
pub(crate) fn wait_for(
    descriptor: &impl AsFd,
    what: PollFlags,
    within: Option<Duration>,
) -> io::Result<bool> {
    let mut polled = [PollFd::new(descriptor.as_fd(), what)];
    let limit = match within {
        None => PollTimeout::NONE,
        Some(Duration::ZERO) => PollTimeout::ZERO,
        // The last part of a millisecond must not become 0, which would be asked for again and again.
        Some(within) => {
            PollTimeout::try_from(within + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        }
    };
    match poll(&mut polled, limit) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Read, thread};

    use nix::fcntl::{FcntlArg, OFlag, fcntl};

    use super::*;

    #[test]
    fn a_full_disk_and_a_closed_pipe_are_errors_and_no_panics() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = OutputError(write_all(&full, b"x").unwrap_err()).to_string();
        assert!(error.contains("No space left"), "{error}");
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let error = OutputError(write_all(&writer, b"x").unwrap_err()).to_string();
        assert!(error.contains("nobody reads it any more"), "{error}");
    }

    #[test]
    fn what_a_stranger_wrote_is_exact_for_a_file_and_escaped_for_a_terminal() {
        let text = b"gr\xc3\xb6\xdfe \x1b[2J\xe2\x80\xae\n";
        for (to_terminal, expected) in [
            (false, &text[..]),
            (true, "grö\\xdfe \\u{1b}[2J\\u{202e}\n".as_bytes()),
        ] {
            let mut output = Output {
                waiting: Vec::new(),
                to_terminal,
            };
            output.foreign(text).unwrap();
            assert_eq!(output.waiting, expected);
        }
    }

    #[test]
    fn a_descriptor_that_does_not_block_gets_everything() {
        let (mut reader, writer) = io::pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let sent = vec![b'x'; 1 << 20];
        let expected = sent.len();
        let writing = thread::spawn(move || write_all(&writer, &sent));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        writing.join().unwrap().unwrap();
        assert_eq!(read.len(), expected);
    }
}
