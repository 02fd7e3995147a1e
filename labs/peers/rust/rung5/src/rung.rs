//! Rung 5 of the ladder: the keys come from an exchange that the host signs, and no key travels.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 5..=5;
