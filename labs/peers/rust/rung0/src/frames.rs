//! The wire of rung 0: a message is its ciphertext, without a length and without a number.
//!
//! ```text
//! counter block = IV (8) ‖ u64 counter, which starts at 1 in every message
//! ```

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};

use crate::{error::Result, line::Line};

/// The longest text, in bytes: a message is what one read of 1024 bytes returns.
pub const LONGEST_TEXT: usize = 1024;

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

    /// Sends a text in one write.
    pub fn send(&mut self, text: &[u8]) -> Result<()> {
        let ciphertext = apply_keystream(&self.key, first_block(&self.iv), text);
        self.line.write(&ciphertext)
    }

    /// The next text: what one read returns.
    pub fn receive(&mut self) -> Result<Vec<u8>> {
        let ciphertext = self.line.read_some(LONGEST_TEXT)?;
        Ok(apply_keystream(&self.key, first_block(&self.iv), &ciphertext))
    }
}

/// The counter block with which **every** message begins.
fn first_block(iv: &[u8; 8]) -> [u8; 16] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(iv);
    block[8..].copy_from_slice(&1_u64.to_be_bytes());
    block
}

/// Encrypts or decrypts with AES-256 in counter mode. The counter blocks go up by one, beginning with this one.
fn apply_keystream(key: &[u8; 32], counter_block: [u8; 16], data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    Ctr128BE::<Aes256>::new(key.into(), &counter_block.into()).apply_keystream(&mut data);
    data
}
