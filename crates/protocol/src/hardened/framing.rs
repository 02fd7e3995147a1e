//! Cuts the bytes of a stream into records.
//!
//! The other end may be a stranger. So a length is compared with the few valid ones *before* room is made for the
//! record. No byte of the next record is ever taken.

use std::time::Duration;

use super::record::{OVERHEAD, TAG_LEN};

/// Once its first byte has arrived, a record must be complete within this time.
pub const RECORD_DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of a record's length field.
const LENGTH_FIELD: usize = OVERHEAD - TAG_LEN;

/// A length field that the protocol does not allow at this point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadLength(pub u32);

/// The record that is arriving.
#[derive(Debug)]
pub struct Incoming {
    bytes: Vec<u8>,
    need: usize,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            need: LENGTH_FIELD,
        }
    }
}

impl Incoming {
    /// Bytes that have arrived.
    pub fn have(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that the record has, or its length field while that is not known.
    pub fn need(&self) -> usize {
        self.need
    }

    /// How many bytes to read next; at least 1.
    pub fn missing(&self) -> usize {
        self.need - self.bytes.len()
    }

    /// Takes the next bytes, at most [`Incoming::missing`]. Returns the whole record, length field and tag included, once it
    /// is there. `allowed` lists the ciphertext lengths, in bytes, that are valid now.
    ///
    /// # Errors
    /// [`BadLength`] as soon as the length field is there.
    ///
    /// # Panics
    /// If there are more bytes than are missing.
    pub fn take(&mut self, bytes: &[u8], allowed: &[usize]) -> Result<Option<Vec<u8>>, BadLength> {
        assert!(bytes.len() <= self.missing(), "more than the record has");
        self.bytes.reserve_exact(self.missing());
        self.bytes.extend_from_slice(bytes);
        if self.missing() == 0 && self.need == LENGTH_FIELD {
            self.need += self.announced(allowed)?;
        }
        Ok((self.missing() == 0).then(|| std::mem::take(self).bytes))
    }

    /// The value of the length field.
    fn announced(&self, allowed: &[usize]) -> Result<usize, BadLength> {
        let mut field = [0; LENGTH_FIELD];
        field.copy_from_slice(&self.bytes);
        let len = u32::from_be_bytes(field);
        let ciphertext = (len as usize).checked_sub(TAG_LEN);
        match ciphertext.filter(|n| allowed.contains(n)) {
            Some(n) => Ok(n + TAG_LEN),
            None => Err(BadLength(len)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardened::record::BUCKETS;

    #[test]
    fn a_record_is_cut_out_however_it_arrives() {
        let record = [&96u32.to_be_bytes()[..], &[7; 96]].concat();
        for step in [1, 3, 4, 50, 100] {
            let mut incoming = Incoming::default();
            let mut rest = &record[..];
            let whole = loop {
                let (next, after) = rest.split_at(step.min(incoming.missing()));
                rest = after;
                if let Some(whole) = incoming.take(next, &BUCKETS).unwrap() {
                    break whole;
                }
            };
            assert_eq!((whole, rest.len()), (record.clone(), 0));
            assert_eq!((incoming.have(), incoming.missing()), (0, 4));
        }
    }

    #[test]
    fn a_length_that_does_not_exist_is_refused_before_room_is_made() {
        for len in [0, 31, 32, 95, 97, u32::MAX] {
            let mut incoming = Incoming::default();
            let refused = incoming.take(&len.to_be_bytes(), &BUCKETS);
            assert_eq!(refused, Err(BadLength(len)));
            assert!(incoming.bytes.capacity() <= 16);
        }
        let mut incoming = Incoming::default();
        let refused = incoming.take(&96u32.to_be_bytes(), &[256]);
        assert_eq!(refused, Err(BadLength(96)));
    }
}
