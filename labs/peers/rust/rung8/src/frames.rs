//! The wire of rung 8, behind the exchange: five lengths, and little patience.
//!
//! ```text
//! plaintext     = u16 n ‖ message (n) ‖ zeros, of the smallest size that holds it
//! frame         = u16 n ‖ u32 number ‖ ciphertext (n - 36) ‖ tag (32)
//! counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
//! tag           = HMAC-SHA-256(tag key, u32 number ‖ u16 n ‖ ciphertext)
//! ```

use std::time::{Duration, Instant};

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
/// The sizes of a plaintext.
const SIZES: [usize; 5] = [64, 256, 1024, 4096, 16384];
/// Of the first frame of a client, which is the login, and of the server's answer to it.
const LOGIN: usize = SIZES[2];
const ANSWER: usize = SIZES[0];
/// From the first byte of a frame to its last.
const FOR_A_FRAME: Duration = Duration::from_secs(5);

/// The keys of one direction, and the number of its next frame.
pub struct Direction {
    enc: [u8; 32],
    mac: [u8; 32],
    iv: [u8; 8],
    next: u32,
    /// The size of its first plaintext.
    first: usize,
}

impl Direction {
    fn new(secret: &[u8; 32], transcript_hash: &[u8; 32], way: &str, first: usize) -> Self {
        Self {
            enc: derive(secret, transcript_hash, &format!("ladder enc {way}")),
            mac: derive(secret, transcript_hash, &format!("ladder mac {way}")),
            iv: derive(secret, transcript_hash, &format!("ladder iv {way}")),
            next: 0,
            first,
        }
    }

    /// The number of the next frame. A number that came twice would use its keystream twice.
    fn count(&mut self) -> Result<u32> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or("all numbers of this session are used up")?;
        Ok(number)
    }

    /// Whether the next frame may hold a plaintext of this size.
    fn may_have(&self, size: usize) -> bool {
        match self.next {
            0 => size == self.first,
            _ => SIZES.contains(&size),
        }
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
pub fn directions(secret: &[u8; 32], transcript_hash: &[u8; 32]) -> (Direction, Direction) {
    let direction = |way, first| Direction::new(secret, transcript_hash, way, first);
    (direction("c2s", LOGIN), direction("s2c", ANSWER))
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

/// Hides the length of a message, but for its class.
fn pad(message: &[u8]) -> Result<Vec<u8>> {
    let n = u16::try_from(message.len()).map_err(|_| "the message is too long for a frame")?;
    let mut plaintext = [&n.to_be_bytes()[..], message].concat();
    let size = SIZES.into_iter().find(|size| plaintext.len() <= *size);
    plaintext.resize(size.ok_or("the message is too long for a frame")?, 0);
    Ok(plaintext)
}

/// The message, if it was padded as [`pad`] does it. Any other padding could carry a hidden message.
fn unpad(plaintext: &[u8]) -> Result<&[u8]> {
    const WRONG: &str = "a plaintext that is padded in another way";
    let (n, rest) = plaintext.split_first_chunk().ok_or(WRONG)?;
    let message = rest.get(..usize::from(u16::from_be_bytes(*n))).ok_or(WRONG)?;
    match pad(message)? == plaintext {
        true => Ok(message),
        false => Err(WRONG.into()),
    }
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
        let ciphertext = apply_keystream(&keys.enc, first_block(&keys.iv, number), &pad(&message.encode())?);
        let n = u16::try_from(OVERHEAD + ciphertext.len()).map_err(|_| "the message is too long for a frame")?;
        let tag = keys.tag(number, n, &ciphertext).finalize().into_bytes();
        let frame = [&n.to_be_bytes()[..], &number.to_be_bytes(), &ciphertext, &tag].concat();
        self.line.write(&frame)?;
        Ok(number)
    }

    /// Number and message of the next frame. Nothing of it is used before tag and number are compared.
    pub fn receive(&mut self) -> Result<(u32, Message)> {
        let keys = &mut self.receiving;
        let [first] = self.line.read_array()?;
        let soon = Instant::now() + FOR_A_FRAME;
        self.line.deadline.get_or_insert(soon);
        let [second] = self.line.read_array()?;
        let n = u16::from_be_bytes([first, second]);
        let length = usize::from(n).checked_sub(OVERHEAD).filter(|size| keys.may_have(*size));
        let length = length.ok_or_else(|| format!("a frame of {n} bytes may not come now"))?;
        let number = u32::from_be_bytes(self.line.read_array()?);
        let ciphertext = self.line.read_exact(length)?;
        let tag: [u8; 32] = self.line.read_array()?;
        self.line.deadline = None;
        // All 32 bytes, in constant time.
        keys.tag(number, n, &ciphertext)
            .verify_slice(&tag)
            .map_err(|_| "the tag is wrong: the frame was changed, or made without the key")?;
        let due = keys.count()?;
        if number != due {
            return Err(format!("frame {number} came where frame {due} was due").into());
        }
        let plaintext = apply_keystream(&keys.enc, first_block(&keys.iv, number), &ciphertext);
        Ok((number, Message::decode(unpad(&plaintext)?)?))
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
