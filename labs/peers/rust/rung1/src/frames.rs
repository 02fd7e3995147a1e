//! The wire of rung 1: every message is a frame with a number, and the number is in the counter block.
//!
//! ```text
//! frame         = u16 n ‖ u32 number ‖ ciphertext (n - 4)
//! counter block = IV (8) ‖ u32 number ‖ u32 block, which starts at 0 in every frame
//! ```

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};

use crate::{error::Result, line::Line};

/// The longest text, in bytes.
pub const LONGEST_TEXT: usize = 16381;
/// Bytes of a number.
const NUMBER: usize = 4;

/// The frames of one session.
pub struct Channel {
    line: Line,
    key: [u8; 32],
    iv: [u8; 8],
    /// The number of the next frame that is sent.
    next: u32,
}

impl Channel {
    pub fn new(line: Line, key: [u8; 32], iv: [u8; 8]) -> Self {
        Self { line, key, iv, next: 0 }
    }

    /// Sends a text as a frame, with a number that no frame of this session had.
    pub fn send(&mut self, text: &[u8]) -> Result<()> {
        let number = self.next;
        self.next = number.checked_add(1).ok_or("all numbers of this session are used up")?;
        let ciphertext = apply_keystream(&self.key, first_block(&self.iv, number), text);
        let n = u16::try_from(NUMBER + ciphertext.len()).map_err(|_| "the text is too long for a frame")?;
        let frame = [&n.to_be_bytes()[..], &number.to_be_bytes(), &ciphertext].concat();
        self.line.write(&frame)
    }

    /// The text of the next frame, decrypted with the frame's own number.
    pub fn receive(&mut self) -> Result<Vec<u8>> {
        let n = u16::from_be_bytes(self.line.read_array()?);
        let length = usize::from(n).checked_sub(NUMBER);
        let length = length.ok_or_else(|| format!("a frame of {n} bytes has no room for its number"))?;
        let number = u32::from_be_bytes(self.line.read_array()?);
        let ciphertext = self.line.read_exact(length)?;
        Ok(apply_keystream(&self.key, first_block(&self.iv, number), &ciphertext))
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
