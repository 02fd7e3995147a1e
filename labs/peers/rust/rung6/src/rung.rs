//! Rung 6 of the ladder: the user signs the exchange.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 6..=6;
