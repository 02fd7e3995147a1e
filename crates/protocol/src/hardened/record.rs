//! One record: `u32 len ‖ ciphertext ‖ tag(32)`, encrypt-then-MAC.
//!
//! The plaintext is `u8 type ‖ u16 n ‖ body ‖ zeros`, padded to the smallest bucket that holds it, so that an observer
//! learns one of five sizes and nothing more. Each record has a separate block of the counter space. The initial
//! counter block is `iv(4) ‖ u64 seq ‖ u32 0`, and 1,024 blocks at most are used.

use aes::Aes256;
use ctr::{
    Ctr32BE,
    cipher::{KeyIvInit, StreamCipher},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    Error,
    message::{MAX_TEXT, Type},
    parts::{Parts, RecordProtection},
    primitives::{self, Secret},
};
use crate::codec::{DecodeError, Reader};

/// Ciphertext lengths. Nothing else is ever sent.
pub const BUCKETS: [usize; 5] = [64, 256, 1024, 4096, 16384];
/// Length of the HMAC-SHA-256 tag.
pub const TAG_LEN: usize = 32;
/// The bytes that a record adds to its bucket: the length field and the tag.
pub const OVERHEAD: usize = 4 + TAG_LEN;
/// Longest body: the largest bucket less type and length.
pub const MAX_BODY: usize = BUCKETS[4] - 3;
/// A key serves fewer records than this: sequence numbers stay below 2^24 - 1.
pub const MAX_RECORDS: u64 = 1 << 24;

/// AES-256-CTR, and HMAC-SHA-256 over the ciphertext, each with a separate key.
pub struct EncryptThenMac {
    enc: Secret,
    mac: Secret,
    iv: Zeroizing<[u8; 4]>,
    epoch: u32,
}

impl EncryptThenMac {
    /// The keys that follow from a traffic secret.
    pub fn new(secret: &Secret, epoch: u32) -> Self {
        Self {
            enc: primitives::expand(secret, "enc", &[]),
            mac: primitives::expand(secret, "mac", &[]),
            iv: primitives::expand(secret, "iv", &[]),
            epoch,
        }
    }

    /// Encrypts or decrypts in place: the nonce of every record is its sequence number.
    pub fn apply_keystream(&self, seq: u64, bytes: &mut [u8]) {
        let mut block = [0; 16];
        block[..4].copy_from_slice(&self.iv[..]);
        block[4..12].copy_from_slice(&seq.to_be_bytes());
        Ctr32BE::<Aes256>::new((&*self.enc).into(), &block.into()).apply_keystream(bytes);
    }

    /// The tag covers where the record belongs (epoch, seq), how long it is, and every byte of it.
    pub fn tag(&self, seq: u64, len_and_ciphertext: &[u8]) -> Hmac<Sha256> {
        primitives::mac(&self.mac)
            .chain_update(self.epoch.to_be_bytes())
            .chain_update(seq.to_be_bytes())
            .chain_update(len_and_ciphertext)
    }
}

impl RecordProtection for EncryptThenMac {
    fn close(&self, seq: u64, record: &mut Vec<u8>) {
        self.apply_keystream(seq, &mut record[4..]);
        let tag = self.tag(seq, record).finalize();
        record.extend_from_slice(&tag.into_bytes());
    }

    fn open(&self, seq: u64, record: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (body, tag) = record.split_at(record.len() - TAG_LEN);
        // Constant time, and before a single byte is decrypted.
        (self.tag(seq, body).verify_slice(tag)).map_err(|_| Error::Forged("record tag"))?;
        let mut plaintext = Zeroizing::new(body[4..].to_vec());
        self.apply_keystream(seq, &mut plaintext);
        Ok(plaintext)
    }
}

// The longest text fits the largest bucket, behind its number and its kind.
const _: () = assert!(MAX_TEXT + 9 == MAX_BODY);

/// One direction: its record protection, the lengths that exist, and the number of the next record.
struct Traffic {
    protection: Box<dyn RecordProtection>,
    lengths: &'static [usize],
    seq: u64,
    /// Bytes of all records so far.
    bytes: u64,
}

impl Traffic {
    fn new(secret: &Secret, epoch: u32) -> Self {
        Self {
            protection: Box::new(EncryptThenMac::new(secret, epoch)),
            lengths: &BUCKETS,
            seq: 0,
            bytes: 0,
        }
    }

    fn with(secret: &Secret, epoch: u32, parts: &(impl Parts + ?Sized)) -> Self {
        Self {
            protection: parts.record_protection(secret, epoch),
            lengths: parts.lengths(&BUCKETS),
            seq: 0,
            bytes: 0,
        }
    }

    /// A record of so many bytes is done.
    fn next(&mut self, record: usize) -> Result<(), Error> {
        self.seq += 1;
        self.bytes += record as u64;
        if self.seq >= MAX_RECORDS {
            return Err(Error::Misuse(
                "this session has used up its keys: connect again",
            ));
        }
        Ok(())
    }
}

/// Makes the records of one direction.
pub struct Sealer(Traffic);

impl Sealer {
    /// Starts at sequence number 0. `epoch` is 0 for the handshake, 1 for the session, and 1 more after each change of keys.
    pub fn new(secret: &Secret, epoch: u32) -> Self {
        Self(Traffic::new(secret, epoch))
    }

    /// The same with the protection and the lengths that are handed in.
    pub fn with(secret: &Secret, epoch: u32, parts: &(impl Parts + ?Sized)) -> Self {
        Self(Traffic::with(secret, epoch, parts))
    }

    /// Pads, encrypts, then authenticates.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the body has more than [`MAX_BODY`] bytes or the key is used up; see [`MAX_RECORDS`].
    pub fn seal(&mut self, typ: Type, body: &[u8]) -> Result<Vec<u8>, Error> {
        let bucket = (length_for(typ, body.len(), self.0.lengths))
            .ok_or(Error::Misuse("the message is too long"))?;
        let n = u16::try_from(body.len()).expect("the largest bucket is far below 65,536");
        let len = u32::try_from(bucket + TAG_LEN).expect("so it is here");

        let mut record = Vec::with_capacity(OVERHEAD + bucket);
        record.extend_from_slice(&len.to_be_bytes());
        record.push(typ as u8);
        record.extend_from_slice(&n.to_be_bytes());
        record.extend_from_slice(body);
        record.resize(4 + bucket, 0);
        self.0.protection.close(self.0.seq, &mut record);
        self.0.next(record.len())?;
        Ok(record)
    }

    /// How many records its key has served, and how many bytes on the wire these had.
    pub fn used(&self) -> (u64, u64) {
        (self.0.seq, self.0.bytes)
    }
}

/// Opens the records of one direction, in order.
pub struct Opener(Traffic);

/// The inside of a record: its type and body. Wiped when dropped, since one kind of body holds a password.
pub struct Plaintext {
    /// The type of the body.
    pub typ: Type,
    /// The body without padding.
    pub body: Zeroizing<Vec<u8>>,
}

impl Opener {
    /// Starts at sequence number 0. `epoch` is 0 for the handshake, 1 for the session, and 1 more after each change of keys.
    pub fn new(secret: &Secret, epoch: u32) -> Self {
        Self(Traffic::new(secret, epoch))
    }

    /// The same with the protection and the lengths that are handed in.
    pub fn with(secret: &Secret, epoch: u32, parts: &(impl Parts + ?Sized)) -> Self {
        Self(Traffic::with(secret, epoch, parts))
    }

    /// Authenticates the whole record, then decrypts it, then checks its padding.
    ///
    /// # Errors
    /// [`Error::Forged`] when the tag does not fit. The tag does not fit if the record was changed, replayed, moved, or
    /// taken from the other direction or another session. [`Error::Malformed`] for a length, type or padding that does
    /// not exist.
    pub fn open(&mut self, record: &[u8]) -> Result<Plaintext, Error> {
        let mut r = Reader::new(record);
        let bucket = length_of(r.array("record length")?, self.0.lengths)?;
        r.take("ciphertext and tag", bucket + TAG_LEN)?;
        r.finish()?;

        let plaintext = self.0.protection.open(self.0.seq, record)?;
        self.0.next(record.len())?;
        unpad(&plaintext, self.0.lengths)
    }

    /// How many records its key has served, and how many bytes on the wire these had.
    pub fn used(&self) -> (u64, u64) {
        (self.0.seq, self.0.bytes)
    }
}

/// The ciphertext length that a record's length field announces.
///
/// # Errors
/// When the length is none of the [`BUCKETS`]: the caller must then close without reading on.
pub fn bucket_of(len: [u8; 4]) -> Result<usize, Error> {
    length_of(len, &BUCKETS)
}

fn length_of(len: [u8; 4], lengths: &[usize]) -> Result<usize, Error> {
    let ciphertext = (u32::from_be_bytes(len) as usize).checked_sub(TAG_LEN);
    let known = ciphertext.filter(|n| lengths.binary_search(n).is_ok());
    Ok(known.ok_or(DecodeError::Invalid {
        field: "record length",
        why: "no record has it",
    })?)
}

/// The shortest length that holds a body of `body` bytes with its type and size. An `ENROL` always has the same length,
/// with any size of key.
fn length_for(typ: Type, body: usize, lengths: &[usize]) -> Option<usize> {
    let least = match typ {
        Type::Enrol => BUCKETS[3],
        _ => 0,
    };
    let shortest = lengths.partition_point(|length| *length < least.max(body + 3));
    lengths.get(shortest).copied()
}

fn unpad(plaintext: &[u8], lengths: &[usize]) -> Result<Plaintext, Error> {
    let mut r = Reader::new(plaintext);
    let typ = Type::from_byte(r.u8("type")?).ok_or(DecodeError::Invalid {
        field: "type",
        why: "no message has it",
    })?;
    let body = r.long("body")?;
    let padded = length_for(typ, body.len(), lengths) == Some(plaintext.len());
    if r.rest().iter().any(|byte| *byte != 0) || !padded {
        return Err(Error::Malformed(DecodeError::Invalid {
            field: "padding",
            why: "it must be zeros up to the smallest length that fits",
        }));
    }
    Ok(Plaintext {
        typ,
        body: Zeroizing::new(body.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Sealer, Opener) {
        let secret = Zeroizing::new([7; 32]);
        (Sealer::new(&secret, 1), Opener::new(&secret, 1))
    }

    #[test]
    fn every_length_round_trips_in_its_bucket() {
        let (mut sealer, mut opener) = pair();
        for n in [0, 1, 61, 62, 253, 254, 1021, 1022, 4093, 4094, MAX_BODY] {
            let body = vec![0x5a; n];
            let record = sealer.seal(Type::Msg, &body).unwrap();
            assert!(BUCKETS.contains(&(record.len() - OVERHEAD)));
            let plain = opener.open(&record).unwrap();
            assert_eq!((plain.typ, &plain.body[..]), (Type::Msg, &body[..]));
        }
        assert!(sealer.seal(Type::Msg, &vec![0; MAX_BODY + 1]).is_err());
    }

    #[test]
    fn an_enrolment_has_one_length_whatever_is_in_it() {
        let (mut sealer, mut opener) = pair();
        for n in [0, 896, 1310, 4093] {
            let record = sealer.seal(Type::Enrol, &vec![1; n]).unwrap();
            assert_eq!(record.len(), 4132);
            assert_eq!(opener.open(&record).unwrap().body.len(), n);
        }
        let mut short = vec![Type::Enrol as u8, 0, 1, b'x'];
        short.resize(64, 0);
        assert!(unpad(&short, &BUCKETS).is_err());
    }

    #[test]
    fn a_changed_bit_anywhere_is_noticed() {
        let record = pair().0.seal(Type::Msg, b"pay bob 10").unwrap();
        for bit in 0..record.len() * 8 {
            let mut changed = record.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let error = pair().1.open(&changed).err();
            if bit < 32 {
                assert!(matches!(error, Some(Error::Malformed(_))), "bit {bit}");
            } else {
                assert_eq!(error, Some(Error::Forged("record tag")), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_record_opens_once_in_its_place_and_epoch() {
        let (mut sealer, mut opener) = pair();
        let first = sealer.seal(Type::Msg, b"one").unwrap();
        let second = sealer.seal(Type::Msg, b"two").unwrap();
        assert!(opener.open(&second).is_err(), "out of order");
        assert!(opener.open(&first).is_ok());
        assert!(opener.open(&first).is_err(), "replayed");
        let mut other_epoch = Opener::new(&Zeroizing::new([7; 32]), 2);
        assert!(other_epoch.open(&first).is_err());
    }

    #[test]
    fn two_records_never_share_keystream() {
        let (mut sealer, _) = pair();
        let first = sealer.seal(Type::Msg, &[0; 900]).unwrap();
        let second = sealer.seal(Type::Msg, &[0; 900]).unwrap();
        let equal = first[4..1028].iter().zip(&second[4..1028]);
        // Equal plaintexts under fresh keystream agree by chance alone: 4 of 1,024 bytes, and 40 is out of reach.
        assert!(equal.filter(|(a, b)| a == b).count() < 40);
    }

    #[test]
    fn padding_that_is_not_minimal_or_not_zero_is_refused() {
        let mut wide = vec![Type::Msg as u8, 0, 1, b'x'];
        wide.resize(256, 0);
        assert!(unpad(&wide, &BUCKETS).is_err());
        let mut dirty = vec![Type::Msg as u8, 0, 1, b'x'];
        dirty.resize(64, 0);
        assert!(unpad(&dirty, &BUCKETS).is_ok());
        dirty[63] = 1;
        assert!(unpad(&dirty, &BUCKETS).is_err());
    }

    #[test]
    fn lengths_that_do_not_exist_are_refused() {
        for len in [0, 31, 63, 64, 97, 16_417, u32::MAX] {
            assert!(bucket_of(len.to_be_bytes()).is_err());
        }
        assert_eq!(bucket_of(96u32.to_be_bytes()), Ok(64));
    }
}
