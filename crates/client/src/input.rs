//! Lines from the standard input, each a message, none longer than a message may be.

use latchstring_net::protocol::hardened::message::MAX_TEXT;
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// One line of input.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A message.
    Text(String),
    /// More than [`MAX_TEXT`] bytes; they were skipped, not kept.
    TooLong,
    /// Not UTF-8.
    NotUtf8,
}

/// Reads lines and never holds more than one message's worth.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    too_long: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads from `reader`.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
            too_long: false,
        }
    }

    /// The next line, without its newline; `None` at the end of the input. Cancel safe.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            // The only await, and it consumes nothing.
            let buffer = self.reader.fill_buf().await?;
            if buffer.is_empty() {
                let nothing = self.line.is_empty() && !self.too_long;
                return Ok((!nothing).then(|| self.take()));
            }
            let newline = buffer.iter().position(|b| *b == b'\n');
            let part = &buffer[..newline.unwrap_or(buffer.len())];
            if self.line.len() + part.len() > MAX_TEXT {
                self.too_long = true;
            }
            if !self.too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(newline.is_some());
            self.reader.consume(used);
            if newline.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) {
            return Line::TooLong;
        }
        String::from_utf8(line).map_or(Line::NotUtf8, Line::Text)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    #[tokio::test]
    async fn lines_are_cut_at_newlines_and_bad_ones_are_told_apart() {
        let long = "x".repeat(MAX_TEXT + 1);
        let fits = "y".repeat(MAX_TEXT);
        let input = [
            b"one\n\n",
            long.as_bytes(),
            b"\n",
            fits.as_bytes(),
            b"\n\xff\nlast",
        ]
        .concat();
        // A small buffer, so that lines come in pieces.
        let mut lines = Lines::new(BufReader::with_capacity(7, &input[..]));
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            seen.push(line);
        }
        let text = |text: &str| Line::Text(text.to_owned());
        let expected = [
            text("one"),
            text(""),
            Line::TooLong,
            text(&fits),
            Line::NotUtf8,
            text("last"),
        ];
        assert_eq!(seen, expected);
    }
}
