//! The key of a session, and the encryption under it.

use aes::Aes256;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use getrandom::SysRng;
use rsa::rand_core::{Rng, UnwrapErr};

/// What the server draws for a session, and sends in clear.
pub struct SessionKey {
    /// For AES-256.
    pub key: [u8; 32],
    /// The first half of each counter block.
    pub iv: [u8; 8],
}

impl SessionKey {
    /// From the operating system's generator. If it fails, there is nothing to go on with.
    pub fn draw() -> Self {
        let (mut key, mut iv) = ([0; 32], [0; 8]);
        UnwrapErr(SysRng).fill_bytes(&mut key);
        UnwrapErr(SysRng).fill_bytes(&mut iv);
        Self { key, iv }
    }

    /// Encrypts or decrypts a message with AES-256 in counter mode. The counter starts at 1 **for every message**.
    pub fn keystream(&self, message: &mut [u8]) {
        let mut block = [0; 16];
        block[..8].copy_from_slice(&self.iv);
        block[8..].copy_from_slice(&1_u64.to_be_bytes());
        Ctr128BE::<Aes256>::new(&self.key.into(), &block.into()).apply_keystream(message);
    }
}
