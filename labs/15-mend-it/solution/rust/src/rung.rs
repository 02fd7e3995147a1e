//! The ladder: each rung has all ideas of the rungs below it, and one more.

use std::ops::RangeInclusive;

/// Every message is a frame with a number, and the number is in the counter block.
pub const NUMBERS: u8 = 1;
/// A tag over number, length and ciphertext; keys for each purpose and direction; the server answers.
pub const TAG: u8 = 2;
/// The number must be the next one.
pub const ORDER: u8 = 3;
/// A type byte: an end is a message, and commands are words.
pub const ENDING: u8 = 4;
/// X25519, signed by the host: no key travels.
pub const EXCHANGE: u8 = 5;
/// The user signs the transcript.
pub const PROOF: u8 = 6;
/// A password inside the channel.
pub const PASSWORD: u8 = 7;
/// Padding, one refusal at one time, deadlines and caps.
pub const QUIET: u8 = 8;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 0..=QUIET;

/// The longest text, in bytes.
pub fn longest_text(rung: u8) -> usize {
    // On rung 0 a message is what one read of 1024 bytes returns.
    if rung >= NUMBERS { 16381 } else { 1024 }
}
