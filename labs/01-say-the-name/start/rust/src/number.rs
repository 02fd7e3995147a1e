//! Large numbers, as far as RSA needs them. Complete; not constant-time, and for nothing but these labs.

/// A number, in pieces of 32 bits, the lowest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Number(Vec<u32>);

impl Number {
    /// From big-endian bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let pieces = bytes.rchunks(4);
        let pieces = pieces.map(|piece| piece.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)));
        let mut number = Self(pieces.collect());
        while number.0.last() == Some(&0) {
            number.0.pop();
        }
        number
    }

    /// How many bytes it has, without leading zeros.
    pub fn size(&self) -> usize {
        let bytes = self.little_endian();
        bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count()
    }

    /// As big-endian bytes without leading zeros.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_block(self.size())
    }

    /// As big-endian bytes, this many of them, with leading zeros.
    pub fn to_block(&self, size: usize) -> Vec<u8> {
        let mut bytes = self.little_endian();
        bytes.resize(size, 0);
        bytes.reverse();
        bytes
    }

    fn little_endian(&self) -> Vec<u8> {
        self.0.iter().flat_map(|piece| piece.to_le_bytes()).collect()
    }

    /// `self^exponent mod modulus`, for an odd modulus (Montgomery, 1985).
    pub fn power(&self, exponent: &Self, modulus: &Self) -> Self {
        let ring = Ring::new(modulus);
        let base = ring.enter(self);
        let mut result = ring.enter(&Self(vec![1]));
        for piece in exponent.0.iter().rev() {
            for bit in (0..32).rev() {
                result = ring.times(&result, &result);
                if piece >> bit & 1 == 1 {
                    result = ring.times(&result, &base);
                }
            }
        }
        let mut one = vec![0; ring.n.len()];
        one[0] = 1;
        Self(ring.times(&result, &one))
    }
}

/// Products modulo n, in which each number stands for itself times 2^(32 * length).
struct Ring {
    n: Vec<u32>,
    /// `-1 / n` modulo 2^32.
    inverse: u32,
}

impl Ring {
    fn new(modulus: &Number) -> Self {
        let n = modulus.0.clone();
        // Each step of Newton's doubles the bits that are right.
        let inverse = (0..5).fold(1u32, |x, _| x.wrapping_mul(2u32.wrapping_sub(n[0].wrapping_mul(x))));
        let inverse = inverse.wrapping_neg();
        Self { n, inverse }
    }

    /// A number, times 2^(32 * length), modulo n: its bits and then so many zeros, the highest first.
    fn enter(&self, number: &Number) -> Vec<u32> {
        let mut result = vec![0; self.n.len()];
        let zeros = self.n.iter().map(|_| &0);
        for piece in number.0.iter().rev().chain(zeros) {
            for bit in (0..32).rev() {
                let mut carry = piece >> bit & 1;
                for piece in &mut result {
                    let next = *piece >> 31;
                    *piece = *piece << 1 | carry;
                    carry = next;
                }
                self.reduce(&mut result, carry);
            }
        }
        result
    }

    /// The product of two numbers, divided by 2^(32 * length).
    fn times(&self, a: &[u32], b: &[u32]) -> Vec<u32> {
        let length = self.n.len();
        let mut sum = vec![0; length + 2];
        for digit in a {
            add(&mut sum, b, *digit);
            // After this the lowest piece is zero, and is dropped: that divides by 2^32.
            let times = sum[0].wrapping_mul(self.inverse);
            add(&mut sum, &self.n, times);
            sum.remove(0);
            sum.push(0);
        }
        let carry = sum[length];
        sum.truncate(length);
        self.reduce(&mut sum, carry);
        sum
    }

    /// Less n, if it is not below n. `carry` stands above its pieces.
    fn reduce(&self, number: &mut [u32], carry: u32) {
        let below = carry == 0 && number.iter().rev().lt(self.n.iter().rev());
        if !below {
            let mut borrow = 0i64;
            for (piece, n) in number.iter_mut().zip(&self.n) {
                let difference = i64::from(*piece) - i64::from(*n) + borrow;
                *piece = difference as u32;
                borrow = difference >> 32;
            }
        }
    }
}

/// Adds `b * digit` to a sum that has room for it.
fn add(sum: &mut [u32], b: &[u32], digit: u32) {
    let mut carry = 0;
    for (i, piece) in sum.iter_mut().enumerate() {
        carry += u64::from(*piece) + u64::from(b.get(i).copied().unwrap_or(0)) * u64::from(digit);
        *piece = carry as u32;
        carry >>= 32;
    }
}
