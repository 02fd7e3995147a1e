//! Frames: a length, a number, a ciphertext and a tag.

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    error::Result,
    keys::WayKeys,
    rung::{NUMBERS, ORDER, QUIET},
};

/// Bytes of a tag.
pub const TAG_SIZE: usize = 32;
/// The sizes of a padded plaintext, from rung 8 on.
pub const SIZES: [usize; 5] = [64, 256, 1024, 4096, 16384];

/// One direction of a session: its keys, and the number of its next frame.
pub struct Direction {
    rung: u8,
    keys: WayKeys,
    /// Wider than the number on the wire, so that it cannot begin again at 0.
    next: u64,
}

impl Direction {
    pub fn new(rung: u8, keys: WayKeys) -> Self {
        Self {
            rung,
            keys,
            next: 0,
        }
    }

    /// Bytes of a frame behind its length that are no ciphertext.
    pub fn overhead(&self) -> usize {
        4 + self.keys.mac.map_or(0, |_| TAG_SIZE)
    }

    /// The number of the next frame, and the whole frame.
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<(u32, Vec<u8>)> {
        let number = self.count()?;
        let mut ciphertext = plaintext.to_vec();
        self.keystream(number, &mut ciphertext);
        if self.rung < NUMBERS {
            return Ok((number, ciphertext));
        }
        let n = u16::try_from(self.overhead() + ciphertext.len())
            .map_err(|_| "the text is too long for a frame")?;
        let tag = self
            .tag(number, &ciphertext)
            .map(|tag| tag.finalize().into_bytes().to_vec());
        let parts = [
            &n.to_be_bytes()[..],
            &number.to_be_bytes(),
            &ciphertext,
            &tag.unwrap_or_default(),
        ];
        Ok((number, parts.concat()))
    }

    /// Number and plaintext of a frame that came, without its length. Nothing is decrypted before the tag is right.
    pub fn open(&mut self, frame: &[u8]) -> Result<(u32, Vec<u8>)> {
        if self.rung < NUMBERS {
            let mut plaintext = frame.to_vec();
            self.keystream(0, &mut plaintext);
            return Ok((0, plaintext));
        }
        let (number, rest) = frame
            .split_first_chunk()
            .ok_or("a frame is too short for a number")?;
        let number = u32::from_be_bytes(*number);
        let tag_at =
            (frame.len().checked_sub(self.overhead())).ok_or("a frame is too short for a tag")?;
        let (ciphertext, tag) = rest.split_at(tag_at);
        if let Some(right) = self.tag(number, ciphertext) {
            // In constant time.
            right
                .verify_slice(tag)
                .map_err(|_| "the tag of a frame is wrong")?;
        }
        let next = self.count()?;
        if self.rung >= ORDER && number != next {
            return Err(format!("frame {next} is due, and frame {number} came").into());
        }
        let mut plaintext = ciphertext.to_vec();
        self.keystream(number, &mut plaintext);
        Ok((number, plaintext))
    }

    /// The number that is next. A number that came twice would use its keystream twice.
    fn count(&mut self) -> Result<u32> {
        let number =
            u32::try_from(self.next).map_err(|_| "all numbers of this session are used up")?;
        self.next += 1;
        Ok(number)
    }

    /// Encrypts or decrypts with AES-256 in counter mode.
    fn keystream(&self, number: u32, bytes: &mut [u8]) {
        let counter = match self.rung >= NUMBERS {
            // u32 number ‖ u32 block, from 0.
            true => u64::from(number) << 32,
            // The flaw of rung 0: it starts at 1 for every message.
            false => 1,
        };
        let mut block = [0; 16];
        block[..8].copy_from_slice(&self.keys.iv);
        block[8..].copy_from_slice(&counter.to_be_bytes());
        Ctr128BE::<Aes256>::new(&self.keys.enc.into(), &block.into()).apply_keystream(bytes);
    }

    /// HMAC over `u32 number ‖ u16 n ‖ ciphertext`; below rung 2 there is none.
    fn tag(&self, number: u32, ciphertext: &[u8]) -> Option<Hmac<Sha256>> {
        let key = self.keys.mac?;
        let n = u16::try_from(self.overhead() + ciphertext.len())
            .expect("a frame's length has 16 bits");
        let mut hmac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("a key of any length will do");
        hmac.update(&number.to_be_bytes());
        hmac.update(&n.to_be_bytes());
        hmac.update(ciphertext);
        Some(hmac)
    }
}

/// Which message is due. From rung 8 on this says which lengths may come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Due {
    Login,
    LoginAnswer,
    Any,
}

impl Due {
    /// Whether a frame may have this length.
    pub fn allows(self, rung: u8, n: usize, overhead: usize) -> bool {
        let plaintext = n.checked_sub(overhead);
        match (plaintext, self) {
            (None, _) => false,
            (Some(_), _) if rung < QUIET => true,
            (Some(size), Self::Login) => size == 1024,
            (Some(size), Self::LoginAnswer) => size == 64,
            (Some(size), Self::Any) => SIZES.contains(&size),
        }
    }
}
