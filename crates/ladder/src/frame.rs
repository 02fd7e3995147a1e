//! One message on the wire: its frame, its number, its tag.
//!
//! | rung | bytes |
//! | --- | --- |
//! | 0 | the ciphertext and nothing else |
//! | 1 | `u16 n ‖ u32 number ‖ ciphertext` |
//! | 2 to 8 | `u16 n ‖ u32 number ‖ ciphertext ‖ tag (32)` |
//!
//! `n` counts all bytes behind it.

use aes::Aes256;
use ctr::{
    Ctr64BE,
    cipher::{KeyIvInit, StreamCipher},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    complaint::Complaint,
    keys::{Direction, IV},
    rung::{Idea, Rung},
};

/// Bytes of the length in front of a frame.
pub const LENGTH: usize = 2;
/// Bytes of a number.
pub const NUMBER: usize = 4;
/// Bytes of a tag.
pub const TAG: usize = 32;

/// A frame's bytes in its fields: what anybody sees, with no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number; 0 on rung 0, which has none.
    pub number: u32,
    /// The encrypted plaintext.
    pub ciphertext: Vec<u8>,
    /// The tag; empty below rung 2.
    pub tag: Vec<u8>,
}

impl Frame {
    /// Bytes before the ciphertext.
    pub fn head(rung: Rung) -> usize {
        match rung.has(Idea::Numbers) {
            true => LENGTH + NUMBER,
            false => 0,
        }
    }

    /// Bytes behind the ciphertext.
    pub fn tail(rung: Rung) -> usize {
        if rung.has(Idea::Tag) { TAG } else { 0 }
    }

    /// Bytes of a frame besides its length and its ciphertext.
    pub fn overhead(rung: Rung) -> usize {
        let number = if rung.has(Idea::Numbers) { NUMBER } else { 0 };
        number + Self::tail(rung)
    }

    /// The bytes of the wire.
    ///
    /// # Panics
    /// When the ciphertext does not fit a length of two bytes: nothing here makes such a one.
    pub fn encode(&self, rung: Rung) -> Vec<u8> {
        if !rung.has(Idea::Numbers) {
            return self.ciphertext.clone();
        }
        let number = self.number.to_be_bytes();
        [&self.length(rung)[..], &number, &self.ciphertext, &self.tag].concat()
    }

    /// Reads a whole frame, its length included.
    ///
    /// # Errors
    /// When the length is too small for the fields that every frame of this rung has.
    pub fn decode(rung: Rung, bytes: &[u8]) -> Result<Self, Complaint> {
        if !rung.has(Idea::Numbers) {
            return Ok(Self {
                number: 0,
                ciphertext: bytes.to_vec(),
                tag: Vec::new(),
            });
        }
        let body = &bytes[LENGTH..];
        if body.len() < Self::overhead(rung) {
            return Err(Complaint::Malformed("the frame is shorter than its fields"));
        }
        let (number, rest) = body.split_at(NUMBER);
        let (ciphertext, tag) = rest.split_at(rest.len() - (Self::overhead(rung) - NUMBER));
        Ok(Self {
            number: u32::from_be_bytes(number.try_into().expect("four bytes")),
            ciphertext: ciphertext.to_vec(),
            tag: tag.to_vec(),
        })
    }

    fn length(&self, rung: Rung) -> [u8; LENGTH] {
        let n = self.ciphertext.len() + Self::overhead(rung);
        u16::try_from(n)
            .expect("a frame has at most 65,535 bytes")
            .to_be_bytes()
    }

    /// `HMAC(mac, u32 number ‖ u16 n ‖ ciphertext)`, not finished: so that the caller makes a tag or compares one.
    fn tagged(&self, rung: Rung, key: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key length");
        mac.update(&self.number.to_be_bytes());
        mac.update(&self.length(rung));
        mac.update(&self.ciphertext);
        mac
    }
}

/// The first counter block of a message. On rung 0 it is the same for every message: that is the flaw.
pub fn counter_block(rung: Rung, iv: &[u8; IV], number: u32) -> [u8; 16] {
    let counter = match rung.has(Idea::Numbers) {
        false => 1,
        true => u64::from(number) << 32,
    };
    let mut block = [0; 16];
    block[..IV].copy_from_slice(iv);
    block[IV..].copy_from_slice(&counter.to_be_bytes());
    block
}

fn apply_keystream(rung: Rung, keys: &Direction, number: u32, bytes: &mut [u8]) {
    let block = counter_block(rung, &keys.iv, number);
    Ctr64BE::<Aes256>::new(&keys.enc.into(), &block.into()).apply_keystream(bytes);
}

/// Encrypts a plaintext as the message of this number.
pub fn seal(rung: Rung, keys: &Direction, number: u32, plaintext: &[u8]) -> Frame {
    let mut frame = Frame {
        number,
        ciphertext: plaintext.to_vec(),
        tag: Vec::new(),
    };
    apply_keystream(rung, keys, number, &mut frame.ciphertext);
    if let Some(mac) = &keys.mac {
        frame.tag = frame.tagged(rung, mac).finalize().into_bytes().to_vec();
    }
    frame
}

/// Checks the tag, in constant time and **before** anything is decrypted; then decrypts.
///
/// # Errors
/// [`Complaint::BadTag`] from rung 2 on. Below, there is nothing to check.
pub fn open(rung: Rung, keys: &Direction, frame: &Frame) -> Result<Vec<u8>, Complaint> {
    if let Some(mac) = &keys.mac {
        let tag = frame.tagged(rung, mac);
        tag.verify_slice(&frame.tag)
            .map_err(|_| Complaint::BadTag)?;
    }
    let mut plaintext = frame.ciphertext.clone();
    apply_keystream(rung, keys, frame.number, &mut plaintext);
    Ok(plaintext)
}

/// Makes the frames of one direction.
#[derive(Debug, Clone)]
pub struct Sealer {
    rung: Rung,
    keys: Direction,
    next: u32,
}

impl Sealer {
    /// Begins with number 0.
    pub fn new(rung: Rung, keys: Direction) -> Self {
        Self {
            rung,
            keys,
            next: 0,
        }
    }

    /// The next frame's bytes, and its number.
    pub fn seal(&mut self, plaintext: &[u8]) -> (u32, Vec<u8>) {
        let number = self.next;
        self.next += 1;
        let frame = seal(self.rung, &self.keys, number, plaintext);
        (number, frame.encode(self.rung))
    }
}

/// Opens the frames of one direction.
#[derive(Debug, Clone)]
pub struct Opener {
    rung: Rung,
    keys: Direction,
    /// Wider than a number, so that none fits once all were used.
    next: u64,
}

impl Opener {
    /// Expects number 0, from rung 3 on.
    pub fn new(rung: Rung, keys: Direction) -> Self {
        Self {
            rung,
            keys,
            next: 0,
        }
    }

    /// Number and plaintext of a whole frame.
    ///
    /// # Errors
    /// When the frame is malformed, its tag is wrong, or its number is not the next one.
    pub fn open(&mut self, bytes: &[u8]) -> Result<(u32, Vec<u8>), Complaint> {
        let frame = Frame::decode(self.rung, bytes)?;
        let plaintext = open(self.rung, &self.keys, &frame)?;
        if self.rung.has(Idea::Order) && u64::from(frame.number) != self.next {
            return Err(Complaint::OutOfOrder {
                expected: self.next,
                came: frame.number,
            });
        }
        self.next += 1;
        Ok((frame.number, plaintext))
    }
}

#[cfg(test)]
mod tests {
    use latchstring_attacker::protocol_faithful::{keys::SessionSecrets, record};

    use super::*;
    use crate::keys::Keys;

    fn pair(rung: u8) -> (Sealer, Opener) {
        let rung = Rung::new(rung).unwrap();
        let keys = Keys::from_session_key(rung, &[7; 32], &[9; 8]).to_server;
        (Sealer::new(rung, keys.clone()), Opener::new(rung, keys))
    }

    #[test]
    fn rung_0_is_the_reports_record_to_the_byte() {
        let faithful = record::Sealer::new(&SessionSecrets::new([7; 32], [9; 8]));
        let (mut sealer, _) = pair(0);
        for text in [&b"hello"[..], &[0x5a; 1000]] {
            assert_eq!(sealer.seal(text).1, faithful.seal(text).unwrap());
        }
    }

    #[test]
    fn two_frames_share_no_keystream_from_rung_1_on() {
        let of = |rung| {
            let (mut sealer, _) = pair(rung);
            let mut ciphertext = || sealer.seal(&[0; 64]).1.split_off(6);
            (ciphertext(), ciphertext())
        };
        let (first, second) = of(1);
        assert_ne!(first, second);
        let (first, second) = of(0);
        assert_eq!(first, second);
    }

    #[test]
    fn a_changed_byte_is_found_from_rung_2_on_wherever_it_is() {
        for at in 0..2 + 4 + 5 + 32 {
            let (mut sealer, mut opener) = pair(2);
            let mut bytes = sealer.seal(b"hello").1;
            bytes[at] ^= 1;
            let found = opener.open(&bytes);
            // The bytes of the length are the stream's; the tag covers what they said.
            assert!(at < LENGTH || found == Err(Complaint::BadTag), "{at}");
        }
        let (mut sealer, mut opener) = pair(1);
        let mut bytes = sealer.seal(b"hello").1;
        bytes[6] ^= 1;
        assert_eq!(opener.open(&bytes).unwrap().1, b"iello");
    }

    #[test]
    fn the_next_number_is_the_only_one_from_rung_3_on() {
        for rung in [2, 3] {
            let (mut sealer, mut opener) = pair(rung);
            let (first, second) = (sealer.seal(b"one").1, sealer.seal(b"two").1);
            let skipped = opener.open(&second).is_ok();
            let repeated = opener.open(&first).is_ok() && opener.open(&first).is_ok();
            assert_eq!((skipped, repeated), (rung == 2, rung == 2));
        }
    }
}
