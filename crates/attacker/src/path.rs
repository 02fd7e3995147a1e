//! What somebody on the path works with: the client's messages, one by one.

use crate::{
    Target,
    capture::trace::Side,
    vantage::{Dialect, Records},
};

/// Cuts what the client says into its messages. They are counted, not read.
pub struct Messages {
    target: Target,
    records: Records,
    pieces: usize,
}

/// A whole piece of what the client said.
pub struct Piece {
    /// The number of the message, from 0; `None` for what comes before the first: hello, login, proof. The record that
    /// closes a hardened session counts as one more message, since nobody can see the difference.
    pub message: Option<usize>,
    /// Its bytes on the wire.
    pub bytes: Vec<u8>,
}

impl Messages {
    /// Of a session that has not begun.
    pub fn new(dialect: &Dialect) -> Self {
        Self {
            target: dialect.target,
            records: Records::of(dialect, Side::Client),
            pieces: 0,
        }
    }

    /// Adds bytes, returns the pieces that are whole. The faithful protocol frames nothing: what comes at once is one.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let (whole, before) = match self.target {
            Target::Faithful => (vec![bytes.to_vec()], 1),
            Target::Hardened => (self.records.push(bytes), 2),
        };
        let number = |bytes| {
            let message = self.pieces.checked_sub(before);
            self.pieces += 1;
            Piece { message, bytes }
        };
        whole.into_iter().map(number).collect()
    }
}

/// Where a message's text begins in its bytes on the wire: in a hardened record behind length (4), type (1), size (2),
/// id (8) and kind (1).
pub fn text_at(target: Target) -> usize {
    match target {
        Target::Faithful => 0,
        Target::Hardened => 16,
    }
}
