//! Rung 0 of the ladder: the report's protocol, with all its flaws.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 0..=0;
