//! Crib dragging: guess that a text (the crib) stands somewhere in one message, and look at what that makes of all others.
//!
//! Take `c1 = p1 ^ k` and `c2 = p2 ^ k` under one keystream `k`. A crib that is right for `p1` gives the keystream
//! below it and so a piece of `p2`, which reads like language. A wrong crib gives noise. (Rubin, "Computer methods for
//! decrypting random stream ciphers", Cryptologia 1978; Mason et al., "A natural language approach to automated
//! cryptanalysis of two-time pads", CCS 2006.)

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
    /// The text that each other message would hold at the same place: its number, and the text from `offset` on.
    pub reveals: Vec<(usize, Vec<u8>)>,
}

/// Of how many bytes of a crib the first look at all places is taken, when only the best ones are asked for.
const GLANCE: usize = 3;

/// Drags `crib` over every message and ranks all placements that reveal something elsewhere, the best first.
///
/// All messages must be encrypted under one keystream from its first byte on.
pub fn drag(ciphertexts: &[Vec<u8>], language: &Language, crib: &[u8]) -> Vec<Placement> {
    let mut placements = everywhere(ciphertexts, crib);
    rank(&mut placements, ciphertexts, language, crib);
    placements
}

/// Like [`drag`], but returns at most `most` placements, in a fraction of the time. The search gives up a place where
/// the crib's first bytes reveal nothing sensible. With few messages a right place could be among those.
pub fn drag_best(
    ciphertexts: &[Vec<u8>],
    language: &Language,
    crib: &[u8],
    most: usize,
) -> Vec<Placement> {
    let mut placements = everywhere(ciphertexts, crib);
    if placements.len() > most && crib.len() > GLANCE {
        rank(&mut placements, ciphertexts, language, &crib[..GLANCE]);
        placements.truncate(most);
    }
    rank(&mut placements, ciphertexts, language, crib);
    placements.truncate(most);
    placements
}

/// All places where the crib fits into a message and reaches another one.
fn everywhere(ciphertexts: &[Vec<u8>], crib: &[u8]) -> Vec<Placement> {
    let mut placements = Vec::new();
    for (message, ciphertext) in ciphertexts.iter().enumerate() {
        let fits = ciphertext.windows(crib.len().max(1)).enumerate();
        for (offset, _) in fits.filter(|_| !crib.is_empty()) {
            let mut others = ciphertexts.iter().enumerate();
            if others.any(|(other, text)| other != message && text.len() > offset) {
                placements.push(Placement {
                    message,
                    offset,
                    score: 0.0,
                    reveals: Vec::new(),
                });
            }
        }
    }
    placements
}

/// Finds what `crib` reveals at each of these places, and sorts them by that.
fn rank(placements: &mut [Placement], ciphertexts: &[Vec<u8>], language: &Language, crib: &[u8]) {
    let mut mixture = Mixture::new(language);
    for placement in &mut *placements {
        let &mut Placement {
            message, offset, ..
        } = placement;
        let key = xor(&ciphertexts[message][offset..], crib);
        placement.reveals = reveals(ciphertexts, message, offset, &key);
        let revealed = placement.reveals.iter();
        placement.score = revealed.map(|(_, text)| evidence(text, &mut mixture)).sum();
    }
    placements.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// The text that `key` at `offset` gives in all messages but `except`.
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
    fn the_best_places_are_the_same_when_only_they_are_asked_for() {
        let key: Vec<u8> = (0..40u8).map(|i| i.wrapping_mul(167) ^ 0x5c).collect();
        let texts: [&[u8]; 5] = [
            b"the meeting is at noon on friday",
            b"please send the money to the bank",
            b"i will wait for you at home",
            b"nobody has seen the report yet",
            b"call me when you are there",
        ];
        let ciphertexts: Vec<_> = texts.iter().map(|text| xor(text, &key)).collect();
        let all = drag(&ciphertexts, Language::english(), b" meeting ");
        let best = drag_best(&ciphertexts, Language::english(), b" meeting ", 30);
        assert_eq!((best.len(), &best[0]), (30, &all[0]));
        assert!(best.iter().all(|placement| all.contains(placement)));
        let every = drag_best(&ciphertexts, Language::english(), b" meeting ", 1000);
        assert_eq!(every, all);
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
