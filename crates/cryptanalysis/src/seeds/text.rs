//! The look of decrypted bytes that are text, and the fast recognition of it.

use std::sync::LazyLock;

use aes::Aes256;
use ctr::{
    Ctr64BE,
    cipher::{KeyIvInit, StreamCipher},
};

use super::Secrets;

/// The keystream that these secrets begin every message with: AES-256-CTR as the faithful protocol has it. The counter is
/// 64 bits, starts at 1, and starts again for every message.
pub(super) fn keystream(secrets: &Secrets, length: usize) -> Vec<u8> {
    let (key, iv) = secrets.split_at(32);
    let mut block = [0; 16];
    block[..8].copy_from_slice(iv);
    block[15] = 1;
    let mut keystream = vec![0; length];
    // The lengths are right by the type.
    if let Ok(mut ctr) = Ctr64BE::<Aes256>::new_from_slices(key, &block) {
        ctr.apply_keystream(&mut keystream);
    }
    keystream
}

/// Encrypts a message, or decrypts it: in counter mode that is the same.
pub fn crypt(secrets: &Secrets, message: &[u8]) -> Vec<u8> {
    crate::keystream::xor(message, &keystream(secrets, message.len()))
}

/// The first bytes of what may be a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    ciphertext: [u8; 16],
    /// 255 where the message has a byte, 0 after its end.
    known: [u8; 16],
}

impl Head {
    /// Of a message that begins like this.
    pub(super) fn new(message: &[u8]) -> Self {
        let mut head = Self::default();
        let places = head.ciphertext.iter_mut().zip(&mut head.known);
        for ((at, known), byte) in places.zip(message) {
            (*at, *known) = (*byte, 0xff);
        }
        head
    }

    /// The same message, as if only its first `length` bytes were known.
    pub(super) fn shortened(&self, length: usize) -> Self {
        Self::new(&self.ciphertext[..length.min(16)])
    }

    /// Whether this can begin a text under this keystream. A text has no control character and no byte that UTF-8 does
    /// not have. A byte with the upper bits `10` occurs only after a byte above 127, and always after one that
    /// announces it.
    ///
    /// One wrong block in 17,000 passes. All 16 bytes at once and without a branch: those of the exact test, taken at
    /// random, cost more than the cipher.
    #[inline(always)]
    pub(super) fn may_be_text(&self, keystream: &[u8; 16]) -> bool {
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

/// Whether this can be text: UTF-8, and no control characters but tab and line ends.
pub fn is_plausible(text: &[u8]) -> bool {
    !text.iter().any(|&byte| is_control(byte)) && std::str::from_utf8(text).is_ok()
}

#[inline(always)]
fn is_control(byte: u8) -> bool {
    // No short-circuits: this runs over whole registers.
    ((byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r')) | (byte == 0x7f)
}

/// Follows a text byte by byte, as long as it is text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Follower {
    /// Bytes that the present character still needs, and what the next of them may be (RFC 3629, 4).
    missing: u8,
    least: u8,
    most: u8,
}

impl Follower {
    /// `None` if no text goes on like this.
    pub(super) fn then(self, byte: u8) -> Option<Self> {
        let lead = |missing, least, most| {
            Some(Self {
                missing,
                least,
                most,
            })
        };
        if self.missing > 0 {
            let fits = (self.least..=self.most).contains(&byte);
            return lead(self.missing - 1, 0x80, 0xbf).filter(|_| fits);
        }
        match byte {
            _ if is_control(byte) => None,
            0..0x80 => lead(0, 0x80, 0xbf),
            0xc2..0xe0 => lead(1, 0x80, 0xbf),
            0xe0 => lead(2, 0xa0, 0xbf),
            0xed => lead(2, 0x80, 0x9f),
            0xe1..0xf0 => lead(2, 0x80, 0xbf),
            0xf0 => lead(3, 0x90, 0xbf),
            0xf4 => lead(3, 0x80, 0x8f),
            0xf1..0xf4 => lead(3, 0x80, 0xbf),
            _ => None,
        }
    }

    /// Whether a text may end here: not in the middle of a character.
    pub(super) fn may_end(self) -> bool {
        self.missing == 0
    }
}

/// How much more often each byte stands in text than among random bytes (a natural logarithm).
pub(super) type Gains = [f64; 256];

/// Three kinds of text; a session is of one of them. A typed text is mostly the first kind.
pub(super) static KINDS: LazyLock<[Gains; 3]> = LazyLock::new(|| {
    [
        // Words in Latin letters.
        gains(|byte| match byte {
            b' ' => 0.15,
            b'a'..=b'z' => 0.65 * LETTERS[usize::from(byte - b'a')] / 100.3,
            b'A'..=b'Z' => 0.04 / 26.0,
            b'0'..=b'9' => 0.08 / 10.0,
            b'!'..=b'~' => 0.05 / 32.0,
            0x80.. => 0.025 / 128.0,
            _ => 0.005 / 3.0,
        }),
        // Any printable ASCII: numbers, codes.
        gains(|byte| match byte {
            0x80.. => 0.05 / 128.0,
            _ => 0.95 / 98.0,
        }),
        // Other alphabets, in UTF-8.
        gains(|byte| match byte {
            0x80.. => 0.8 / 128.0,
            _ => 0.2 / 98.0,
        }),
    ]
});

/// How frequent the letters are in English, in percent, rounded up: they sum to 100.3. Nothing depends on the language being English: another one that
/// is written in these letters loses a little.
const LETTERS: [f64; 26] = [
    8.2, 1.5, 2.8, 4.3, 12.7, 2.2, 2.0, 6.1, 7.0, 0.2, 0.8, 4.0, 2.4, 6.7, 7.5, 1.9, 0.1, 6.0, 6.3,
    9.1, 2.8, 1.0, 2.4, 0.2, 2.0, 0.1,
];

/// A byte that cannot stand in a text counts as this improbable.
const NEVER: f64 = 1e-9;

fn gains(probability: impl Fn(u8) -> f64) -> Gains {
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        let p = if is_control(byte) {
            NEVER
        } else {
            probability(byte)
        };
        (256.0 * p).ln()
    })
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
            assert!(Head::new(text.as_bytes()).may_be_text(&[0; 16]), "{text}");
        }
        let start = Head::new(&[b' '; 16]);
        let mut random = Generator::Mt19937.start(1);
        let mut block = [0; 16];
        let passed = (0..5_000_000).filter(|_| {
            random.fill(&mut block);
            start.may_be_text(&block)
        });
        assert_eq!(5_000_000 / passed.count() / 1_000, 17);
    }

    #[test]
    fn a_follower_accepts_what_is_plausible_and_nothing_else() {
        let follows = |text: &[u8]| {
            let step = |follower: Follower, &byte: &u8| follower.then(byte);
            let end = text.iter().try_fold(Follower::default(), step);
            end.is_some_and(Follower::may_end)
        };
        // All sequences of up to two bytes, and around every border of RFC 3629 those of four.
        for a in 0..=255 {
            assert_eq!(follows(&[a]), is_plausible(&[a]), "{a}");
            for b in 0..=255 {
                assert_eq!(follows(&[a, b]), is_plausible(&[a, b]), "{a} {b}");
            }
        }
        let borders = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0];
        for a in 0xc0..=255 {
            for b in borders {
                for c in borders {
                    for text in [&[a, b, c][..], &[a, b, c, 0x80], &[a, b, c, b'x']] {
                        assert_eq!(follows(text), is_plausible(text), "{text:x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_kind_of_text_is_a_distribution() {
        for gains in KINDS.iter() {
            let sum: f64 = gains.iter().map(|gain| gain.exp() / 256.0).sum();
            assert!((0.95..=1.0 + 1e-6).contains(&sum), "{sum}");
        }
    }
}
