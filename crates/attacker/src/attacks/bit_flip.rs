//! Changes a message to a chosen one, without any key.
//!
//! # Flaw
//! Encryption in counter mode is an XOR with a keystream. A flipped bit in the ciphertext flips the same bit of the
//! plaintext. The faithful protocol has no tag, so the server cannot see the change.
//!
//! # Attack
//! The attacker knows the wording of the payment, and XORs the ciphertext with `"pay bob 10" ^ "pay eve 99"`. The
//! keystream cancels out, so the attacker never needs to know it. Against hardened the attacker does the same at the
//! place in the record where the text is.
//!
//! # What it proves
//! Encryption does not give integrity. With a cipher alone, an attacker who can guess a message can replace it, and the
//! server does not notice.
//!
//! # Defence
//! Every record has a tag (HMAC-SHA-256, encrypt-then-MAC). The receiver compares the tag before it decrypts anything.
//! The tag also covers the record's epoch and sequence number, so an unchanged record is refused at any other place.
//!
//! Against hardened six messages do not arrive. No protocol can keep an attacker on the path from cutting the
//! connection. But the client *knows* which message is not acknowledged. The client reports the message, and keeps it
//! for the next session.
//!
//! # In the wild
//! - WEP protects packets with a CRC, which is linear: an attacker can compute the change of the CRC from the change of
//!   the text. So packets can be altered under encryption (Borisov, Goldberg and Wagner, "Intercepting Mobile
//!   Communications", 2001).
//! - Terrapin, CVE-2023-48795: SSH authenticates every packet, but did not authenticate the whole handshake. An
//!   attacker on the path could remove messages from its beginning unnoticed. Integrity of each record is not yet
//!   integrity of the conversation.

use crate::{
    Attack, Claim, Goal, Run,
    path::{Action, Message, on_each_message},
    protocol::hardened::defence::Defence,
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "bit-flip",
    goal: Goal::Alter,
    title: "change a message into another one",
    vantage: "on the path between client and server, with the wording of one message",
    returns_without: &[&[Defence::Mac]],
    run: Run::OnPath(|dialect| on_each_message(dialect, claim(), flip)),
    ..Attack::PLAIN
};

/// The text that the user types.
pub const FROM: &str = "pay bob 10";
/// The text that the server is to read.
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
fn flip(message: &Message) -> Action {
    let place = message.text_at..message.text_at + FROM.len();
    let mut by = message.bytes.to_vec();
    let Some(text) = by.get_mut(place).filter(|_| message.number == PAYMENT) else {
        return Action::Pass;
    };
    for (byte, (from, to)) in text.iter_mut().zip(FROM.bytes().zip(TO.bytes())) {
        *byte ^= from ^ to;
    }
    let len = FROM.len();
    let how = vec![
        format!("client -> server: {len} bytes; Mallory knows that they say \"{FROM}\""),
        format!(
            "Mallory XORs these bytes with \"{FROM}\" ^ \"{TO}\" and passes them on; no key is used"
        ),
    ];
    Action::Replace { by, how }
}
