//! Large numbers: those of the crate `dashu-int`, and what this lab needs besides. Complete.
//!
//! They know `+`, `-`, `*`, `/` (rounded down), `%` and comparisons. A number is never negative.

use std::error::Error;

use dashu_int::{fast_div::ConstDivisor, ops::BitTest};

pub use dashu_int::UBig as Number;

/// The length of a block, in bytes.
pub const BLOCK: usize = 64;

/// B, this many times. A block that begins with 00 02 is a number from 2B to 3B - 1.
pub fn times_b(times: u32) -> Number {
    Number::from(times) << (8 * (BLOCK - 2))
}

/// x / y, rounded up.
pub fn ceil_div(x: Number, y: &Number) -> Number {
    (x + y - 1u32) / y
}

/// `base^exponent` modulo n.
pub fn power(base: &Number, exponent: &Number, n: &Number) -> Number {
    let ring = ConstDivisor::new(n.clone());
    ring.reduce(base.clone()).pow(exponent).residue()
}

/// How many bits a number has, without leading zeros.
pub fn bits(number: &Number) -> usize {
    number.bit_len()
}

/// As one block: big-endian bytes, with leading zeros.
pub fn to_block(number: &Number) -> Result<[u8; BLOCK], Box<dyn Error>> {
    let bytes = number.to_be_bytes();
    let begin = BLOCK.checked_sub(bytes.len());
    let begin = begin.ok_or("the number is too large for a block of 64 bytes: take it modulo n")?;
    let mut block = [0; BLOCK];
    block[begin..].copy_from_slice(&bytes);
    Ok(block)
}

/// From hex digits.
pub fn from_hex(digits: &str) -> Result<Number, Box<dyn Error>> {
    Ok(Number::from_str_radix(digits, 16)?)
}

/// From decimal digits.
pub fn from_decimal(digits: &str) -> Result<Number, Box<dyn Error>> {
    Ok(Number::from_str_radix(digits, 10)?)
}
