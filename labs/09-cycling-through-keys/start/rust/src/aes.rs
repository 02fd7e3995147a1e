//! AES-256 in counter mode, as the faithful protocol uses it (FIPS 197, NIST SP 800-38A). Complete; written to be read.

/// Multiplies by x in the field of AES.
fn times_two(byte: u8) -> u8 {
    (byte << 1) ^ if byte & 0x80 != 0 { 0x1b } else { 0 }
}

/// The S-box (FIPS 197, 5.1.1), from the powers of the generator 3.
fn make_s_box() -> [u8; 256] {
    let (mut p, mut q, mut table) = (1u8, 1u8, [0u8; 256]);
    loop {
        p ^= times_two(p);
        q ^= q << 1;
        q ^= q << 2;
        q ^= q << 4;
        q ^= if q & 0x80 != 0 { 0x09 } else { 0 };
        let rotated = q.rotate_left(1) ^ q.rotate_left(2) ^ q.rotate_left(3) ^ q.rotate_left(4);
        table[p as usize] = q ^ rotated ^ 0x63;
        if p == 1 {
            table[0] = 0x63;
            return table;
        }
    }
}

fn xor(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// A key that is ready to encrypt blocks.
pub struct Aes {
    s_box: [u8; 256],
    round_keys: Vec<[u8; 16]>,
}

impl Aes {
    /// Expands the key to 15 round keys (FIPS 197, 5.2).
    pub fn new(key: &[u8; 32]) -> Self {
        let s_box = make_s_box();
        let mut words: Vec<[u8; 4]> = key.chunks(4).map(|word| word.try_into().unwrap()).collect();
        let mut round_constant = 1;
        while words.len() < 60 {
            let mut word = words[words.len() - 1];
            let place = words.len() % 8;
            if place == 0 {
                word.rotate_left(1);
            }
            if place == 0 || place == 4 {
                word = word.map(|byte| s_box[byte as usize]);
            }
            if place == 0 {
                word[0] ^= round_constant;
                round_constant = times_two(round_constant);
            }
            let before = words[words.len() - 8];
            words.push(std::array::from_fn(|i| before[i] ^ word[i]));
        }
        let round_keys = words.chunks(4).map(|four| four.concat().try_into().unwrap());
        Self {
            s_box,
            round_keys: round_keys.collect(),
        }
    }

    pub fn encrypt_block(&self, block: [u8; 16]) -> [u8; 16] {
        let mut state = xor(block, self.round_keys[0]);
        for (number, key) in self.round_keys.iter().enumerate().skip(1) {
            // SubBytes and ShiftRows
            state = std::array::from_fn(|i| self.s_box[state[(i + 4 * (i % 4)) % 16] as usize]);
            if number < 14 {
                let before = state;
                state = std::array::from_fn(|i| {
                    let column = &before[i / 4 * 4..i / 4 * 4 + 4];
                    let total = column.iter().fold(0, |sum, byte| sum ^ byte);
                    before[i] ^ total ^ times_two(before[i] ^ column[(i + 1) % 4])
                });
            }
            state = xor(state, *key);
        }
        state
    }
}

/// Encrypts or decrypts one message: the counter block is the IV (8 bytes) and a counter that starts at 1.
pub fn apply_keystream(key: &[u8; 32], iv: &[u8; 8], data: &[u8]) -> Vec<u8> {
    let (aes, mut out) = (Aes::new(key), Vec::new());
    for (number, piece) in (1u64..).zip(data.chunks(16)) {
        let mut counter_block = [0; 16];
        counter_block[..8].copy_from_slice(iv);
        counter_block[8..].copy_from_slice(&number.to_be_bytes());
        let keystream = aes.encrypt_block(counter_block);
        out.extend(piece.iter().zip(keystream).map(|(byte, key)| byte ^ key));
    }
    out
}
