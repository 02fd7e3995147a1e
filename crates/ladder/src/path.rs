//! The messages of a session, for somebody on the path or for a reader of a capture: which bytes belong together, without a
//! key.

use std::collections::VecDeque;

use crate::{
    frame::LENGTH,
    hello::{HELLO, HOST_PROOF},
    keys::Way,
    rung::{Idea, Rung},
    session::{Let, Middle},
};

/// A part of a session's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What comes before the first text or answer: hellos, proof, login, replies, verdict.
    Opening(Vec<u8>),
    /// A frame, its length included. On rung 0 it is one write.
    Frame(Vec<u8>),
}

/// Where a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Bytes(usize),
    /// Two bytes at its beginning say it; on rung 0, the write does.
    Stated,
}

/// Cuts the bytes of one direction into pieces.
#[derive(Debug, Clone)]
pub struct Cutter {
    rung: Rung,
    /// The openings that have not come yet.
    openings: VecDeque<Extent>,
    rest: Vec<u8>,
}

impl Cutter {
    /// For the bytes that travel this way.
    pub fn new(rung: Rung, way: Way) -> Self {
        let openings = match (way, rung.has(Idea::Exchange)) {
            // Hello and login.
            (Way::ToServer, true) => vec![Extent::Bytes(HELLO), Extent::Stated],
            (Way::ToServer, false) => vec![Extent::Stated],
            // Hello, proof and verdict.
            (Way::ToClient, true) => vec![
                Extent::Bytes(HELLO),
                Extent::Bytes(HOST_PROOF),
                Extent::Stated,
            ],
            // Greeting, session key and IV.
            (Way::ToClient, false) => [26, 32, 8].map(Extent::Bytes).to_vec(),
        };
        Self {
            rung,
            openings: openings.into(),
            rest: Vec::new(),
        }
    }

    /// All pieces that are complete with these bytes.
    pub fn cut(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.rest.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(length) = self.next_length().filter(|n| *n <= self.rest.len()) {
            let piece = self.rest.drain(..length).collect();
            pieces.push(match self.openings.pop_front() {
                Some(_) => Piece::Opening(piece),
                None => Piece::Frame(piece),
            });
        }
        pieces
    }

    fn next_length(&self) -> Option<usize> {
        if let Some(Extent::Bytes(length)) = self.openings.front() {
            return Some(*length);
        }
        if !self.rung.has(Idea::Numbers) {
            return (!self.rest.is_empty()).then_some(self.rest.len());
        }
        let n = self.rest.first_chunk::<LENGTH>()?;
        Some(LENGTH + usize::from(u16::from_be_bytes(*n)))
    }
}

/// The frames that hold texts, and the close behind them. `writes` are what the client wrote.
pub fn texts_of(rung: Rung, writes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames(writes, Cutter::new(rung, Way::ToServer))
}

/// The frames with which the server answered.
pub fn answers_of(rung: Rung, said: &[u8]) -> Vec<Vec<u8>> {
    frames(&[said.to_vec()], Cutter::new(rung, Way::ToClient))
}

fn frames(writes: &[Vec<u8>], mut cutter: Cutter) -> Vec<Vec<u8>> {
    let pieces = writes.iter().flat_map(|bytes| cutter.cut(bytes));
    let frames = pieces.filter_map(|piece| match piece {
        Piece::Frame(frame) => Some(frame),
        Piece::Opening(_) => None,
    });
    frames.collect()
}

/// What to do with one frame of the client.
pub enum Deed {
    /// Let it through.
    Pass,
    /// Let other frames through in its place.
    Replace(Vec<Vec<u8>>),
    /// Give its own bytes back to the client as the server's answer, and swallow the answer.
    Reflect,
    /// End both connections.
    Cut,
}

/// Somebody on the path who decides about each frame of the client behind its login, counted from 0.
///
/// Where the server answers, every text must have one answer. For a text that was let through twice, one answer is
/// swallowed. For a text that was held back, the last answer is repeated.
pub struct OnTexts<F> {
    decide: F,
    client: Cutter,
    server: Cutter,
    texts: usize,
    /// Answers that the client shall not see.
    to_swallow: usize,
    last_answer: Vec<u8>,
}

impl<F: FnMut(usize, &[u8]) -> Deed> OnTexts<F> {
    /// With this decision.
    pub fn new(rung: Rung, decide: F) -> Self {
        Self {
            decide,
            client: Cutter::new(rung, Way::ToServer),
            server: Cutter::new(rung, Way::ToClient),
            texts: 0,
            to_swallow: 0,
            last_answer: Vec::new(),
        }
    }

    fn text(&mut self, frame: Vec<u8>, all: &mut Let) {
        let index = self.texts;
        self.texts += 1;
        match (self.decide)(index, &frame) {
            Deed::Pass => all.to_server.push(frame),
            Deed::Replace(frames) => {
                self.to_swallow += frames.len().saturating_sub(1);
                if frames.is_empty() {
                    all.to_client.extend(&self.last_answer);
                }
                all.to_server.extend(frames);
            }
            Deed::Reflect => {
                self.to_swallow += 1;
                all.to_client.extend(&frame);
                all.to_server.push(frame);
            }
            Deed::Cut => {
                all.cut_server = true;
                all.cut_client = true;
            }
        }
    }

    fn answer(&mut self, frame: &[u8], all: &mut Let) {
        if self.to_swallow > 0 {
            self.to_swallow -= 1;
        } else {
            self.last_answer = frame.to_vec();
            all.to_client.extend(frame);
        }
    }
}

impl<F: FnMut(usize, &[u8]) -> Deed> Middle for OnTexts<F> {
    fn client_wrote(&mut self, bytes: &[u8]) -> Let {
        let mut all = Let::default();
        for piece in self.client.cut(bytes) {
            match piece {
                Piece::Opening(bytes) => all.to_server.push(bytes),
                Piece::Frame(frame) => self.text(frame, &mut all),
            }
        }
        all
    }

    fn server_said(&mut self, bytes: &[u8]) -> Let {
        let mut all = Let::default();
        for piece in self.server.cut(bytes) {
            match piece {
                Piece::Opening(bytes) => all.to_client.extend(bytes),
                Piece::Frame(frame) => self.answer(&frame, &mut all),
            }
        }
        all
    }
}
