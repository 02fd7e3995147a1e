//! Changes a message to a chosen one, without any key.
//!
//! # Flaw
//! AES-CTR is an XOR with a keystream. Nothing in the faithful protocol protects what is encrypted against change.
//!
//! # Attack
//! The attacker sits on the path and knows how the payment is worded. XOR of the ciphertext with
//! `"pay bob 10" ^ "pay eve 99"` turns the one plaintext into the other; the keystream cancels out and is never known.
//!
//! # What it proves
//! Secrecy is not integrity: a cipher alone lets anyone who can guess a message replace it.
//!
//! # Defence
//! An HMAC over every record (encrypt-then-MAC), checked before anything is decrypted: `hardened::record`.
//!
//! # In the wild
//! WEP's CRC is linear, so packets could be changed under encryption (Borisov, Goldberg and Wagner, 2001). The same
//! malleability of unauthenticated CTR and CBC modes is why TLS 1.3 has only authenticated encryption.

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    capture::trace::Side,
    protocol::hardened::defence::Defence,
    vantage::{Dialect, Middle, Records},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "bit-flip",
    goal: Goal::Alter,
    title: "turn a message into another one",
    vantage: "on the path between client and server, and knows the wording of one message",
    returns_without: &[&[Defence::Mac]],
    run: Run::OnPath(|dialect| Box::new(BitFlip::new(dialect))),
    ..Attack::PLAIN
};

/// What the user types.
pub const FROM: &str = "pay bob 10";
/// What the server shall read.
pub const TO: &str = "pay eve 99";

/// In a hardened record the text begins behind: length (4), type (1), size (2), id (8), kind (1).
const TEXT_IN_RECORD: usize = 16;

struct BitFlip {
    target: Target,
    records: Records,
    pieces: usize,
    story: Story,
    flipped: bool,
}

impl BitFlip {
    /// The payment is the second message. In front of it the client sends a login and a message (faithful), or a hello,
    /// a proof and a message (hardened).
    fn payment_index(&self) -> usize {
        match self.target {
            Target::Faithful => 2,
            Target::Hardened => 3,
        }
    }

    fn new(dialect: &Dialect) -> Self {
        Self {
            target: dialect.target,
            records: Records::of(dialect, Side::Client),
            pieces: 0,
            story: Story::default(),
            flipped: false,
        }
    }

    /// One message of the client, whole.
    fn on_piece(&mut self, mut piece: Vec<u8>) -> Vec<u8> {
        let index = self.pieces;
        self.pieces += 1;
        let start = match self.target {
            Target::Faithful => 0,
            Target::Hardened => TEXT_IN_RECORD,
        };
        if index == self.payment_index()
            && let Some(place) = piece.get_mut(start..start + FROM.len())
        {
            self.story.tell(format!(
                "client -> server: {} bytes; Mallory knows that they say \"{FROM}\"",
                place.len()
            ));
            for (byte, (from, to)) in place.iter_mut().zip(FROM.bytes().zip(TO.bytes())) {
                *byte ^= from ^ to;
            }
            self.flipped = true;
            self.story.tell(format!(
                "Mallory XORs them with \"{FROM}\" ^ \"{TO}\" and passes them on; no key is used"
            ));
        }
        piece
    }
}

impl Middle for BitFlip {
    fn pass(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        match (from, self.target) {
            (Side::Server, _) => bytes.to_vec(),
            (Side::Client, Target::Faithful) => self.on_piece(bytes.to_vec()),
            (Side::Client, Target::Hardened) => {
                let pieces = self.records.push(bytes);
                pieces
                    .into_iter()
                    .flat_map(|piece| self.on_piece(piece))
                    .collect()
            }
        }
    }

    fn report(mut self: Box<Self>) -> Report {
        let claim = if self.flipped {
            Claim::Altered {
                from: FROM.to_owned(),
                to: TO.to_owned(),
            }
        } else {
            self.story.tell("the payment did not come by");
            Claim::Nothing
        };
        Report::new(claim, self.story)
    }
}
