//! Rung 4 of the ladder: messages have types, so an end is a message, and commands are words.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 4..=4;
