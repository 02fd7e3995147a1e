//! Crib dragging: guess that a text (the crib) stands somewhere in one message, and look at what that makes of all others.
//!
//! With `c1 = p1 ^ k` and `c2 = p2 ^ k` under one keystream `k`, a crib that is right for `p1` gives the keystream below it
//! and so a piece of `p2`, which reads like language. A wrong crib gives noise. (Rubin, "Computer methods for decrypting
//! random stream ciphers", Cryptologia 1978; Mason et al., "A natural language approach to automated cryptanalysis of
//! two-time pads", CCS 2006.)

use crate::keystream::xor;
use crate::language::Language;
use crate::solve::{Mixture, surprises};

/// One place where the crib was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// The message that is supposed to hold the crib.
    pub message: usize,
    /// Where the crib would begin in it, in bytes.
    pub offset: usize,
    /// The evidence for this placement: how much better the language explains what the others reveal than random bytes do,
    /// as a natural logarithm. Above zero speaks for it; below zero, against.
    pub score: f32,
    /// What each other message would hold at the same place: its number, and the text from `offset` on.
    pub reveals: Vec<(usize, Vec<u8>)>,
}

/// Drags `crib` over every message and ranks all placements that reveal something elsewhere, the best first.
///
/// All messages must be encrypted under one keystream from its first byte on.
pub fn drag(ciphertexts: &[Vec<u8>], language: &Language, crib: &[u8]) -> Vec<Placement> {
    let mut mixture = Mixture::new(language);
    let mut placements = Vec::new();
    for (message, ciphertext) in ciphertexts.iter().enumerate() {
        if crib.is_empty() {
            continue;
        }
        for (offset, under_crib) in ciphertext.windows(crib.len()).enumerate() {
            let key = xor(under_crib, crib);
            let reveals = reveals(ciphertexts, message, offset, &key);
            if !reveals.is_empty() {
                let score = reveals
                    .iter()
                    .map(|(_, text)| evidence(text, &mut mixture))
                    .sum();
                placements.push(Placement {
                    message,
                    offset,
                    score,
                    reveals,
                });
            }
        }
    }
    placements.sort_by(|a, b| b.score.total_cmp(&a.score));
    placements
}

/// What `key` at `offset` makes of all messages but `except`.
fn reveals(
    ciphertexts: &[Vec<u8>],
    except: usize,
    offset: usize,
    key: &[u8],
) -> Vec<(usize, Vec<u8>)> {
    let others = ciphertexts.iter().enumerate();
    others
        .filter(|&(message, ciphertext)| message != except && ciphertext.len() > offset)
        .map(|(message, ciphertext)| (message, xor(&ciphertext[offset..], key)))
        .collect()
}

/// How much likelier `text` is as a piece of language than as random bytes, as a natural logarithm.
fn evidence(text: &[u8], mixture: &mut Mixture<'_>) -> f32 {
    let random = 256.0f32.ln();
    let surprises = surprises(text.iter().copied(), mixture);
    surprises.iter().map(|surprise| random - surprise).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_placement_comes_first() {
        let key: Vec<u8> = (0..40u8).map(|i| i.wrapping_mul(167) ^ 0x5c).collect();
        let texts: [&[u8]; 3] = [
            b"the meeting is at noon",
            b"please send the money",
            b"i will wait for you",
        ];
        let ciphertexts: Vec<_> = texts.iter().map(|text| xor(text, &key)).collect();
        let best = &drag(&ciphertexts, Language::english(), b" meeting ")[0];
        assert_eq!((best.message, best.offset), (0, 3));
        assert_eq!(best.reveals[0], (1, b"ase send ".to_vec()));
        assert_eq!(best.reveals[1], (2, b"ill wait ".to_vec()));
        assert!(best.score > 0.0);
    }

    #[test]
    fn without_other_messages_there_is_nothing_to_rank() {
        assert!(drag(&[b"alone".to_vec()], Language::english(), b"lo").is_empty());
        assert!(drag(&[b"ab".to_vec(), b"cd".to_vec()], Language::english(), b"").is_empty());
        assert!(
            drag(
                &[b"ab".to_vec(), b"cd".to_vec()],
                Language::english(),
                b"long"
            )
            .is_empty()
        );
    }
}
