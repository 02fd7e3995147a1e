//! Reading and writing of big-endian fields, with the two rules that every parser here obeys.
//!
//! A reader never looks past its bytes, and never allocates the size of a length field. Bytes that are left over are
//! refused once, in [`Reader::finish`], so no message parser can forget to.

use thiserror::Error;

/// Bytes that do not have the shape of what they should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A field is longer than what is left.
    #[error("{field} needs {needed} bytes and only {left} are left")]
    TooShort {
        /// Name of the field, as in the protocol page.
        field: &'static str,
        /// How many bytes the field needs.
        needed: usize,
        /// How many bytes there were.
        left: usize,
    },
    /// Bytes follow the last field.
    #[error("{left} bytes follow the last field")]
    Trailing {
        /// How many bytes were left over.
        left: usize,
    },
    /// A field holds a value that is not allowed there.
    #[error("{field} is not valid: {why}")]
    Invalid {
        /// Name of the field, as in the protocol page.
        field: &'static str,
        /// The fault.
        why: &'static str,
    },
}

/// A cursor over received bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `n` bytes, borrowed.
    pub fn take(&mut self, field: &'static str, n: usize) -> Result<&'a [u8], DecodeError> {
        let left = self.rest.len();
        let (head, rest) = self.rest.split_at_checked(n).ok_or(DecodeError::TooShort {
            field,
            needed: n,
            left,
        })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes, copied.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let bytes = self.take(field, N)?;
        Ok(bytes.try_into().expect("take returns what it was asked"))
    }

    /// One byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(field)?[0])
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    /// `u8 n ‖ n bytes`.
    pub fn short(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let n = self.u8(field)?;
        self.take(field, n.into())
    }

    /// `u16 n ‖ n bytes`.
    pub fn long(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let n = self.u16(field)?;
        self.take(field, n.into())
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Ends the message: nothing may be left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { left }),
        }
    }
}

/// Appends `u8 n ‖ bytes`.
///
/// # Panics
/// If `bytes` has more than 255 bytes: callers hold types whose length is already bounded.
pub fn put_short(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(u8::try_from(bytes.len()).expect("a short field has at most 255 bytes"));
    out.extend_from_slice(bytes);
}

/// Appends `u16 n ‖ bytes`.
///
/// # Panics
/// If `bytes` has more than 65,535 bytes: callers hold types whose length is already bounded.
pub fn put_long(out: &mut Vec<u8>, bytes: &[u8]) {
    let n = u16::try_from(bytes.len()).expect("a long field has at most 65,535 bytes");
    out.extend_from_slice(&n.to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beyond_the_end_is_refused_without_reading() {
        let mut reader = Reader::new(&[0xff, 0xff, 1, 2]);
        assert_eq!(
            reader.long("text"),
            Err(DecodeError::TooShort {
                field: "text",
                needed: 0xffff,
                left: 2
            })
        );
    }

    #[test]
    fn bytes_left_over_are_refused() {
        let mut reader = Reader::new(&[1, 2]);
        assert_eq!(reader.u8("kind"), Ok(1));
        assert_eq!(reader.finish(), Err(DecodeError::Trailing { left: 1 }));
    }

    #[test]
    fn what_is_put_is_read() {
        let mut out = Vec::new();
        put_short(&mut out, b"alice");
        put_long(&mut out, b"hello");
        let mut reader = Reader::new(&out);
        assert_eq!(reader.short("user"), Ok(&b"alice"[..]));
        assert_eq!(reader.long("text"), Ok(&b"hello"[..]));
        assert_eq!(reader.finish(), Ok(()));
    }
}
