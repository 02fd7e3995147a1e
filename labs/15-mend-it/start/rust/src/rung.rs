//! The ladder: each rung has all ideas of the rungs below it, and one more.
//!
//! A good way to climb is a constant for each idea (`pub const NUMBERS: u8 = 1;`). The code then asks `rung >= NUMBERS`
//! where the idea does its work, so the lower rungs go on working.

use std::ops::RangeInclusive;

/// The rungs that this peer speaks. Raise the upper one when the next rung is written.
pub const RUNGS: RangeInclusive<u8> = 0..=0;
