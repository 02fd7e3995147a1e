//! Changes a message to a chosen one, without any key.
//!
//! # Flaw
//! Encryption in counter mode is an XOR with a keystream: whoever flips a bit of the ciphertext flips that bit of the text.
//! Nothing in the faithful protocol protects a message against change.
//!
//! # Attack
//! The attacker knows how the payment is worded, and XORs the ciphertext with `"pay bob 10" ^ "pay eve 99"`. The keystream
//! cancels out and is never known. Against hardened the very same is done at the place of the record where the text is.
//!
//! # What it proves
//! Secrecy is not integrity. A cipher alone lets anybody who can guess a message replace it, and the server sees nothing.
//!
//! # Defence
//! A tag over every record (HMAC-SHA-256, encrypt-then-MAC), compared before anything is decrypted. It also covers the
//! record's epoch and sequence number, so an unchanged record is refused in any place but its own.
//!
//! Against hardened six messages do not arrive. Nobody can keep a person on the path from cutting the line; but the client
//! *knows* which message is not acknowledged, says so, and keeps it for the next session.
//!
//! # In the wild
//! - WEP protects packets with a CRC, which is linear: the change of the CRC can be computed from the change of the text, so
//!   packets can be altered under encryption (Borisov, Goldberg and Wagner, "Intercepting Mobile Communications", 2001).
//! - Terrapin, CVE-2023-48795: SSH authenticates every packet, but not that the handshake was whole; an attacker on the path
//!   removes messages from its beginning unnoticed. Integrity of each record is not yet integrity of the conversation.

use crate::{
    Attack, Claim, Goal, Run,
    path::{Deed, Message, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "bit-flip",
    goal: Goal::Alter,
    title: "turn a message into another one",
    vantage: "on the path between client and server, and knows the wording of one message",
    returns_without: &[&[Defence::Mac]],
    run: Run::OnPath(|dialect| on_each_message(dialect, claim(), flip)),
    ..Attack::PLAIN
};

/// What the user types.
pub const FROM: &str = "pay bob 10";
/// What the server shall read.
pub const TO: &str = "pay eve 99";

/// The payment is the second message.
const PAYMENT: usize = 1;

fn claim() -> Claim {
    Claim::Altered {
        from: FROM.to_owned(),
        to: TO.to_owned(),
    }
}

/// XORs the payment with the difference of the two texts.
fn flip(message: &Message) -> Deed {
    let place = message.text_at..message.text_at + FROM.len();
    let mut by = message.bytes.to_vec();
    let Some(text) = by.get_mut(place).filter(|_| message.number == PAYMENT) else {
        return Deed::Pass;
    };
    for (byte, (from, to)) in text.iter_mut().zip(FROM.bytes().zip(TO.bytes())) {
        *byte ^= from ^ to;
    }
    let len = FROM.len();
    let how = vec![
        format!("client -> server: {len} bytes; Mallory knows that they say \"{FROM}\""),
        format!("Mallory XORs them with \"{FROM}\" ^ \"{TO}\" and passes them on; no key is used"),
    ];
    Deed::Replace { by, how }
}
