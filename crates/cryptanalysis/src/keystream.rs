//! The known part of one keystream, and the texts that it opens.
//!
//! A stream cipher adds its keystream `k` to the plaintext: `c = p ^ k`. An attacker who knows `p` and `c` at a place
//! knows `k` there. This `k` opens *every* other message under the same keystream.

use std::fmt;

/// The byte-wise XOR of two strings, as long as the shorter one.
pub fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

/// A known plaintext that contradicts what was already known of the keystream.
///
/// Either the plaintext is not the one of this ciphertext, or the two messages were not encrypted under one keystream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The keystream offset of the first contradicted byte.
    pub offset: usize,
    /// The keystream byte known before; it is kept.
    pub known: u8,
    /// The keystream byte that the new plaintext asks for.
    pub claimed: u8,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "keystream byte {} is known as {:02x}, but this plaintext needs {:02x}: \
             check the plaintext, and that both messages are of one session",
            self.offset, self.known, self.claimed
        )
    }
}

impl std::error::Error for Conflict {}

/// A partly known keystream. Offsets count from the first keystream byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keystream {
    bytes: Vec<Option<u8>>,
}

impl Keystream {
    /// A keystream of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The known part of a session's keystream, from messages with known plaintexts or beginnings. Each is given as the
    /// number of the message, and the text. Where they contradict each other the first one stands.
    pub fn of(ciphertexts: &[Vec<u8>], known: &[(usize, Vec<u8>)]) -> Self {
        let mut keystream = Self::new();
        for (message, plaintext) in known {
            if let Some(ciphertext) = ciphertexts.get(*message) {
                // A contradiction is not an error here.
                let _ = keystream.learn(ciphertext, plaintext, 0);
            }
        }
        keystream
    }

    /// The keystream up to the last known byte; `None` marks the gaps.
    pub fn bytes(&self) -> &[Option<u8>] {
        &self.bytes
    }

    /// The keystream byte at `offset`, if known.
    pub fn get(&self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied().flatten()
    }

    /// Learns from `ciphertext`, whose plaintext from byte `offset` on is `plaintext`; a part past the ciphertext's end
    /// is ignored.
    ///
    /// # Errors
    /// [`Conflict`] if a byte contradicts what is known; then nothing is learnt at all.
    pub fn learn(
        &mut self,
        ciphertext: &[u8],
        plaintext: &[u8],
        offset: usize,
    ) -> Result<(), Conflict> {
        let Some(ciphertext) = ciphertext.get(offset..) else {
            return Ok(());
        };
        let fragment = xor(ciphertext, plaintext);
        for (at, &claimed) in (offset..).zip(&fragment) {
            if let Some(known) = self.get(at).filter(|&known| known != claimed) {
                return Err(Conflict {
                    offset: at,
                    known,
                    claimed,
                });
            }
        }
        for (at, byte) in (offset..).zip(fragment) {
            self.set(at, byte);
        }
        Ok(())
    }

    /// Opens as much of `ciphertext` (whose first byte met the first keystream byte) as is known.
    pub fn open(&self, ciphertext: &[u8]) -> Vec<Option<u8>> {
        (0..)
            .zip(ciphertext)
            .map(|(at, byte)| self.get(at).map(|key| key ^ byte))
            .collect()
    }

    pub(crate) fn set(&mut self, offset: usize, byte: u8) {
        if self.bytes.len() <= offset {
            self.bytes.resize(offset + 1, None);
        }
        self.bytes[offset] = Some(byte);
    }
}

/// Shows partly opened text on one line: `unknown` for each unknown byte, `·` for each that is not printable ASCII.
pub fn render(text: &[Option<u8>], unknown: char) -> String {
    let show = |byte: &Option<u8>| match byte {
        None => unknown,
        Some(byte @ b' '..=b'~') => char::from(*byte),
        Some(_) => '·',
    };
    text.iter().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_known_plaintext_opens_the_other_up_to_its_end() {
        let key = [7, 1, 200, 33, 90];
        let (a, b) = (xor(b"abc", &key), xor(b"hello", &key));
        let mut keystream = Keystream::new();
        keystream.learn(&a, b"abc", 0).unwrap();
        assert_eq!(render(&keystream.open(&b), '_'), "hel__");
        keystream.learn(&b, b"o", 4).unwrap();
        assert_eq!(render(&keystream.open(&b), '_'), "hel_o");
    }

    #[test]
    fn a_contradiction_is_reported_and_teaches_nothing() {
        let mut keystream = Keystream::new();
        keystream.learn(&[1, 2], &[1, 2], 0).unwrap();
        let before = keystream.clone();
        let conflict = keystream.learn(&[9, 9, 9], &[9, 8, 7], 0).unwrap_err();
        assert_eq!(
            conflict,
            Conflict {
                offset: 1,
                known: 0,
                claimed: 1
            }
        );
        assert_eq!(keystream, before);
    }

    #[test]
    fn an_offset_past_the_ciphertext_is_no_knowledge() {
        let mut keystream = Keystream::new();
        keystream.learn(b"abc", b"xyz", usize::MAX).unwrap();
        assert!(keystream.bytes().is_empty());
    }

    proptest! {
        #[test]
        fn xor_twice_gives_the_text_back(text: Vec<u8>, key: Vec<u8>) {
            let n = text.len().min(key.len());
            prop_assert_eq!(&xor(&xor(&text, &key), &key), &text[..n]);
        }

        #[test]
        fn what_was_learnt_opens_exactly_the_places_it_covers(
            key in proptest::collection::vec(any::<u8>(), 40),
            known in proptest::collection::vec(any::<u8>(), 0..40),
            other in proptest::collection::vec(any::<u8>(), 0..40),
            offset in 0usize..40,
        ) {
            let mut keystream = Keystream::new();
            keystream.learn(&xor(&known, &key), known.get(offset..).unwrap_or(&[]), offset).unwrap();
            let opened = keystream.open(&xor(&other, &key));
            for (at, byte) in opened.into_iter().enumerate() {
                let covered = (offset..known.len()).contains(&at);
                prop_assert_eq!(byte, covered.then(|| other[at]));
            }
        }
    }
}
