//! The ladder: each rung has all ideas of the rungs below it, and one more.
//!
//! A good way to climb is a constant for each idea (`pub const NUMBERS: u8 = 1;`). The code then asks `rung >= NUMBERS`
//! where the idea does its work, so the lower rungs go on working.

/// The highest rung that this peer speaks. Raise it when the next rung is written.
pub const HIGHEST: u8 = 0;

/// The longest text, in bytes: on rung 0 a message is what one read of 1024 bytes returns.
pub const LONGEST_TEXT: usize = 1024;
