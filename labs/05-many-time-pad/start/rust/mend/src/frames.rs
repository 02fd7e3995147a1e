//! The wire of your client. So far it is rung 0: a message is its ciphertext. Make it rung 1:
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

/// The messages of one session.
pub struct Channel {
    line: Line,
    key: [u8; 32],
    iv: [u8; 8],
}

impl Channel {
    pub fn new(line: Line, key: [u8; 32], iv: [u8; 8]) -> Self {
        Self { line, key, iv }
    }

    /// Sends a text.
    pub fn send(&mut self, text: &[u8]) -> Result<()> {
        // Your part. This sends no frame, and gives every message the keystream of the first.
        let ciphertext = apply_keystream(&self.key, first_block(&self.iv, 0), text);
        self.line.write(&ciphertext)
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
