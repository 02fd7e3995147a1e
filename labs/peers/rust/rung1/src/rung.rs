//! Rung 1 of the ladder: every message is a frame with a number, and the number is in the counter block.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 1..=1;
