//! Rung 2 of the ladder: a tag protects each frame, each direction has keys, and the server answers.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 2..=2;
