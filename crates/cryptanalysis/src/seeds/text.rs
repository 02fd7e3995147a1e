//! Knowing the right key by its plaintext.

use aes::Aes256;
use ctr::{
    Ctr64BE,
    cipher::{KeyIvInit, StreamCipher},
};

use super::{Secrets, Test, aes_ni, lanes::LANES};

/// Messages of one session, as they were on the wire: the test is that they all decrypt to text.
#[derive(Clone, Debug)]
pub struct Sniffed {
    /// The longest first: it tells the most.
    ciphertexts: Vec<Vec<u8>>,
}

impl Sniffed {
    /// From the ciphertexts of one session. Each must be one whole message: of two that ran together, only the first
    /// decrypts. Empty ones tell nothing and are left out.
    pub fn new(ciphertexts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut ciphertexts: Vec<_> = ciphertexts.into_iter().collect();
        ciphertexts.retain(|ciphertext| !ciphertext.is_empty());
        ciphertexts.sort_by_key(|ciphertext| std::cmp::Reverse(ciphertext.len()));
        Self { ciphertexts }
    }

    /// What the secrets make of the messages, the longest first.
    pub fn decrypt(&self, secrets: &Secrets) -> Vec<Vec<u8>> {
        self.ciphertexts
            .iter()
            .map(|ciphertext| decrypt(secrets, ciphertext))
            .collect()
    }

    /// How likely a wrong key is to pass, at most: times the number of seeds, it is how many false hits to expect. A
    /// message of 5 bytes passes with one seed in sixty, one of 21 with one in twelve million, one of 30 with one in
    /// eleven thousand million.
    ///
    /// Only the longest message is counted. The others help, but less than one would think: under one keystream, where a
    /// wrong key makes text of one message it often makes text of all.
    pub fn chance(&self) -> f64 {
        chance_of_text(self.ciphertexts.first().map_or(0, Vec::len))
    }

    fn start(&self) -> Start {
        let longest = self.ciphertexts.first().map_or(&[][..], Vec::as_slice);
        let mut start = Start::default();
        for ((at, byte), known) in start
            .ciphertext
            .iter_mut()
            .zip(longest)
            .zip(&mut start.known)
        {
            (*at, *known) = (*byte, 0xff);
        }
        start
    }
}

/// The first block of the longest message.
#[derive(Default)]
struct Start {
    ciphertext: [u8; 16],
    /// 255 where the message has a byte, 0 after its end.
    known: [u8; 16],
}

impl Start {
    /// Whether this can begin a text under this keystream: no control character, no byte that UTF-8 does not have, a byte
    /// of 2 upper bits `10` only after one above 127, and always after one that announces it.
    ///
    /// One wrong block in 17,000 passes. All 16 bytes at once and without a branch: those of the exact test, taken at
    /// random, cost more than the cipher.
    #[inline(always)]
    fn may_be_text(&self, keystream: &[u8; 16]) -> bool {
        let mut text = self.ciphertext;
        for (byte, key) in text.iter_mut().zip(keystream) {
            *byte ^= key;
        }
        let mut before = [b' '; 16];
        before[1..].copy_from_slice(&text[..15]);
        let mut wrong = 0;
        for ((&byte, before), known) in text.iter().zip(before).zip(self.known) {
            let (announced, continues) = (before >= 0xc0, byte & 0xc0 == 0x80);
            let impossible = (byte & 0xfe == 0xc0) | (byte >= 0xf5);
            let disorder = (announced & !continues) | (continues & (before < 0x80));
            wrong |= u8::from(is_control(byte) | impossible | disorder) & known;
        }
        wrong == 0
    }
}

impl Test for Sniffed {
    fn accepts(&self, secrets: &Secrets) -> bool {
        let mut all = self.ciphertexts.iter();
        self.start().may_be_text(&aes_ni::first_block(secrets))
            && all.all(|ciphertext| is_plausible(&decrypt(secrets, ciphertext)))
    }

    fn select(&self, candidates: &[Secrets; LANES]) -> Vec<usize> {
        let start = self.start();
        let mut blocks = [[0; 16]; LANES];
        aes_ni::first_blocks(candidates, &mut blocks);
        let all = blocks.iter().enumerate();
        all.filter(|(_, block)| start.may_be_text(block))
            .map(|(lane, _)| lane)
            .filter(|&lane| self.accepts(&candidates[lane]))
            .collect()
    }
}

/// AES-256-CTR as the faithful protocol has it: the counter is 64 bits, starts at 1, and starts again for every message.
fn decrypt(secrets: &Secrets, ciphertext: &[u8]) -> Vec<u8> {
    let (key, iv) = secrets.split_at(32);
    let mut block = [0; 16];
    block[..8].copy_from_slice(iv);
    block[15] = 1;
    let mut text = ciphertext.to_vec();
    // The lengths are right by the type.
    if let Ok(mut ctr) = Ctr64BE::<Aes256>::new_from_slices(key, &block) {
        ctr.apply_keystream(&mut text);
    }
    text
}

/// Whether this can be text: UTF-8, and no control characters but tab and line ends.
pub fn is_plausible(text: &[u8]) -> bool {
    !text.iter().any(|&byte| is_control(byte)) && std::str::from_utf8(text).is_ok()
}

#[inline(always)]
fn is_control(byte: u8) -> bool {
    // No short-circuits: this runs over whole registers.
    ((byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r')) | (byte == 0x7f)
}

/// How likely `len` random bytes are plausible: what is likely of the bytes before its last character, times that a
/// character of so many bytes follows, for each length that a character can have.
fn chance_of_text(len: usize) -> f64 {
    // How many of the 256^k sequences of k bytes are one character (RFC 3629, 4).
    const CHARACTERS: [f64; 4] = [98.0, 1_920.0, 61_440.0, 1_048_576.0];
    let mut chance = vec![1.0];
    for len in 1..=len {
        let last =
            (1..=4.min(len)).map(|k| chance[len - k] * CHARACTERS[k - 1] / 256f64.powi(k as i32));
        chance.push(last.sum());
    }
    chance[len]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::Generator;

    #[test]
    fn the_quick_look_passes_every_text_and_little_else() {
        for text in [
            "see you at noon, then",
            "ça marche à midi",
            "日本語で話しましょう",
            "🙂",
            "a\tb\r\n",
        ] {
            let sniffed = Sniffed::new([text.as_bytes().to_vec()]);
            assert!(sniffed.start().may_be_text(&[0; 16]), "{text}");
        }
        let start = Sniffed::new([vec![b' '; 16]]).start();
        let mut random = Generator::Mt19937.start(1);
        let mut block = [0; 16];
        let passed = (0..5_000_000).filter(|_| {
            random.fill(&mut block);
            start.may_be_text(&block)
        });
        assert_eq!(5_000_000 / passed.count() / 1_000, 17);
    }

    #[test]
    fn more_text_leaves_fewer_false_hits() {
        for (len, one_in) in [(5, 56.0), (21, 11.7e6), (30, 11.5e9)] {
            assert!((chance_of_text(len) * one_in - 1.0).abs() < 0.01);
        }
    }
}
