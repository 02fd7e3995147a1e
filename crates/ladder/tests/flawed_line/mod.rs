//! The wire of a client with a flaw: an honest client behind a line that does to its bytes what the flaw would do.

use std::time::Duration;

use latchstring_ladder::{
    Idea, Rung,
    frame::{self, Frame},
    keys::{Direction, Keys, Way},
    network::Line,
    path::{Cutter, Piece},
};

use crate::Flaw;

/// Bytes of greeting, session key and IV.
const REPLIES: usize = 66;

pub(crate) struct Flawed {
    line: Box<dyn Line>,
    rung: Rung,
    flaw: Flaw,
    to_server: Cutter,
    to_client: Cutter,
    /// What the server said: on the rungs below 5 the keys are in it.
    said: Vec<u8>,
}

impl Flawed {
    pub(crate) fn new(line: Box<dyn Line>, rung: Rung, flaw: Flaw) -> Self {
        Self {
            line,
            rung,
            flaw,
            to_server: Cutter::new(rung, Way::ToServer),
            to_client: Cutter::new(rung, Way::ToClient),
            said: Vec::new(),
        }
    }

    fn keys(&self) -> Option<Keys> {
        let key = self.said.get(26..58)?.try_into().ok()?;
        let iv = self.said.get(58..REPLIES)?.try_into().ok()?;
        Some(Keys::from_session_key(self.rung, key, iv))
    }

    /// The same text, in a frame whose number has lost all bytes but the last.
    fn numbered(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(keys) = self.keys() else {
            return bytes;
        };
        let frame = Frame::decode(self.rung, &bytes).expect("an honest client wrote it");
        let text = frame::open(self.rung, &keys.to_server, &frame).expect("its tag is right");
        frame::seal(self.rung, &keys.to_server, frame.number % 256, &text).encode(self.rung)
    }

    /// The same answer, with a right tag.
    fn tagged(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(keys) = self.keys() else {
            return bytes;
        };
        let frame = Frame::decode(self.rung, &bytes).expect("an honest server wrote it");
        let unchecked = Direction {
            mac: None,
            ..keys.to_client.clone()
        };
        let answer = frame::open(self.rung, &unchecked, &frame).expect("no tag is compared");
        frame::seal(self.rung, &keys.to_client, frame.number, &answer).encode(self.rung)
    }
}

impl Line for Flawed {
    fn send(&mut self, bytes: &[u8]) {
        if self.flaw != Flaw::NumberInOneByte {
            return self.line.send(bytes);
        }
        for piece in self.to_server.cut(bytes) {
            let bytes = match piece {
                Piece::Opening(bytes) => bytes,
                Piece::Frame(bytes) => self.numbered(bytes),
            };
            self.line.send(&bytes);
        }
    }

    fn receive(&mut self, wait: Duration) -> Vec<u8> {
        let bytes = self.line.receive(wait);
        let first = self.said.is_empty();
        self.said.extend(&bytes);
        match self.flaw {
            Flaw::OneReadOneMessage if first && bytes.len() < REPLIES => {
                self.line.hang_up();
                Vec::new()
            }
            Flaw::AnyTag if self.rung.has(Idea::Tag) => {
                let pieces = self.to_client.cut(&bytes);
                let pieces = pieces.into_iter().map(|piece| match piece {
                    Piece::Opening(bytes) => bytes,
                    Piece::Frame(bytes) => self.tagged(bytes),
                });
                pieces.collect::<Vec<_>>().concat()
            }
            _ => bytes,
        }
    }

    fn is_closed(&mut self) -> bool {
        self.line.is_closed()
    }

    fn hang_up(&mut self) {
        self.line.hang_up();
    }
}
