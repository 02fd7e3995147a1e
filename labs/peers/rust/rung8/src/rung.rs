//! Rung 8 of the ladder: five lengths, one refusal at one time, and little patience with strangers.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks.
pub const RUNGS: RangeInclusive<u8> = 8..=8;
