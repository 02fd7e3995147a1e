//! A session's frames on its line: what both ends use to talk.

use std::time::{Duration, Instant};

use crate::{
    content::Content,
    error::Result,
    frames::{Direction, Due},
    line::Line,
    rung::{NUMBERS, QUIET},
};

/// Rung 8: from the first byte of a frame to its last.
const FRAME_DEADLINE: Duration = Duration::from_secs(5);

pub struct Channel {
    rung: u8,
    pub line: Line,
    sending: Direction,
    receiving: Direction,
}

impl Channel {
    pub fn new(rung: u8, line: Line, sending: Direction, receiving: Direction) -> Self {
        Self {
            rung,
            line,
            sending,
            receiving,
        }
    }

    /// Sends a frame; returns its number.
    pub fn send(&mut self, content: &Content) -> Result<u32> {
        let (number, frame) = self.sending.seal(&content.encode(self.rung))?;
        self.line.write(&frame)?;
        Ok(number)
    }

    /// Number and plaintext of the next frame; `None` if the other end hung up before it.
    pub fn receive(&mut self, due: Due) -> Result<Option<(u32, Vec<u8>)>> {
        if self.rung < NUMBERS {
            let Some(message) = self.line.read_some()? else {
                return Ok(None);
            };
            return self.receiving.open(&message).map(Some);
        }
        let Some(first) = self.line.read_first()? else {
            return Ok(None);
        };
        let whole = self.line.deadline;
        if self.rung >= QUIET && whole.is_none() {
            self.line.deadline = Some(Instant::now() + FRAME_DEADLINE);
        }
        let frame = self.read_frame(first, due)?;
        self.line.deadline = whole;
        self.receiving.open(&frame).map(Some)
    }

    /// A frame without its length. A length that may not come now ends the connection before another byte is read.
    fn read_frame(&mut self, first: u8, due: Due) -> Result<Vec<u8>> {
        let [second] = self.line.read_array()?;
        let n = usize::from(u16::from_be_bytes([first, second]));
        if !due.allows(self.rung, n, self.receiving.overhead()) {
            return Err(format!("a frame of {n} bytes may not come now").into());
        }
        self.line.read_exact(n)
    }
}
