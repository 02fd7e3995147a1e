//! Large numbers, as far as textbook RSA needs them. Complete; slow, not constant-time, and for nothing but this lab.

use std::cmp::Ordering;

/// A number, in pieces of 32 bits, the lowest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Number(Vec<u32>);

impl Number {
    /// From big-endian bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let pieces = bytes.rchunks(4);
        let pieces = pieces.map(|piece| piece.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)));
        Self(pieces.collect()).trimmed()
    }

    /// As big-endian bytes without leading zeros.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.0.iter().rev().flat_map(|piece| piece.to_be_bytes());
        bytes.skip_while(|byte| *byte == 0).collect()
    }

    /// `self^exponent mod modulus`.
    pub fn power(&self, exponent: &Self, modulus: &Self) -> Self {
        let mut result = Self(vec![1]);
        for bit in exponent.bits() {
            result = result.times(&result, modulus);
            if bit {
                result = result.times(self, modulus);
            }
        }
        result
    }

    /// `self * other mod modulus`: doubles and adds, bit by bit.
    fn times(&self, other: &Self, modulus: &Self) -> Self {
        let mut result = Self(Vec::new());
        for bit in other.bits() {
            result = result.plus(&result).reduced(modulus);
            if bit {
                result = result.plus(self).reduced(modulus);
            }
        }
        result
    }

    /// The bits, the highest first.
    fn bits(&self) -> impl Iterator<Item = bool> + '_ {
        let pieces = self.0.iter().rev();
        pieces.flat_map(|piece| (0..32).rev().map(move |bit| piece >> bit & 1 == 1))
    }

    fn plus(&self, other: &Self) -> Self {
        let (mut sum, mut carry) = (Vec::new(), 0u64);
        for i in 0..self.0.len().max(other.0.len()) {
            let piece = |number: &Self| u64::from(number.0.get(i).copied().unwrap_or(0));
            carry += piece(self) + piece(other);
            sum.push(carry as u32);
            carry >>= 32;
        }
        sum.push(carry as u32);
        Self(sum).trimmed()
    }

    /// Less the modulus, as long as it is not below it.
    fn reduced(mut self, modulus: &Self) -> Self {
        while self.compare(modulus) != Ordering::Less {
            let mut borrow = 0i64;
            for (i, piece) in self.0.iter_mut().enumerate() {
                let less = i64::from(modulus.0.get(i).copied().unwrap_or(0));
                let difference = i64::from(*piece) - less + borrow;
                *piece = difference as u32;
                borrow = difference >> 32;
            }
            self = self.trimmed();
        }
        self
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}
