//! Pure algorithms that break what the faithful protocol encrypts.
//!
//! The faithful protocol encrypts every message of a session under the same AES-CTR keystream, from its first byte on:
//! a many-time pad. AES is not attacked at all; the broken rule is that a keystream is used once.
//!
//! - [`Keystream`]: with the plaintext of one message, all others open as far as it reaches.
//! - [`drag`]: with a guessed word, the places where it can stand show by what they make of the other messages.
//! - [`solve`]: with nothing but a model of the language, the computer guesses at every place at once.
//! - [`Evidence`]: how likely it is that chance alone gives text as good as what was read.
//!
//! Where the keys themselves are weak:
//!
//! - [`generators`]: the generators that a key must not come from, bit for bit.
//! - [`seeds`]: every seed tried, so every key.
//! - [`rsa`]: moduli that can be factored.
//! - [`bleichenbacher`]: a server that tells whether a padding was right decrypts for everybody.
//! - [`dictionary`]: passwords out of a list, against a stolen store.
//! - [`brute_force`]: the cost of any number of tries, when nothing is weak.
//!
//! All functions are deterministic, and take any bytes: bytes without language come back with low confidence.

pub mod bleichenbacher;
pub mod brute_force;
mod crib;
pub mod dictionary;
mod evidence;
pub mod generators;
mod keystream;
pub mod language;
pub mod rsa;
pub mod seeds;
mod solve;

pub use crib::{Placement, drag, drag_best};
pub use evidence::{Evidence, Given};
pub use keystream::{Conflict, Keystream, render, xor};
pub use language::Language;
pub use solve::{Byte, Mode, Recovered, Watch, detect, solve, solve_watched};
