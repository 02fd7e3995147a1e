//! Rung 3 of the ladder: each frame has the next number.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 3..=3;
