//! Rung 7 of the ladder: a login has a password, too.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 7..=7;
