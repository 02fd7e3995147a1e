//! Records that lack something.

use std::sync::LazyLock;

use hmac::Mac;
use latchstring_attacker::protocol::hardened::{
    Error,
    defence::{Defence, Defences},
    parts::RecordProtection,
    primitives::Secret,
    record::{BUCKETS, EncryptThenMac, TAG_LEN},
};
use zeroize::Zeroizing;

use super::Weakened;

/// Record protection without some of its defences.
pub(super) struct WeakRecordProtection {
    weakened: Weakened,
    strong: EncryptThenMac,
}

impl WeakRecordProtection {
    pub(super) fn new(weakened: Weakened, secret: &Secret, epoch: u32) -> Self {
        Self {
            weakened,
            strong: EncryptThenMac::new(secret, epoch),
        }
    }

    /// The number that the tag covers: the record's own, or what one byte holds of it.
    fn number(&self, seq: u64) -> u64 {
        match self.weakened.keeps(Defence::WideCounter) {
            true => seq,
            false => seq & 0xff,
        }
    }

    /// The number that picks the keystream.
    fn nonce(&self, seq: u64) -> u64 {
        match self.weakened.keeps(Defence::FreshNonce) {
            true => self.number(seq),
            false => 0,
        }
    }

    /// Without numbers a record is protected by itself, as in AES-SIV (RFC 5297). The tag is over the plaintext, and
    /// the tag's first bytes pick the keystream. Nothing says where the record belongs.
    fn synthetic_nonce(&self, tag: &[u8]) -> u64 {
        let first: [u8; 8] = tag[..8].try_into().expect("a tag has 32 bytes");
        match self.weakened.keeps(Defence::FreshNonce) {
            true => u64::from_be_bytes(first),
            false => 0,
        }
    }

    fn is_right(&self, seq: u64, covered: &[u8], tag: &[u8]) -> Result<(), Error> {
        let right = self.strong.tag(seq, covered).verify_slice(tag).is_ok();
        match right || !self.weakened.keeps(Defence::Mac) {
            true => Ok(()),
            false => Err(Error::Forged("record tag")),
        }
    }
}

impl RecordProtection for WeakRecordProtection {
    fn close(&self, seq: u64, record: &mut Vec<u8>) {
        if self.weakened.keeps(Defence::SequenceNumbers) {
            (self.strong).apply_keystream(self.nonce(seq), &mut record[4..]);
            let tag = self.strong.tag(self.number(seq), record).finalize();
            record.extend_from_slice(&tag.into_bytes());
        } else {
            let tag = self.strong.tag(0, record).finalize().into_bytes();
            let nonce = self.synthetic_nonce(&tag);
            self.strong.apply_keystream(nonce, &mut record[4..]);
            record.extend_from_slice(&tag);
        }
    }

    fn open(&self, seq: u64, record: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (body, tag) = record.split_at(record.len() - TAG_LEN);
        let mut opened = Zeroizing::new(body.to_vec());
        if self.weakened.keeps(Defence::SequenceNumbers) {
            self.is_right(self.number(seq), body, tag)?;
            (self.strong).apply_keystream(self.nonce(seq), &mut opened[4..]);
        } else {
            let nonce = self.synthetic_nonce(tag);
            self.strong.apply_keystream(nonce, &mut opened[4..]);
            self.is_right(0, &opened, tag)?;
        }
        Ok(Zeroizing::new(opened[4..].to_vec()))
    }
}

/// Every length that a plaintext can have: no padding at all.
pub(super) fn every_length() -> &'static [usize] {
    static EVERY: LazyLock<Vec<usize>> = LazyLock::new(|| (3..=BUCKETS[4]).collect());
    &EVERY
}
