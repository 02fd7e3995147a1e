//! The wire of rung 4: a tag protects each frame, and each frame has the next number.
//!
//! ```text
//! plaintext     = a message, with its type in front
//! frame         = u16 n ‖ u32 number ‖ ciphertext (n - 36) ‖ tag (32)
//! counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
//! tag           = HMAC-SHA-256(tag key, u32 number ‖ u16 n ‖ ciphertext)
//! ```

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{error::Result, line::Line, message::Message};

/// Bytes of a number, and of a tag.
const OVERHEAD: usize = 4 + 32;

/// The keys of one direction, and the number of its next frame.
pub struct Direction {
    enc: [u8; 32],
    mac: [u8; 32],
    iv: [u8; 8],
    next: u32,
}

impl Direction {
    fn new(session_key: &[u8; 32], iv: [u8; 8], way: &str) -> Self {
        let key = |purpose| derive(session_key, &iv, &format!("ladder {purpose} {way}"));
        Self {
            enc: key("enc"),
            mac: key("mac"),
            iv,
            next: 0,
        }
    }

    /// The number of the next frame. A number that came twice would use its keystream twice.
    fn count(&mut self) -> Result<u32> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or("all numbers of this session are used up")?;
        Ok(number)
    }

    /// The tag of a frame, as an HMAC that has read all that it covers.
    pub fn tag(&self, number: u32, n: u16, ciphertext: &[u8]) -> Hmac<Sha256> {
        let mut tag = new_hmac(&self.mac);
        tag.update(&number.to_be_bytes());
        tag.update(&n.to_be_bytes());
        tag.update(ciphertext);
        tag
    }
}

/// Client to server, and server to client.
pub fn directions(session_key: &[u8; 32], iv: [u8; 8]) -> (Direction, Direction) {
    (
        Direction::new(session_key, iv, "c2s"),
        Direction::new(session_key, iv, "s2c"),
    )
}

/// A key from HKDF with SHA-256 (RFC 5869).
fn derive<const N: usize>(secret: &[u8], salt: &[u8], info: &str) -> [u8; N] {
    let mut key = [0; N];
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(info.as_bytes(), &mut key)
        .expect("a key is far shorter than 255 hashes");
    key
}

/// HMAC-SHA-256 with this key, before it has read anything.
fn new_hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    KeyInit::new_from_slice(key).expect("a key of any length will do")
}

/// The frames of one session.
pub struct Channel {
    line: Line,
    sending: Direction,
    receiving: Direction,
}

impl Channel {
    pub fn new(line: Line, sending: Direction, receiving: Direction) -> Self {
        Self {
            line,
            sending,
            receiving,
        }
    }

    /// Sends a message as the next frame, and gives its number.
    pub fn send(&mut self, message: &Message) -> Result<u32> {
        let keys = &mut self.sending;
        let number = keys.count()?;
        let ciphertext = apply_keystream(&keys.enc, first_block(&keys.iv, number), &message.encode());
        let n = u16::try_from(OVERHEAD + ciphertext.len()).map_err(|_| "the message is too long for a frame")?;
        let tag = keys.tag(number, n, &ciphertext).finalize().into_bytes();
        let frame = [&n.to_be_bytes()[..], &number.to_be_bytes(), &ciphertext, &tag].concat();
        self.line.write(&frame)?;
        Ok(number)
    }

    /// Number and message of the next frame. Nothing of it is used before tag and number are compared.
    pub fn receive(&mut self) -> Result<(u32, Message)> {
        let keys = &mut self.receiving;
        let n = u16::from_be_bytes(self.line.read_array()?);
        let length = usize::from(n).checked_sub(OVERHEAD);
        let length = length.ok_or_else(|| format!("a frame of {n} bytes has no room for its number and its tag"))?;
        let number = u32::from_be_bytes(self.line.read_array()?);
        let ciphertext = self.line.read_exact(length)?;
        let tag: [u8; 32] = self.line.read_array()?;
        // All 32 bytes, in constant time.
        keys.tag(number, n, &ciphertext)
            .verify_slice(&tag)
            .map_err(|_| "the tag is wrong: the frame was changed, or made without the key")?;
        let due = keys.count()?;
        if number != due {
            return Err(format!("frame {number} came where frame {due} was due").into());
        }
        let plaintext = apply_keystream(&keys.enc, first_block(&keys.iv, number), &ciphertext);
        Ok((number, Message::decode(&plaintext)?))
    }
}

/// The counter block with which the frame of this number begins.
fn first_block(iv: &[u8; 8], number: u32) -> [u8; 16] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(iv);
    block[8..12].copy_from_slice(&number.to_be_bytes());
    block
}

/// Encrypts or decrypts with AES-256 in counter mode. The counter blocks go up by one, beginning with this one.
fn apply_keystream(key: &[u8; 32], counter_block: [u8; 16], data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    Ctr128BE::<Aes256>::new(key.into(), &counter_block.into()).apply_keystream(&mut data);
    data
}
