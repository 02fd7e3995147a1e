//! AES-256 in counter mode (FIPS 197, NIST SP 800-38A). Complete; written to be read.

/// Multiplies by x in the field of AES.
fn times_two(byte: u8) -> u8 {
    (byte << 1) ^ if byte & 0x80 != 0 { 0x1b } else { 0 }
}

/// The S-box (FIPS 197, 5.1.1), from the powers of the generator 3.
fn s_box() -> [u8; 256] {
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

/// The 15 round keys of a 256-bit key (FIPS 197, 5.2).
fn expand(key: &[u8; 32], s_box: &[u8; 256]) -> Vec<[u8; 16]> {
    let mut words: Vec<[u8; 4]> = key.chunks(4).map(|word| word.try_into().unwrap()).collect();
    let mut round_constant = 1;
    while words.len() < 60 {
        let mut word = words[words.len() - 1];
        if words.len() % 8 == 0 {
            word.rotate_left(1);
            word = word.map(|byte| s_box[byte as usize]);
            word[0] ^= round_constant;
            round_constant = times_two(round_constant);
        } else if words.len() % 8 == 4 {
            word = word.map(|byte| s_box[byte as usize]);
        }
        let before = words[words.len() - 8];
        words.push(std::array::from_fn(|i| before[i] ^ word[i]));
    }
    words.chunks(4).map(|four| four.concat().try_into().unwrap()).collect()
}

fn encrypt_block(round_keys: &[[u8; 16]], s_box: &[u8; 256], block: [u8; 16]) -> [u8; 16] {
    let mut state = xor(block, round_keys[0]);
    for (number, key) in round_keys.iter().enumerate().skip(1) {
        // SubBytes and ShiftRows
        state = std::array::from_fn(|i| s_box[state[(i + 4 * (i % 4)) % 16] as usize]);
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

fn xor(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// Encrypts or decrypts one message of the old program: the counter block is the IV (8 bytes) and a counter that starts at 1.
pub fn apply_keystream(key: &[u8; 32], iv: &[u8; 8], data: &[u8]) -> Vec<u8> {
    with_counter_blocks(key, data, |number| {
        let mut block = [0; 16];
        block[..8].copy_from_slice(iv);
        block[8..].copy_from_slice(&(number + 1).to_be_bytes());
        block
    })
}

/// Encrypts or decrypts in counter mode. `block` gives the counter block with this number, from 0.
pub fn with_counter_blocks(key: &[u8; 32], data: &[u8], block: impl Fn(u64) -> [u8; 16]) -> Vec<u8> {
    let s_box = s_box();
    let (round_keys, mut out) = (expand(key, &s_box), Vec::new());
    for (number, piece) in data.chunks(16).enumerate() {
        let keystream = encrypt_block(&round_keys, &s_box, block(number as u64));
        out.extend(piece.iter().zip(keystream).map(|(byte, key)| byte ^ key));
    }
    out
}
